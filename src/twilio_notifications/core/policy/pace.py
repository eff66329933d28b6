"""How fast attempts may be made.

A `Pace` is a value: what happened goes in, the new pace comes out. It is lost when the process ends, which
only means that a new process finds out again what Twilio accepts; what must survive stands in the journal.
Nothing here waits, looks at a clock or draws a random number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import DeferralScope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.model import Deferred
    from twilio_notifications.core.pace import PacedSender


MAXIMUM_PAUSE_SECONDS: Final = 3_600.0
"""Of a pause that an earlier run wrote down: the clock may have been set since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What Twilio's answers so far allow."""

    maximum: int
    """The configured concurrency."""
    allowed: float
    """Attempts at once, as Twilio's 429s have taught us: halved by one, and one more after as many answers as
    may be under way at once (additive increase, multiplicative decrease)."""
    closed_until: float = 0.0
    """No attempt before this instant: Twilio asked for the pause."""
    closed_for: WaitReason = WaitReason.ACCOUNT_SLOWED
    """Why."""
    paused_until: float = 0.0
    """No attempt before this instant: a person ordered the pause. Infinite: until another order."""
    setbacks: int = 0
    """Deferrals of everything in a row, from which the next pause grows."""
    offline: bool = False
    """The last attempt found no network: find out whether it is back before any other is made."""
    refused_since: float | None = None
    """Since when Twilio refuses our credentials."""
    probe_at: float = 0.0
    """While they are refused: when a single attempt finds out whether they work again."""
    senders: Mapping[PacedSender, float] = field(default_factory=dict)
    """Senders whose queue at Twilio is full, and until when they pause, whether or not they are paced."""

    @classmethod
    def fresh(cls, maximum: int) -> Pace:
        """The pace of a connector that knows nothing yet: full speed."""
        return cls(maximum=maximum, allowed=float(maximum))


def room(pace: Pace, *, now: float, in_flight: int) -> int:
    """How many attempts may be opened now."""
    if now < opens_at(pace) or pace.offline:
        return 0
    # Refused credentials: a single attempt finds out whether they work again.
    allowed = min(1, pace.maximum) if pace.refused_since is not None else int(pace.allowed)
    return max(0, allowed - in_flight)


def opens_at(pace: Pace) -> float:
    """The instant before which no attempt is opened."""
    probe_at = 0.0 if pace.refused_since is None else pace.probe_at
    return max(pace.closed_until, pace.paused_until, probe_at)


def resized(pace: Pace, maximum: int) -> Pace:
    """With another maximum; the attempts stay slowed down by the same factor."""
    if maximum == pace.maximum:
        return pace
    allowed = pace.allowed * maximum / pace.maximum if pace.maximum else float(maximum)
    return replace(pace, maximum=maximum, allowed=min(float(maximum), max(1.0, allowed)))


def setback(pace: Pace, *, now: float) -> int:
    """Number of this setback in the current run; deferrals during one pause count once."""
    return pace.setbacks if now < pace.closed_until else pace.setbacks + 1


def after_answer(pace: Pace) -> Pace:
    """Twilio took, or refused, one request: it listens to us."""
    if pace.allowed >= pace.maximum and pace.setbacks == 0 and pace.refused_since is None:
        return pace
    return replace(
        pace,
        # One more after as many answers as there are attempts at once: additive, whatever the speed.
        allowed=min(float(pace.maximum), pace.allowed + 1 / max(1.0, pace.allowed)),
        setbacks=0,
        refused_since=None,
    )


def after_deferral(pace: Pace, deferred: Deferred, *, now: float, until: float, sender: PacedSender) -> Pace:
    """Everything, or everything of one sender, waits until `until`."""
    match deferred.scope:
        case DeferralScope.SENDER:
            return sender_stalled(pace, sender, now=now, until=until)
        case DeferralScope.CREDENTIALS:
            since = now if pace.refused_since is None else pace.refused_since
            return replace(pace, probe_at=until, refused_since=since)
        case DeferralScope.NETWORK:
            return replace(pace, offline=True)
        case DeferralScope.ADDRESS:
            return _closed(pace, deferred, now=now, until=until)
        case DeferralScope.ACCOUNT:
            # The answers of attempts that were under way together tell one thing: slow down once.
            together = now < pace.closed_until
            slowed = (
                pace
                if together
                else replace(pace, allowed=min(float(pace.maximum), max(1.0, pace.allowed / 2)))
            )
            return _closed(slowed, deferred, now=now, until=until)
        case _:
            assert_never(deferred.scope)


def sender_stalled(pace: Pace, sender: PacedSender, *, now: float, until: float) -> Pace:
    """The queue of one sender at Twilio is full: what leaves from it waits until `until`."""
    senders = {known: end for known, end in pace.senders.items() if end > now}
    return replace(pace, senders={**senders, sender: max(until, senders.get(sender, 0.0))})


def _closed(pace: Pace, deferred: Deferred, *, now: float, until: float) -> Pace:
    return replace(
        pace,
        setbacks=setback(pace, now=now),
        closed_until=max(pace.closed_until, until),
        closed_for=deferred.reason,
    )


def closed_still(pace: Pace, *, now: float, until: float) -> Pace:
    """The pause that Twilio asked an earlier run for, and that has not ended; never longer than an hour."""
    return replace(pace, closed_until=min(until, now + MAXIMUM_PAUSE_SECONDS))


def paused(pace: Pace, *, until: float | None) -> Pace:
    """All requests wait until then, by a person's order; None: until another order."""
    return replace(pace, paused_until=math.inf if until is None else until)


def online(pace: Pace) -> Pace:
    """The network is back."""
    return replace(pace, offline=False, setbacks=0)


def credentials_renewed(pace: Pace) -> Pace:
    """There is a new secret, which Twilio has not refused yet."""
    return replace(pace, refused_since=None)
