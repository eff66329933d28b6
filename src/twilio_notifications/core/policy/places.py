"""Which class of priority each place belongs to, so that none is starved (contract, section 7).

Of ten places one is a normal request's and one a low one's while such requests wait; the other eight, and
every place that its class does not need, go by priority.
"""

from __future__ import annotations

from collections import deque
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar

from twilio_notifications.core.model import Priority

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

Waiting = TypeVar("Waiting")

ROUND: Final = 10
_RESERVED: Final[Mapping[int, Priority]] = MappingProxyType({4: Priority.NORMAL, 9: Priority.LOW})
"""The places of a round that are a class's own. Not the first ones: an urgent request that comes alone goes
at once."""


def reserved(priority: Priority, *, place: int, limit: int) -> int:
    """How many of the `limit` places from number `place` on are this class's own."""
    return sum(_RESERVED.get(number % ROUND) is priority for number in range(place, place + limit))


def interleaved(waiting: Mapping[Priority, Sequence[Waiting]], *, place: int, limit: int) -> list[Waiting]:
    """Who gets the `limit` places from number `place` on; within a class in the order given."""
    queues = {priority: deque(waiting.get(priority, ())) for priority in Priority}
    taken: list[Waiting] = []
    for number in range(place, place + limit):
        own = _RESERVED.get(number % ROUND)
        in_order = [queues[own], *queues.values()] if own is not None else list(queues.values())
        queue = next((queue for queue in in_order if queue), None)
        if queue is None:
            break
        taken.append(queue.popleft())
    return taken


def next_class(waiting: Collection[Priority], *, place: int) -> Priority | None:
    """The class whose request gets place number `place` of its sender; None where none waits."""
    own = _RESERVED.get(place % ROUND)
    if own in waiting:
        return own
    return next((priority for priority in Priority if priority in waiting), None)


def place_after(place: int, taken: Priority) -> int:
    """The number of the sender's next place, after a request of the class `taken` left at `place`.

    A class that has just had a place does not get its own one next: so an urgent request that arrives while
    only normal ones leave is the next to leave.
    """
    following = (place + 1) % ROUND
    return (following + 1) % ROUND if _RESERVED.get(following) is taken else following
