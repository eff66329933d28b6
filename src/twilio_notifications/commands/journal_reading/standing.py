"""`status`: how the connector and its journal stand, on one screen."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from twilio_notifications import terminal
from twilio_notifications.adapters.sqlite.reading.reader import SqliteReader
from twilio_notifications.commands.journal_reading import forms
from twilio_notifications.commands.journal_reading.display import Form
from twilio_notifications.commands.journal_reading.times import duration
from twilio_notifications.config import load_journal
from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from twilio_notifications.commands.journal_reading.display import Display
    from twilio_notifications.commands.journal_reading.times import Calendar
    from twilio_notifications.ports.journal.facts import Fact
    from twilio_notifications.ports.journal.reader import Presence, Standing

_NAME_COLUMNS: Final = 12


def status(config: Path | None, *, display: Display, environ: Mapping[str, str]) -> int:
    """Prints how connector and journal stand; returns 0."""
    settings, now, calendar = load_journal(config, environ), time.time(), display.calendar
    standing = SqliteReader(settings.journal.path).standing(now=now, limits=settings.limits)
    if display.form is Form.JSON:
        terminal.say(forms.line(forms.standing_object(standing, now=now)))
        return 0
    width = terminal.columns()
    for name, text in (*_connector(standing, calendar), *_requests(standing, calendar, now=now)):
        terminal.say(terminal.fitted(terminal.printable(f"{name:<{_NAME_COLUMNS}}  {text}"), width))
    return 0


def _connector(standing: Standing, calendar: Calendar) -> Iterator[tuple[str, str]]:
    yield "connector", _presence(standing.connector, calendar)
    yield from _fact("connection", standing.connection, calendar)
    yield from _fact("credentials", standing.credentials, calendar)
    for place, pause in enumerate(standing.paused):
        about = f" ({pause.about})" if pause.about else ""
        until = "its end is not known" if pause.until is None else f"until {calendar.whole(pause.until)}"
        yield "paused" if not place else "", f"{pause.reason}{about}, {until}"
        yield "", f"  {pause.message}"
    if not standing.paused:
        yield "paused", "no"


def _presence(connector: Presence, calendar: Calendar) -> str:
    version = f", version {connector.version}" if connector.version else ""
    if connector.running:
        since = f" since {calendar.whole(connector.started_at)}" if connector.started_at else ""
        return f"running{since}{version}"
    if connector.ended_at is not None:
        return f"not running: it ended {calendar.whole(connector.ended_at)}{version}"
    if connector.seen_at is not None:
        return f"not running: it did not end in order, seen last {calendar.whole(connector.seen_at)}{version}"
    return "not running, and none has run on this journal since it has its present form"


def _fact(name: str, fact: Fact | None, calendar: Calendar) -> Iterator[tuple[str, str]]:
    if fact is None:
        yield name, "not known"
        return
    about = f", {fact.about}" if fact.about else ""
    yield name, f"{fact.word} since {calendar.whole(fact.since)}{about}"
    if fact.detail:
        yield "", f"  {fact.detail}"


def _requests(standing: Standing, calendar: Calendar, *, now: float) -> Iterator[tuple[str, str]]:
    total, oldest = sum(standing.waiting.values()), standing.oldest_waiting_at
    age = "" if oldest is None else f", the oldest for {duration(now - oldest)}"
    yield "waiting", f"{counted(total, 'request')}{age}"
    for reason, number in sorted(standing.waiting.items(), key=lambda each: -each[1]):
        words = "a free place" if reason is None else f"{reason}: {WAITS_FOR[reason]}"
        yield "", f"  {number} for {words}"
    yield "in doubt", _doubts(standing)
    unreported = counted(standing.unreported, "request")
    yield "unreported", f"{unreported} with a status that the broker has not acknowledged yet"
    if standing.unacknowledged:
        yield "escalations", f"{counted(standing.unacknowledged, 'escalation')} waiting for a person"
    for place, used in enumerate(standing.limits):
        text = f"{used.used} of {used.most} {used.unit} in this {used.period}"
        yield "" if place else "limits", f"{text}, until {calendar.whole(used.ends_at)}"
    yield "last success", _when(standing.last_success_at, calendar)
    yield "last failure", _when(standing.last_failure_at, calendar)


def _doubts(standing: Standing) -> str:
    unknown = f"; {standing.unknown} for a person to resolve" if standing.unknown else ""
    return f"{counted(standing.in_doubt, 'request')}{unknown}"


def _when(at: float | None, calendar: Calendar) -> str:
    return "none in the journal" if at is None else calendar.whole(at)
