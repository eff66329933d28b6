"""A moment of a time line → sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.core.wording import counted
from twilio_notifications.ports.journal import timeline as moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.reading.times import Calendar


def story(moment: moments.Moment, *, calendar: Calendar) -> Iterator[str]:
    """What happened, in a sentence; then what else is known of it, a line each."""
    match moment:
        case moments.Arrived():
            yield _arrived(moment)
        case moments.Waited() | moments.PauseLasted():
            yield from _lasted(moment, calendar)
        case (
            moments.AttemptOpened() | moments.DoubtArose() | moments.AttemptClosed() | moments.AnsweredLate()
        ):
            yield from _attempt(moment, calendar)
        case moments.StatusWritten() | moments.StatusLeft():
            yield from _status(moment)
        case moments.DeliveryMoved():
            yield from _delivery(moment)
        case moments.OrderPlaced() | moments.OrderCarriedOut():
            yield _order(moment)
        case _:
            yield _chain(moment)


def _arrived(moment: moments.Arrived) -> str:
    if moment.resent_from is not None:
        return f"recorded: a person sends request {moment.resent_from} again"
    if moment.chain is not None:
        return f"recorded: a step of the escalation of request {moment.chain}"
    return "received and recorded" + (f", from {moment.origin}" if moment.origin else "")


def _lasted(moment: moments.Waited | moments.PauseLasted, calendar: Calendar) -> Iterator[str]:
    is_pause = isinstance(moment, moments.PauseLasted)
    verb = "pause" if is_pause else "waits" if moment.ended_at is None else "waited"
    reason = "for a free place" if moment.reason is None else f"{moment.reason} ({WAITS_FOR[moment.reason]})"
    until = f", until {calendar.whole(moment.until)}" if moment.until else ""
    ended = f", ended {calendar.whole(moment.ended_at)}" if moment.ended_at else ""
    yield f"{verb}: {reason}{until}{ended}"
    if moment.message:
        yield moment.message
    if isinstance(moment, moments.Waited) and moment.behind is not None:
        yield f"behind request {moment.behind}"


def _attempt(
    moment: moments.AttemptOpened | moments.DoubtArose | moments.AttemptClosed | moments.AnsweredLate,
    calendar: Calendar,
) -> Iterator[str]:
    match moment:
        case moments.AttemptOpened():
            yield f"attempt {moment.attempt} begins"
        case moments.DoubtArose():
            yield f"attempt {moment.attempt} is in doubt: {moment.message}"
            yield f"Twilio's records are looked up at {calendar.whole(moment.look_at)}"
        case moments.AttemptClosed():
            parts = [str(part) for part in (moment.outcome, moment.reason, moment.sid) if part]
            yield f"attempt {moment.attempt}: {', '.join(parts)}"
            if moment.message:
                yield moment.message
            if moment.code is not None:
                yield sentence(moment.code)
        case moments.AnsweredLate():
            parts = [str(part) for part in (moment.outcome, moment.sid) if part]
            yield f"attempt {moment.attempt}, answered after its lease had ended: {', '.join(parts)}"
            if moment.code is not None:
                yield sentence(moment.code)
        case _:
            assert_never(moment)


def _status(moment: moments.StatusWritten | moments.StatusLeft) -> Iterator[str]:
    kind = "follow-up" if moment.follow_up else "status"
    if isinstance(moment, moments.StatusLeft):
        yield f"{kind} acknowledged by the broker"
        return
    yield f"{kind} written: {'success' if moment.reason is None else moment.reason}"
    yield from (text for text in (moment.message, moment.remark) if text)


def _delivery(moment: moments.DeliveryMoved) -> Iterator[str]:
    result = f", {moment.result}" if moment.result else ""
    yield f"delivery {moment.happening}: {moment.word}{result} ({moment.source})"
    if moment.meaning:
        yield moment.meaning


def _order(moment: moments.OrderPlaced | moments.OrderCarriedOut) -> str:
    if isinstance(moment, moments.OrderPlaced):
        parameters = "".join(f" {name}={value}" for name, value in moment.parameters.items())
        return f"order {moment.order}: {moment.name}{parameters}, by {moment.by} ({moment.door})"
    if moment.refusal is not None:
        return f"order {moment.order} refused: {moment.refusal}"
    return f"order {moment.order} carried out: {moment.result or moment.name}"


def _chain(
    moment: moments.EscalationBegan
    | moments.EscalationStepTaken
    | moments.PersonNotified
    | moments.ReplyCame
    | moments.EscalationOver,
) -> str:
    match moment:
        case moments.EscalationBegan():
            return f"escalation {moment.escalation} begins"
        case moments.EscalationStepTaken():
            return f"escalation step {moment.step}: {counted(moment.requests, 'request')}"
        case moments.PersonNotified():
            who = f"{moment.name} at {moment.phone_number}"
            return f"escalation notifies {who}: {moment.channel}, request {moment.request}, {moment.became}"
        case moments.ReplyCame():
            return f"reply from {moment.phone_number}: {moment.meaning} ({moment.sid})"
        case moments.EscalationOver():
            by = f" by {moment.by}" if moment.by else ""
            return f"escalation {moment.ending}{by}" + (f" ({moment.door})" if moment.door else "")
        case _:
            assert_never(moment)
