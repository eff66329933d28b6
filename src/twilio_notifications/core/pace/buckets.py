"""What a sender has used of its rate: a token bucket, kept as the instant at which it is full again.

The instant is a whole number of microseconds since the epoch. It is all that must be kept over a restart, and
adding to it loses nothing, however many units pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.pace.rates import MICROSECONDS

if TYPE_CHECKING:
    from twilio_notifications.core.pace.rates import Rate

MOST_SEGMENTS: Final = 100
"""More than any text has: 1,600 characters of two units each, in parts that are more than half full."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """All that the rate allows at once may leave from `full_at` on, in microseconds since the epoch."""

    full_at: int


FULL: Final = Bucket(0)
"""A sender that has sent nothing for a while."""


def room_at(bucket: Bucket, rate: Rate, units: int, *, now: float) -> float:
    """The instant from which the sender has room for so many units; `now` where it has room already.

    A text with more segments than may leave at once goes when the bucket is full, and the next ones wait for
    what it took beyond that. So every text leaves at some time, and the rate holds all the same.
    """
    needed = min(units * rate.interval, rate.burst)
    opens = (bucket.full_at + needed - rate.burst) / MICROSECONDS
    return max(now, opens)


def charge(bucket: Bucket, rate: Rate, units: int, *, now: float) -> Bucket:
    """The bucket after so many units have left at `now`."""
    return Bucket(max(bucket.full_at, _microseconds(now)) + units * rate.interval)


def after_restart(bucket: Bucket, rate: Rate, *, now: float) -> Bucket:
    """The bucket as a new process takes it over from the journal.

    A clock that was in the future left an instant that no sending explains: the longest text bounds it.
    """
    longest = rate.burst + MOST_SEGMENTS * rate.interval
    return Bucket(min(bucket.full_at, _microseconds(now) + longest))


def _microseconds(instant: float) -> int:
    return round(instant * MICROSECONDS)
