"""Which waiting requests of a paced sender leave now, and when the next one does."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.core.pace import FULL, Bucket, Rate, charge, room_at
from twilio_notifications.core.policy.places import next_class, place_after

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from twilio_notifications.core.model import Priority


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What one paced sender may send, and which class of priority is next."""

    rate: Rate
    bucket: Bucket = FULL
    place: int = 0
    """Number of its next place in the round of ten."""
    paused_until: float = 0.0
    """Its queue at Twilio is full until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """A request that waits for its sender, as far as its departure depends on it."""

    request: int
    due_at: float
    amount: int
    """Segments of a text; 1 for a call."""


def departs_at(sender: Allowance, amount: int) -> float:
    """The instant from which the sender has room for so much."""
    return max(sender.paused_until, room_at(sender.bucket, sender.rate, amount, now=0.0))


def left(sender: Allowance, amount: int, priority: Priority, *, at: float) -> Allowance:
    """The sender after a request of this amount and class has left."""
    return replace(
        sender,
        bucket=charge(sender.bucket, sender.rate, amount, now=at),
        place=place_after(sender.place, priority),
    )


def departing(
    sender: Allowance, waiting: Mapping[Priority, Sequence[Head]], *, now: float
) -> list[tuple[Priority, Head]]:
    """Those that leave at `now`, in their order, of requests that are due; each class in the order given.

    A large text for which there is no room yet is not overtaken by a small one of its class or of a lower
    one: it would never leave.
    """
    queues = {priority: deque(heads) for priority, heads in waiting.items() if heads}
    leaving: list[tuple[Priority, Head]] = []
    while (priority := next_class(queues.keys(), place=sender.place)) is not None:
        head = queues[priority][0]
        if departs_at(sender, head.amount) > now:
            break
        leaving.append((priority, queues[priority].popleft()))
        if not queues[priority]:
            del queues[priority]
        sender = left(sender, head.amount, priority, at=now)
    return leaving


def next_departure(sender: Allowance, first: Mapping[Priority, Head]) -> float | None:
    """When the next request leaves, by the first request of each class; None where none waits.

    The first one of a class becomes due in its time, and then may be the next one of the sender.
    """
    due: set[Priority] = set()
    departure: float | None = None
    for priority, head in sorted(first.items(), key=lambda one: one[1].due_at):
        if departure is not None and departure < head.due_at:
            break
        due.add(priority)
        chosen = next_class(due, place=sender.place)
        assert chosen is not None, "one is due at least"
        departure = max(head.due_at, departs_at(sender, first[chosen].amount))
    return departure


def expected_departures(
    sender: Allowance, queue: Iterable[Head], *, now: float
) -> Iterator[tuple[Head, float]]:
    """When each leaves, if they leave in this order, and nothing that arrives later leaves before them."""
    at = max(now, sender.paused_until)
    for head in queue:
        at = room_at(sender.bucket, sender.rate, head.amount, now=max(at, head.due_at))
        sender = replace(sender, bucket=charge(sender.bucket, sender.rate, head.amount, now=at))
        yield head, at
