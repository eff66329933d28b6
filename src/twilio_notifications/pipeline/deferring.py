"""What a deferral means for its request, and for everything else: a step of the journal, and a new pace.

Pure: the dispatcher carries out what is returned. What has to wait is often everything, and then the request
keeps its place in the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import policy
from twilio_notifications.core.model import DeferralScope
from twilio_notifications.core.waits import deferral_seconds
from twilio_notifications.ports import Postpone

if TYPE_CHECKING:
    from twilio_notifications.core.model import Deferred
    from twilio_notifications.ports import Claimed


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The durations of the configuration that the dispatcher goes by, in seconds."""

    backoff_initial: float
    backoff_maximum: float
    settle: float
    credential_wait: float
    credential_probe: float


def postponed(
    request: Claimed, deferred: Deferred, pace: policy.Pace, *, timing: Timing, now: float, jitter: float
) -> tuple[Postpone, policy.Pace]:
    """The step that lets the request wait, and the pace from now on; `jitter` is a share from 0 to 1."""
    until, due_at = _instants(request, deferred, pace, timing=timing, now=now, jitter=jitter)
    if until > now or deferred.scope is DeferralScope.NETWORK:
        sender_number = request.notification.sender_number
        pace = policy.after_deferral(pace, deferred, now=now, until=until, sender_number=sender_number)
    step = Postpone(
        id=request.id,
        at=now,
        due_at=min(due_at, request.expires_at),
        reason=deferred.reason,
        message=deferred.message,
        code=deferred.code,
    )
    return step, pace


def _instants(
    request: Claimed, deferred: Deferred, pace: policy.Pace, *, timing: Timing, now: float, jitter: float
) -> tuple[float, float]:
    """Until when everything (of its scope) waits, and when the request itself is due."""

    def pause(count: int) -> float:
        return deferral_seconds(
            deferred,
            count=count,
            initial=timing.backoff_initial,
            maximum=timing.backoff_maximum,
            jitter=jitter,
        )

    match deferred.scope:
        case DeferralScope.NETWORK:
            return now, request.due_at
        case DeferralScope.CREDENTIALS:
            # It waits itself: where others are accepted, it would be made again with each of them.
            until = now + timing.credential_probe
            return until, until
        case DeferralScope.ADDRESS:
            # It waits longer itself: where a proxy turns this request away alone, others must get through.
            return now + pause(policy.setback(pace, now=now)), now + pause(request.deferrals + 1)
        case DeferralScope.ACCOUNT:
            until = now + pause(policy.setback(pace, now=now))
            return until, until
        case DeferralScope.SENDER:
            until = now + pause(request.deferrals + 1)
            return until, until
        case _:
            assert_never(deferred.scope)
