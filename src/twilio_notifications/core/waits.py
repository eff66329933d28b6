"""How long a request waits before its next attempt: what Twilio asked for, or a backoff of our own.

All times are seconds. Jitter is an argument from 0 to 1, so that a wait is the same in every run of a test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.core.model import DeferralScope

if TYPE_CHECKING:
    from twilio_notifications.core.model import Deferred

MAXIMUM_RETRY_AFTER_SECONDS: Final = 3600.0
"""A longer `Retry-After` counts as an hour: one try an hour does no harm, and a broken header parks
nothing."""

SENDER_QUEUE_FACTOR: Final = 30
"""How much longer a full queue waits: a US number sends a segment a second, so that many places are free."""

QUEUE_OVERFLOW_SECONDS: Final = 30.0
"""How long a sender waits after Twilio accepted a text and then found no place for it in the queue."""

_ENOUGH_DOUBLINGS: Final = 1000  # 2.0**1024 overflows, and every maximum is reached long before


def backoff_ceiling(*, count: int, initial: float, maximum: float) -> float:
    """Seconds before attempt `count` + 1 at the latest: `initial`, doubled each time, at most `maximum`."""
    doublings = min(max(count - 1, 0), _ENOUGH_DOUBLINGS)
    return min(initial * 2.0**doublings, maximum)


def backoff_seconds(*, count: int, initial: float, maximum: float, jitter: float) -> float:
    """The wait after failure number `count`: "full jitter", any share (`jitter`, 0 to 1) of the ceiling."""
    return jitter * backoff_ceiling(count=count, initial=initial, maximum=maximum)


def deferral_seconds(
    deferred: Deferred, *, count: int, initial: float, maximum: float, jitter: float
) -> float:
    """The wait after deferral number `count`: what Twilio asked for, or else a backoff of our own."""
    if deferred.retry_after is not None and deferred.retry_after > 0:
        # Never earlier than asked, and not all at the same instant.
        return min(deferred.retry_after, MAXIMUM_RETRY_AFTER_SECONDS) + jitter * initial
    if deferred.scope is DeferralScope.SENDER:
        ceiling = backoff_ceiling(count=count, initial=initial, maximum=maximum)
        # Half of it is certain: a share near nothing would not let the queue drain.
        return SENDER_QUEUE_FACTOR * ceiling * (1 + jitter) / 2
    return backoff_seconds(count=count, initial=initial, maximum=maximum, jitter=jitter)
