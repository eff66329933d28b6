"""Finds the statuses that a broker may not take, from the statuses under way when connections ended.

A broker may close the connection over a status without a word: because of its size, topic, format or a
policy. Connections also end for other reasons, so one end proves nothing. Each end adds points to the
statuses under way. With enough points a status is published after all others, alone, and then with growing
pauses. So a status that the broker does not take is found, and a network that fails again and again only
delays statuses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

SUSPECT: Final = 2
"""From this number of points on, a status is published after all others, and one at a time."""

CONVICTED: Final = 4
"""From this number of points on, a status also waits: three connections ended with it under way, the last
with it alone."""

SMALL_BYTES: Final = 1024
"""Bytes that every broker takes. A larger status counts as too large once it is convicted."""

_FIRST_PAUSE_SECONDS: Final = 10.0
_LONGEST_PAUSE_SECONDS: Final = 1800.0
"""A status that the broker never takes ends the connection each time: twice an hour is acceptable."""

_MOST_FRUITLESS: Final = 6
_FIRST_HOLD_SECONDS: Final = 5.0
_LONGEST_HOLD_SECONDS: Final = 60.0
"""The longest hold: a network that fails again and again may become steady at any time."""


def points(on_their_way: Mapping[int, int]) -> dict[int, int]:
    """The points that the end of a connection adds, by id of the status.

    `on_their_way` has the points so far of the statuses under way. If suspects are among them, only
    suspects get points. A status that is alone gets two points, but only one the first time.
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
    """Seconds for which the next connection publishes no status.

    `fruitless` counts the connections in a row that ended with statuses other than suspects under way, and
    without an acknowledged status. Without the hold, a broker that takes no status at all would end each
    connection at its beginning, and requests would come late.
    """
    beyond = fruitless - _MOST_FRUITLESS
    return min(_FIRST_HOLD_SECONDS * 2.0 ** min(beyond, 16), _LONGEST_HOLD_SECONDS) if beyond >= 0 else 0.0


def is_too_large(size: int, suspicion: int) -> bool:
    """Whether a status of `size` bytes with this number of points counts as too large for the broker."""
    return suspicion >= CONVICTED and size > SMALL_BYTES


def fitting(size: int, *, too_large: int | None) -> int | None:
    """The bytes to which a status of `size` bytes is shortened; None: it keeps its size.

    `too_large` is the smallest size in bytes over which the broker closed a connection; None: no size is
    known. The broker does not say which size fits, and each try costs a connection, so the result is half
    of it.
    """
    return too_large // 2 if too_large is not None and size >= too_large else None
