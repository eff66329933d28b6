"""The rules about the request's own life and about what Twilio allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import WAITS_FOR, Reason, WaitReason
from twilio_notifications.core.pace import sender_of
from twilio_notifications.core.policy.limits import standing
from twilio_notifications.core.policy.verdicts import Decline, Defer

if TYPE_CHECKING:
    from twilio_notifications.core.policy.situation import Situation
    from twilio_notifications.core.steps import Claimed

ORDERED_PAUSE_SECONDS: Final = 60.0
"""The longest wait that one look writes down for a pause that a person ordered: that person may end it at any
time, and while it lasts nothing is claimed."""


def lifetime(request: Claimed, situation: Situation) -> Decline | None:
    """Nothing is sent after the end of the request's lifetime."""
    return expired(request, situation) if situation.now >= request.expires_at else None


def recall(request: Claimed, _situation: Situation) -> Decline | None:
    """What was cancelled or superseded is not sent, also where an attempt was under way at that moment."""
    match request.recalled:
        case None:
            return None
        case Reason.SUPERSEDED:
            message = "A newer request about the same took its place before it was sent"
        case _:
            message = "It was cancelled before it was sent"
    return Decline(reason=request.recalled, message=message)


def chain_end(request: Claimed, _situation: Situation) -> Decline | None:
    """Nothing of a chain is sent after its end, also where its attempt was open or in doubt at the end."""
    if not request.chain_ended or request.tells_end:
        return None
    return Decline(reason=Reason.CANCELLED, message="Its escalation ended while it waited")


def ordered_pause(request: Claimed, situation: Situation) -> Defer | None:
    """While a person has paused sending, everything waits."""
    until = situation.pace.paused_until
    if until <= situation.now:
        return None
    return Defer(
        until=min(until, request.expires_at, situation.now + ORDERED_PAUSE_SECONDS),
        reason=WaitReason.OPERATOR_PAUSE,
        message=f"everything waits: {WAITS_FOR[WaitReason.OPERATOR_PAUSE]}",
    )


def credentials(request: Claimed, situation: Situation) -> Decline | None:
    """A request waits for a login that Twilio takes, but only so long."""
    since, wait = situation.pace.refused_since, situation.credential_wait_seconds
    if since is None or situation.now - max(since, request.accepted_at) < wait:
        return None
    return Decline(reason=Reason.UNAUTHORIZED, message=f"Twilio refused the credentials for {wait:g} s")


def account_pace(request: Claimed, situation: Situation) -> Defer | None:
    """Everything waits until the instant that Twilio named."""
    pace = situation.pace
    if pace.closed_until <= situation.now:
        return None
    return Defer(
        until=min(pace.closed_until, request.expires_at),
        reason=pace.closed_for,
        message=f"everything waits: {WAITS_FOR[pace.closed_for]}",
    )


def sender_pace(request: Claimed, situation: Situation) -> Defer | None:
    """Requests of a sender number whose queue at Twilio is full wait."""
    paused_until = situation.pace.senders.get(sender_of(request.notification), 0.0)
    if paused_until <= situation.now:
        return None
    return Defer(
        until=min(paused_until, request.expires_at),
        reason=WaitReason.SENDER_QUEUE_FULL,
        message="the sender number's queue at Twilio is full",
    )


def expired(request: Claimed, situation: Situation) -> Decline:
    """The lifetime has ended.

    The reason is RateLimited where the request waited for Twilio's pace, and QuotaExceeded where it waited
    for a limit of the operator's; the sentence then names the limit if it leaves no room even now.
    """
    waited = f"{situation.now - request.accepted_at:.0f} s"
    is_paused = situation.pace.paused_until > situation.now
    match WaitReason.OPERATOR_PAUSE if is_paused else request.waiting_reason:
        case WaitReason.ACCOUNT_SLOWED | WaitReason.SENDER_QUEUE_FULL:
            return Decline(
                reason=Reason.RATE_LIMITED,
                message=f"Twilio accepted no more messages within the request's lifetime ({waited})",
            )
        case WaitReason.QUOTA_USED_UP:
            why = standing(request, situation) or "The operator's limits left no room"
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
                message=(
                    f"The request expired after {waited}, before it could be sent; last: {WAITS_FOR[reason]}"
                ),
            )
