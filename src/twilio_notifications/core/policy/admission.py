"""Whether a request whose turn has come may be attempted now, as far as its own life and the pace go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import Reason
from twilio_notifications.core.policy.verdicts import Admit, Decline, Defer

if TYPE_CHECKING:
    from twilio_notifications.core.policy.pace import Pace
    from twilio_notifications.core.policy.verdicts import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What admission looks at in a claimed request."""

    accepted_at: float
    expires_at: float
    sender_number: str
    waiting_reason: Reason | None


def admit(request: Waiting, pace: Pace, *, now: float, credential_wait_seconds: float) -> Verdict:
    """Whether an attempt may be opened for a request whose turn has come."""
    if now >= request.expires_at:
        return expired(request, now=now)
    if waited_for_credentials(request, pace, now=now) >= credential_wait_seconds:
        return Decline(
            reason=Reason.UNAUTHORIZED,
            message=f"Twilio refused the credentials for {credential_wait_seconds:g} s",
        )
    if pace.closed_until > now:
        return Defer(
            until=min(pace.closed_until, request.expires_at),
            reason=pace.closed_for,
            message="everything waits: Twilio asked for a pause, or cannot be reached",
        )
    paused_until = pace.senders.get(request.sender_number, 0.0)
    if paused_until > now:
        return Defer(
            until=min(paused_until, request.expires_at),
            reason=Reason.RATE_LIMITED,
            message="the sender number's queue at Twilio is full",
        )
    return Admit()


def waited_for_credentials(request: Waiting, pace: Pace, *, now: float) -> float:
    """How long this request has waited for credentials that work."""
    return 0.0 if pace.refused_since is None else now - max(pace.refused_since, request.accepted_at)


def expired(request: Waiting, *, now: float, limit: str | None = None) -> Decline:
    """The lifetime has ended; RateLimited where it was Twilio's pace that the request waited for.

    `limit` is the sentence of the operator's limit that leaves it no room even now, if it is known.
    """
    waited = f"{now - request.accepted_at:.0f} s"
    match request.waiting_reason:
        case Reason.RATE_LIMITED:
            return Decline(
                reason=Reason.RATE_LIMITED,
                message=f"Twilio accepted no more messages within the request's lifetime ({waited})",
            )
        case Reason.QUOTA_EXCEEDED:
            why = limit or "The operator's limits left no room"
            return Decline(
                reason=Reason.QUOTA_EXCEEDED,
                message=f"{why}; the request's lifetime ({waited}) has ended before there was room",
            )
        case None:
            return Decline(
                reason=Reason.EXPIRED, message=f"The request expired after {waited}, before it could be sent"
            )
        case reason:
            return Decline(
                reason=Reason.EXPIRED,
                message=f"The request expired after {waited}, before it could be sent; last: {reason}",
            )
