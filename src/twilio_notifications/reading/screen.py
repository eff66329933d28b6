"""How the connector and its journal stand, on one screen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.wording import counted
from twilio_notifications.reading.times import duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.ports.journal.facts import Fact
    from twilio_notifications.ports.journal.reader import JournalStanding, Presence
    from twilio_notifications.reading.times import Calendar

_NAME_COLUMNS: Final = 12


def screen(standing: JournalStanding, *, calendar: Calendar, now: float) -> list[str]:
    """A line for each fact, the connector first."""
    facts = (*_connector(standing, calendar), *_requests(standing, calendar, now=now))
    return [f"{name:<{_NAME_COLUMNS}}  {text}" for name, text in facts]


def _connector(standing: JournalStanding, calendar: Calendar) -> Iterator[tuple[str, str]]:
    yield "connector", _presence(standing.connector, calendar)
    for place, member in enumerate(standing.members):
        leads = ", leads" if member.leads else ""
        attempts = counted(member.share, "attempt")
        yield "" if place else "members", f"{member.name}{leads}, {attempts} at once"
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


def _requests(standing: JournalStanding, calendar: Calendar, *, now: float) -> Iterator[tuple[str, str]]:
    total, oldest = sum(standing.waiting.values()), standing.oldest_waiting_at
    age = "" if oldest is None else f", the oldest for {duration(now - oldest)}"
    yield "waiting", f"{counted(total, 'request')}{age}"
    for reason, number in sorted(standing.waiting.items(), key=lambda each: -each[1]):
        words = "a free place" if reason is None else f"{reason}: {WAITS_FOR[reason]}"
        yield "", f"  {number} for {words}"
    unknown = f"; {standing.unknown} for a person to resolve" if standing.unknown else ""
    yield "in doubt", f"{counted(standing.in_doubt, 'request')}{unknown}"
    unreported = counted(standing.unreported, "request")
    yield "unreported", f"{unreported} with a status that the broker has not acknowledged yet"
    if standing.unacknowledged:
        yield "escalations", f"{counted(standing.unacknowledged, 'escalation')} waiting for a person"
    for place, used in enumerate(standing.limits):
        text = f"{used.used} of {used.most} {used.unit} in this {used.period}"
        yield "" if place else "limits", f"{text}, until {calendar.whole(used.ends_at)}"
    yield "last success", _when(standing.last_success_at, calendar)
    yield "last failure", _when(standing.last_failure_at, calendar)


def _when(at: float | None, calendar: Calendar) -> str:
    return "none in the journal" if at is None else calendar.whole(at)
