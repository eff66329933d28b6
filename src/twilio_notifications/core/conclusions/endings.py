"""How a request ends or waits without an answer: by a verdict of the policy, or by a defect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.core import policy
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Rejection
from twilio_notifications.core.steps import AttemptOutcome, Finish, Postpone

if TYPE_CHECKING:
    from twilio_notifications.core.conclusions.statuses import StatusWriter
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.steps import Claimed, Step

NOT_SENT: Final = "The connector failed on this request, and nothing was sent. Its log has the details"
PERHAPS_SENT: Final = (
    "The connector failed on this request. It may or may not have been sent, and is not sent again: "
    "look into Twilio's console. The connector's log has the details"
)
STOOD_STILL: Final = "the connector stood still between opening the attempt and making it; nothing was sent"
UNREADABLE: Final = (
    "The connector cannot read this request in its journal any more. What was sent before is not known; "
    "nothing more is sent. Its log has the details"
)


def turn_away(
    request: Claimed, verdict: policy.Defer | policy.Decline, *, statuses: StatusWriter, now: float
) -> Step:
    """The step of a request that is not attempted now; no attempt is open."""
    match verdict:
        case policy.Defer(until=until, reason=reason, message=message):
            return Postpone(id=request.id, at=now, due_at=until, reason=reason, message=message, outcome=None)
        case policy.Decline(reason=reason, message=message):
            return statuses.failed(request, reason, message, at=now, outcome=None, counted=False)
        case _:
            assert_never(verdict)


def miss(request: Claimed, verdict: policy.Decline, *, statuses: StatusWriter, now: float) -> Finish:
    """The end of a request whose attempt is open and is not made: its lifetime has ended meanwhile."""
    return statuses.failed(
        request, verdict.reason, verdict.message, at=now, outcome=AttemptOutcome.UNSENT, counted=False
    )


def put_back(request: Claimed, *, now: float) -> Postpone:
    """The step of a request whose attempt is open and is not made: the connector's lease may have ended."""
    return Postpone(
        id=request.id,
        at=now,
        due_at=now,
        reason=WaitReason.RETRY,
        message=STOOD_STILL,
        outcome=AttemptOutcome.UNSENT,
        attempt=request.attempt,
    )


def end_with_defect(
    request: Claimed, sentence: str, *, outcome: AttemptOutcome | None, statuses: StatusWriter, now: float
) -> Finish:
    """The end of a request on which the connector fails; `outcome` is that of its open attempt."""
    return statuses.failed(request, Reason.INTERNAL_ERROR, sentence, at=now, outcome=outcome, counted=False)


def end_broken(
    id_: int, request_id: str | float, channel: Channel, *, statuses: StatusWriter, now: float
) -> Finish:
    """The end of a request whose row cannot be read; what became of an open attempt is not known."""
    rejection = Rejection(request_id=request_id, message=UNREADABLE)
    return Finish(
        id=id_,
        at=now,
        status=statuses.rejected(rejection, Reason.INTERNAL_ERROR, channel=channel, at=now),
        reason=Reason.INTERNAL_ERROR,
        message=UNREADABLE,
        outcome=AttemptOutcome.IN_DOUBT,
        counted=False,
    )
