"""What an answer of Twilio's means: the step of its request, and the pace of all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import answers, policy, settlement, waits
from twilio_notifications.core.model import Accepted, DeferralScope, Deferred, InDoubt, Refused
from twilio_notifications.core.pace import sender_of
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Postpone, Stall

if TYPE_CHECKING:
    from twilio_notifications.core.conclusions.statuses import StatusWriter
    from twilio_notifications.core.conclusions.timing import Timing
    from twilio_notifications.core.model import Answer, Outcome
    from twilio_notifications.core.steps import Claimed, Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What follows from an answer."""

    outcome: Outcome
    step: Step
    pace: policy.Pace
    """The pace from now on."""


def conclude(  # noqa: PLR0913 - everything that the conclusion rests on
    request: Claimed,
    answer: Answer,
    pace: policy.Pace,
    *,
    statuses: StatusWriter,
    timing: Timing,
    now: float,
    jitter: float,
) -> Conclusion:
    """The step of the request and the new pace; `jitter` is a share from 0 to 1."""
    outcome = answers.classify(answer, notification=request.notification)
    match outcome:
        case Accepted():
            step: Step = statuses.accepted(request, outcome, at=now)
            pace = policy.after_answer(pace)
        case Refused(reason=reason, message=message, code=code):
            step = statuses.failed(
                request, reason, message, at=now, outcome=AttemptOutcome.REFUSED, counted=True, code=code
            )
            pace = policy.after_answer(pace)
        case Deferred():
            step, pace = _postpone(request, outcome, pace, timing=timing, now=now, jitter=jitter)
        case InDoubt(message=message):
            look = settlement.first_look(doubt_at=now, settle_seconds=timing.settle)
            step = Doubt(id=request.id, at=now, settle_at=look, message=message, attempt=request.attempt)
        case _:
            assert_never(outcome)
    return Conclusion(outcome=outcome, step=step, pace=pace)


def _postpone(
    request: Claimed, deferred: Deferred, pace: policy.Pace, *, timing: Timing, now: float, jitter: float
) -> tuple[Postpone, policy.Pace]:
    until, due_at = _instants(request, deferred, pace, timing=timing, now=now, jitter=jitter)
    stall: Stall | None = None
    if until > now or deferred.scope is DeferralScope.NETWORK:
        sender = sender_of(request.notification)
        pace = policy.after_deferral(pace, deferred, now=now, until=until, sender=sender)
        if deferred.scope is DeferralScope.SENDER:
            stall = Stall(sender_number=sender.number, channel=sender.channel, until=pace.senders[sender])
    step = Postpone(
        id=request.id,
        at=now,
        due_at=min(due_at, request.expires_at),
        reason=deferred.reason,
        message=deferred.message,
        code=deferred.code,
        outcome=AttemptOutcome.DEFERRED,
        stall=stall,
        attempt=request.attempt,
    )
    return step, pace


def _instants(
    request: Claimed, deferred: Deferred, pace: policy.Pace, *, timing: Timing, now: float, jitter: float
) -> tuple[float, float]:
    """Until when everything of the scope waits, and when the request itself is due."""

    def pause(count: int) -> float:
        return waits.deferral_seconds(
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
