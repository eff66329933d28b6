"""What a look into Twilio's records means for an attempt in doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import settlement, waits
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Accepted
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Postpone

if TYPE_CHECKING:
    from twilio_notifications.core.conclusions.statuses import StatusWriter
    from twilio_notifications.core.conclusions.timing import Timing
    from twilio_notifications.core.model import Unreadable
    from twilio_notifications.core.settlement import Settlement
    from twilio_notifications.core.steps import Doubtful, Finish, Step


def conclude_settlement(
    doubtful: Doubtful,
    settled: Settlement,
    *,
    statuses: StatusWriter,
    timing: Timing,
    now: float,
    jitter: float,
) -> Step:
    """The step that follows from records that could be read; `jitter` is a share from 0 to 1."""
    request = doubtful.request
    match settled:
        case settlement.Found(record=record):
            accepted = Accepted(
                sid=record.sid,
                message_status=record.message_status,
                sender_number=record.sender_number or request.notification.sender,
                phone_number=record.phone_number or request.notification.recipient.phone_number,
            )
            return statuses.accepted(request, accepted, at=now)
        case settlement.Absent():
            return _absent(doubtful, statuses=statuses, timing=timing, now=now, jitter=jitter)
        case settlement.LookAgain(at=at):
            return _look_again(doubtful, now=now, at=max(at, now))
        case settlement.Undecidable(message=message):
            return _give_to_a_person(doubtful, message, statuses=statuses, now=now)
        case _:
            assert_never(settled)


def conclude_unreadable(
    doubtful: Doubtful,
    unreadable: Unreadable,
    *,
    statuses: StatusWriter,
    timing: Timing,
    since: float,
    now: float,
) -> Step:
    """Looks again for as long as the request may live, and for a settling time even if it is over.

    `since`: from when on this run has found its records unreadable.
    """
    request = doubtful.request
    # The lifetime may have ended while the connector was away or the machine slept, and the network comes up
    # after it.
    end = max(request.expires_at, since + timing.settle)
    if now >= end:
        message = f"Twilio's records cannot be read: {unreadable.detail}"
        return _give_to_a_person(doubtful, message, statuses=statuses, now=now)
    at = settlement.next_look(now=now, doubt_at=doubtful.doubt_at, settle_seconds=timing.settle)
    at = max(at, now + (unreadable.retry_after or 0.0))
    return _look_again(doubtful, now=now, at=min(at, end))


def _look_again(doubtful: Doubtful, *, now: float, at: float) -> Doubt:
    request = doubtful.request
    return Doubt(id=request.id, at=now, settle_at=at, message=doubtful.message, attempt=request.attempt)


def _absent(doubtful: Doubtful, *, statuses: StatusWriter, timing: Timing, now: float, jitter: float) -> Step:
    """The attempt failed and `retries` decide; an attempt that the connector's end cut off costs nothing."""
    request, outcome = doubtful.request, AttemptOutcome.FAILED
    message = f"{doubtful.message}; Twilio's records show that nothing was sent"
    reason = Reason.TWILIO_UNAVAILABLE
    if not doubtful.cut_off and request.attempts >= request.notification.retries:
        return statuses.failed(request, reason, message, at=now, outcome=outcome, counted=True)
    pause = 0.0
    if not doubtful.cut_off:
        pause = waits.backoff_seconds(
            count=request.attempts + 1,
            initial=timing.backoff_initial,
            maximum=timing.backoff_maximum,
            jitter=jitter,
        )
    return Postpone(
        id=request.id,
        at=now,
        due_at=min(now + pause, request.expires_at),
        reason=WaitReason.RETRY,
        message=message,
        outcome=outcome,
        counted=not doubtful.cut_off,
        attempt=request.attempt,
    )


def _give_to_a_person(doubtful: Doubtful, message: str, *, statuses: StatusWriter, now: float) -> Finish:
    command = f"twilio-notifications journal resolve {doubtful.request.id}"
    sentence = (
        f"{doubtful.message}; it may or may not have been sent, and is not sent again. {message}. "
        f"Look for it in Twilio's console, then settle it with: {command} --sent or {command} --not-sent"
    )
    return statuses.failed(
        doubtful.request,
        Reason.OUTCOME_UNKNOWN,
        sentence,
        at=now,
        outcome=AttemptOutcome.IN_DOUBT,
        counted=True,
    )
