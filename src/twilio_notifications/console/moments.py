"""The time line of a request in words: each moment becomes a line with its colour. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.core.wording import counted
from twilio_notifications.ports.journal.timeline import (
    AnsweredLate,
    Arrived,
    AttemptClosed,
    AttemptOpened,
    DeliveryMoved,
    DoubtArose,
    EscalationBegan,
    EscalationOver,
    EscalationStepTaken,
    OrderCarriedOut,
    OrderPlaced,
    PauseLasted,
    PersonNotified,
    ReplyCame,
    StatusLeft,
    StatusWritten,
    Waited,
)

if TYPE_CHECKING:
    from twilio_notifications.core.errors import WaitReason
    from twilio_notifications.ports.journal.timeline import Moment


class Tone(StrEnum):
    """How a line stands out."""

    ROUTINE = "routine"
    GOOD = "good"
    WAIT = "wait"
    BAD = "bad"
    PERSON = "person"
    """A person did it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineLine:
    """One moment as a page shows it."""

    at: float
    tone: Tone
    title: str
    details: tuple[str, ...] = ()
    ends_at: float | None = None
    """When a wait ended, or is to end; None: it is no wait, or its end is not known."""
    lasts: bool = False
    """Whether `ends_at` lies ahead."""
    request: int | None = None
    """Another request that it is about."""


def line_of(moment: Moment) -> TimelineLine:  # noqa: C901, PLR0912 - a case for each kind of moment
    """The line for a moment."""
    match moment:
        case Arrived():
            return _arrived(moment)
        case Waited():
            return _waited(moment, _waits_for(moment.reason), behind=moment.behind)
        case PauseLasted():
            return _waited(moment, f"Paused: {_waits_for(moment.reason)}", behind=None)
        case AttemptOpened():
            title = f"Attempt {moment.attempt}: Twilio was asked"
            return TimelineLine(at=moment.at, tone=Tone.ROUTINE, title=title)
        case DoubtArose():
            title = f"Attempt {moment.attempt} is in doubt: Twilio gave no answer"
            return TimelineLine(at=moment.at, tone=Tone.WAIT, title=title, details=(moment.message,))
        case AttemptClosed():
            return _attempt_closed(moment)
        case AnsweredLate():
            title = f"Attempt {moment.attempt}: Twilio's answer came after its lease had ended"
            code = None if moment.code is None else f"Twilio's code {moment.code}"
            return TimelineLine(
                at=moment.at, tone=Tone.ROUTINE, title=title, details=_said(moment.outcome, code, moment.sid)
            )
        case StatusWritten():
            return _status_written(moment)
        case StatusLeft():
            kind = "follow-up status" if moment.follow_up else "status"
            return TimelineLine(at=moment.at, tone=Tone.ROUTINE, title=f"The broker has the {kind}")
        case DeliveryMoved():
            return _delivery_moved(moment)
        case EscalationBegan():
            title = f"Escalation {moment.escalation} began"
            return TimelineLine(at=moment.at, tone=Tone.ROUTINE, title=title)
        case EscalationStepTaken():
            made = counted(moment.requests, "request") if moment.requests else "nothing to say"
            title = f"Escalation, step {moment.step}: {made}"
            return TimelineLine(at=moment.at, tone=Tone.WAIT, title=title)
        case PersonNotified():
            title = f"{moment.name} ({moment.phone_number}) was notified: {moment.became}"
            return TimelineLine(at=moment.at, tone=Tone.ROUTINE, title=title, request=moment.request)
        case ReplyCame():
            title = f"A reply came from {moment.phone_number}: {moment.meaning}"
            return TimelineLine(at=moment.at, tone=Tone.PERSON, title=title, details=(moment.sid,))
        case EscalationOver():
            return _escalation_over(moment)
        case OrderPlaced():
            title = f"{moment.by} ordered: {moment.name}"
            more = ", ".join(f"{name}: {value}" for name, value in moment.parameters.items())
            details = _said(f"by {moment.door}", more)
            return TimelineLine(at=moment.at, tone=Tone.PERSON, title=title, details=details)
        case OrderCarriedOut(refusal=None):
            title, details = f"The order was carried out: {moment.name}", _said(moment.result)
            return TimelineLine(
                at=moment.at, tone=Tone.PERSON, title=title, details=details, request=moment.made
            )
        case OrderCarriedOut():
            title = f"The order was refused: {moment.name}"
            return TimelineLine(at=moment.at, tone=Tone.BAD, title=title, details=_said(moment.refusal))
        case _:
            assert_never(moment)


def _arrived(moment: Arrived) -> TimelineLine:
    side = "" if moment.origin is None else f" from {moment.origin}"
    title, request = f"The request arrived{side}", None
    if moment.resent_from is not None:
        title, request = f"Sent again from request {moment.resent_from}", moment.resent_from
    elif moment.chain is not None:
        title, request = f"Made by the escalation of request {moment.chain}", moment.chain
    return TimelineLine(at=moment.at, tone=Tone.ROUTINE, title=title, request=request)


def _waits_for(reason: WaitReason | None) -> str:
    return "waits for a free place" if reason is None else f"waits for {WAITS_FOR[reason]}"


def _waited(moment: Waited | PauseLasted, title: str, *, behind: int | None) -> TimelineLine:
    lasts = moment.ended_at is None
    return TimelineLine(
        at=moment.at,
        tone=Tone.WAIT if lasts else Tone.ROUTINE,
        title=title[0].upper() + title[1:],
        details=_said(moment.message),
        ends_at=moment.until if lasts else moment.ended_at,
        lasts=lasts,
        request=behind,
    )


def _attempt_closed(moment: AttemptClosed) -> TimelineLine:
    words = {
        AttemptOutcome.ACCEPTED: (Tone.GOOD, "Twilio accepted it"),
        AttemptOutcome.REFUSED: (Tone.BAD, "Twilio refused it"),
        AttemptOutcome.DEFERRED: (Tone.WAIT, "Twilio wants it later"),
        AttemptOutcome.FAILED: (Tone.BAD, "it failed"),
        AttemptOutcome.UNSENT: (Tone.WAIT, "it did not reach Twilio"),
        AttemptOutcome.IN_DOUBT: (Tone.WAIT, "its end is not known"),
    }
    tone, said = words[moment.outcome]
    code = None if moment.code is None else f"Twilio's code {moment.code}"
    details = _said(moment.reason, moment.message, code, moment.sid)
    return TimelineLine(at=moment.at, tone=tone, title=f"Attempt {moment.attempt}: {said}", details=details)


def _status_written(moment: StatusWritten) -> TimelineLine:
    kind = "follow-up status" if moment.follow_up else "status"
    result = "success" if moment.reason is None else moment.reason
    tone = Tone.GOOD if moment.reason is None else Tone.BAD
    details = _said(moment.message, moment.remark)
    return TimelineLine(at=moment.at, tone=tone, title=f"The {kind} was written: {result}", details=details)


_BAD_WORDS = frozenset({"undelivered", "failed", "canceled", "busy", "no-answer"})
_GOOD_WORDS = frozenset({"delivered", "read", "completed"})
_NOT_REACHED = frozenset({"machine", "busy", "no-answer", "failed", "canceled", "voice-document-failed"})
"""Results of calls that no person has heard."""


def _delivery_moved(moment: DeliveryMoved) -> TimelineLine:
    is_bad = moment.word in _BAD_WORDS or moment.result in _NOT_REACHED or moment.code is not None
    is_good = moment.word in _GOOD_WORDS
    tone = Tone.BAD if is_bad else Tone.GOOD if is_good else Tone.ROUTINE
    reached = "" if moment.result is None else f", reached: {moment.result}"
    code = None if moment.code is None else f"Twilio's code {moment.code}"
    details = _said(moment.meaning or code, f"learned from {moment.source}")
    return TimelineLine(at=moment.at, tone=tone, title=f"Delivery: {moment.word}{reached}", details=details)


def _escalation_over(moment: EscalationOver) -> TimelineLine:
    if moment.ending != "acknowledged":
        tone = Tone.BAD if moment.ending == "unacknowledged" else Tone.ROUTINE
        return TimelineLine(at=moment.at, tone=tone, title=f"The escalation ended: {moment.ending}")
    title = f"{moment.by} has acknowledged" if moment.by else "Acknowledged"
    details = _said(None if moment.door is None else f"by {moment.door}")
    return TimelineLine(at=moment.at, tone=Tone.PERSON, title=title, details=details)


def _said(*sentences: str | None) -> tuple[str, ...]:
    return tuple(sentence for sentence in sentences if sentence)
