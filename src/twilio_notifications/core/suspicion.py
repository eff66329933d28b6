"""Which status a broker may not take, judged by which ones were on their way when connections ended.

A broker that dislikes a status may say nothing and hang up: over its size, its topic, its format or a policy.
Connections also end for other reasons, so one end proves nothing. Points against a status add up until it is
published after all others, alone, and then with growing pauses: one that the broker does not take points at
itself, and a network that flaps only delays what waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SUSPECT: Final = 2
"""From this number of points on, a status is published after all others, and one at a time."""

CONVICTED: Final = 4
"""From this number of points on, it also waits: three connections ended over it, and on the last it was
alone."""

SMALL_BYTES: Final = 1024
"""So much fits through every broker. A larger status that is convicted counts as too large."""

_FIRST_PAUSE_SECONDS: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 1800.0
"""A status that the broker never takes costs a connection each time: twice an hour is bearable."""

_MOST_FRUITLESS: Final = 6
_FIRST_HOLD_SECONDS: Final = 5.0
_LONGEST_HOLD_SECONDS: Final = 60.0
"""A network that flaps may become steady at any time, and statuses wait no longer for that."""


def points(on_their_way: Mapping[int, int]) -> dict[int, int]:
    """What the end of a connection adds against each status; `on_their_way` has the points so far, by id.

    Where a suspect was on its way, it alone is blamed. To be alone counts twice, but not the first time.
    """
    suspects = {id_ for id_, suspicion in on_their_way.items() if suspicion >= SUSPECT}
    blamed = suspects or set(on_their_way)
    is_alone = len(blamed) == 1
    return {id_: 2 if is_alone and on_their_way[id_] else 1 for id_ in blamed}


def pause(suspicion: int) -> float:
    """Seconds until a status with this number of points is published again."""
    if suspicion < CONVICTED:
        return 0.0
    doublings = min((suspicion - CONVICTED) // 2, 16)
    return min(_FIRST_PAUSE_SECONDS * 2.0**doublings, _LONGEST_PAUSE_SECONDS)


def hold(fruitless: int) -> float:
    """Seconds for which no status is published over the next connection.

    `fruitless` counts connections in a row that ended with statuses on their way, others than suspects, while
    no status was acknowledged. A broker that takes none at all would otherwise end each connection at its
    beginning, and requests would come late.
    """
    beyond = fruitless - _MOST_FRUITLESS
    return min(_FIRST_HOLD_SECONDS * 2.0 ** min(beyond, 16), _LONGEST_HOLD_SECONDS) if beyond >= 0 else 0.0


def is_too_large(size: int, suspicion: int) -> bool:
    """Whether its size is taken for the reason."""
    return suspicion >= CONVICTED and size > SMALL_BYTES


def fitting(size: int, *, too_large: int | None) -> int | None:
    """How long a status of `size` bytes may be; None: as long as it is.

    `too_large` is the smallest size over which a broker hung up. It did not say what would have fitted, and
    trying costs a connection each time, so half of it is tried.
    """
    return too_large // 2 if too_large is not None and size >= too_large else None
