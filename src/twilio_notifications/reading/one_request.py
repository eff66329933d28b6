"""One request as lines: what it is, how it stands, and what happened to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.core.wording import counted
from twilio_notifications.reading import lines
from twilio_notifications.reading.story import story

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.ports.journal.reader import Entry, Particulars, Timeline
    from twilio_notifications.reading.times import Calendar

WIDEST_VALUE: Final = 2_000
"""Characters of one value: the longest valid id has 1,024, Twilio's sentences are shorter."""

_NAME_COLUMNS: Final = 12


def lines_of(timeline: Timeline, *, calendar: Calendar, now: float) -> list[str]:
    """All that the journal knows of one request, then its time line, the oldest moment first."""
    facts = (*_identity(timeline, calendar), *_standing(timeline.entry, calendar, now=now))
    return [
        *(f"{name:<{_NAME_COLUMNS}}  {_short(text)}" for name, text in facts if text),
        "",
        f"TIME ({calendar.name})",
        *_story(timeline, calendar),
    ]


def _identity(timeline: Timeline, calendar: Calendar) -> Iterator[tuple[str, str]]:
    entry, more = timeline.entry, timeline.particulars
    yield "number", str(entry.number)
    yield "id", str(entry.id)
    yield "channel", entry.channel
    if entry.phone_number is not None:
        contact = f" (contact {entry.contact})" if entry.contact else ""
        yield "to", f"{entry.name} at {entry.phone_number}{contact}"
        yield "from", entry.sender_number or more.messaging_service_sid or ""
        yield "content", _content(more)
        yield "about", more.about or ""
        yield "priority", f"{entry.priority}, {counted(more.retries, 'retry', 'retries')}"
    yield "response", f"also on {more.response_topic}" if more.response_topic else ""
    yield "trace", more.traceparent or ""
    yield "accepted", calendar.whole(entry.accepted_at)
    if entry.expires_at is not None and entry.finished_at is None:
        yield "expires", calendar.whole(entry.expires_at)
    if entry.resent_from is not None:
        yield "sent again", f"as which request {entry.resent_from} is sent again"
    if entry.chain is not None:
        yield "step of", f"the escalation of request {entry.chain}"


def _content(more: Particulars) -> str:
    kind = (more.kind or "").replace("_", " ")
    length = counted(more.characters, "character")
    pictures = f", {counted(more.media, 'picture')}" if more.media else ""
    spoken = ", ".join(part for part in (more.language, more.voice) if part)
    shown = f": {more.content}" if more.content else " (--reveal shows it)"
    addresses = "".join(f" {url}" for url in more.media_urls)
    return f"{kind} of {length}{pictures}{f' in {spoken}' if spoken else ''}{shown}{addresses}"


def _standing(entry: Entry, calendar: Calendar, *, now: float) -> Iterator[tuple[str, str]]:
    yield "state", entry.state
    if entry.waits is not None:
        waits = entry.waits
        yield "waits", lines.wait(waits, attempts=entry.attempts, calendar=calendar, now=now)
        if waits.reason is not None:
            yield "for", waits.message or WAITS_FOR[waits.reason]
    elif entry.finished_at is not None:
        yield "status", "success" if entry.reason is None else f"{entry.reason}: {entry.message or ''}"
    yield "attempts", str(entry.attempts)
    yield "sid", entry.sid or ""
    if entry.delivery is not None:
        delivery = entry.delivery
        look = "" if delivery.look_at is None else f", next look {calendar.whole(delivery.look_at)}"
        yield "delivery", f"{delivery.state} since {calendar.whole(delivery.at)}{look}"
        if delivery.code is not None:
            yield "", sentence(delivery.code)
    yield "escalation", lines.escalation(entry).removeprefix("escalation ")
    yield "remark", entry.remark or ""


def _story(timeline: Timeline, calendar: Calendar) -> Iterator[str]:
    for moment in timeline.moments:
        first, *others = story(moment, calendar=calendar)
        yield f"{calendar.day_and_time(moment.at)}  {_short(first)}"
        for other in others:
            yield f"{'':<19}    {_short(other)}"


def _short(text: str) -> str:
    return text if len(text) <= WIDEST_VALUE else f"{text[:WIDEST_VALUE]}… ({len(text)} characters)"
