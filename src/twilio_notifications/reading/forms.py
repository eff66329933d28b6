"""What is read of a journal → objects of JSON, and rows of CSV. Instants are in UTC."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from twilio_notifications.reading.times import precise

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from twilio_notifications.ports.journal.facts import Fact
    from twilio_notifications.ports.journal.reader import Entry, Hour, JournalStanding, Timeline
    from twilio_notifications.ports.journal.timeline import Moment

_INNER_CAPITAL: Final = re.compile(r"(?<!^)(?=[A-Z])")

_INSTANTS: Final = frozenset({"at", "until", "ended_at", "look_at"})
"""The fields of moments that are instants."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet takes a cell that begins with one of these for a formula."""


def line(found: Mapping[str, Any]) -> str:
    """The object on one line."""
    return json.dumps(found, ensure_ascii=False)


def entry_object(entry: Entry) -> dict[str, Any]:
    """A request as `journal list --json` prints it."""
    waits, delivery, escalation = entry.waits, entry.delivery, entry.escalation
    return {
        "number": entry.number,
        "id": entry.id,
        "channel": entry.channel,
        "state": entry.state,
        "name": entry.name,
        "to": entry.phone_number,
        "from": entry.sender_number,
        "contact": entry.contact,
        "priority": entry.priority,
        "accepted_at": precise(entry.accepted_at),
        "expires_at": _instant(entry.expires_at),
        "due_at": _instant(entry.due_at),
        "waiting": None
        if waits is None
        else {
            "reason": waits.reason,
            "until": _instant(waits.until),
            "behind": waits.behind,
            "message": waits.message,
        },
        "attempts": entry.attempts,
        "finished_at": _instant(entry.finished_at),
        "reason": entry.reason,
        "message": entry.message,
        "sid": entry.sid,
        "remark": entry.remark,
        "delivery": None
        if delivery is None
        else {"state": delivery.state, "code": delivery.code, "at": precise(delivery.at)},
        "escalation": None if escalation is None else escalation.escalation,
        "escalation_ending": None if escalation is None else escalation.ending,
        "acknowledged_by": None if escalation is None else escalation.by,
        "chain": entry.chain,
        "resent_from": entry.resent_from,
    }


def timeline_object(timeline: Timeline) -> dict[str, Any]:
    """A request with all that happened to it, as `journal show --json` prints it."""
    return {
        **entry_object(timeline.entry),
        "request": asdict(timeline.particulars),
        "timeline": [moment_object(moment) for moment in timeline.moments],
    }


def moment_object(moment: Moment) -> dict[str, Any]:
    """One moment of a time line; what is None is left out."""
    values = {name: value for name, value in asdict(moment).items() if value is not None}
    shown = {name: precise(value) if name in _INSTANTS else value for name, value in values.items()}
    return {"at": shown.pop("at"), "event": event_of(moment), **shown}


def event_of(moment: Moment) -> str:
    """The constant name of what happened: `AttemptOpened` is `attempt_opened`."""
    return _INNER_CAPITAL.sub("_", type(moment).__name__).lower()


def standing_object(standing: JournalStanding, *, now: float) -> dict[str, Any]:
    """How connector and journal stand, as `status --json` prints it."""
    connector, oldest = standing.connector, standing.oldest_waiting_at
    return {
        "connector": {
            "running": connector.running,
            "version": connector.version,
            "started_at": _instant(connector.started_at),
            "seen_at": _instant(connector.seen_at),
            "ended_at": _instant(connector.ended_at),
        },
        "members": [
            {
                "name": member.name,
                "leads": member.leads,
                "attempts_at_once": member.share,
                "since": precise(member.since),
                "beat_at": precise(member.beat_at),
            }
            for member in standing.members
        ],
        "connection": _fact_object(standing.connection, about="to"),
        "credentials": _fact_object(standing.credentials, about=None),
        "paused": [
            {
                "reason": pause.reason,
                "about": pause.about or None,
                "message": pause.message,
                "since": precise(pause.begun_at),
                "until": _instant(pause.until),
            }
            for pause in standing.paused
        ],
        "waiting": {
            "total": sum(standing.waiting.values()),
            "by_reason": {reason or "none": number for reason, number in standing.waiting.items()},
            "oldest_seconds": None if oldest is None else round(max(0.0, now - oldest), 3),
        },
        "in_doubt": standing.in_doubt,
        "unknown": standing.unknown,
        "unreported": standing.unreported,
        "unacknowledged": standing.unacknowledged,
        "limits": [
            {
                "limit": f"{used.unit}_per_{used.period}",
                "used": used.used,
                "most": used.most,
                "ends_at": precise(used.ends_at),
            }
            for used in standing.limits
        ],
        "last_success_at": _instant(standing.last_success_at),
        "last_failure_at": _instant(standing.last_failure_at),
    }


def _fact_object(fact: Fact | None, *, about: str | None) -> dict[str, Any]:
    if fact is None:
        return {"state": "unknown", **({} if about is None else {about: None}), "since": None, "detail": None}
    named = {} if about is None else {about: fact.about or None}
    return {"state": fact.word, **named, "since": precise(fact.since), "detail": fact.detail or None}


def hour_object(hour: Hour) -> dict[str, Any]:
    """What happened within an hour, as `journal stats --json` prints it."""
    return {
        "hour": precise(hour.at),
        "received": hour.received,
        "succeeded": hour.succeeded,
        "failed": sum(hour.failed.values()),
        "by_reason": dict(hour.failed),
    }


CSV_COLUMNS: Final = (
    "number",
    "id",
    "channel",
    "state",
    "name",
    "to",
    "from",
    "contact",
    "priority",
    "accepted_at",
    "expires_at",
    "due_at",
    "waiting_reason",
    "waiting_until",
    "waiting_behind",
    "attempts",
    "finished_at",
    "reason",
    "message",
    "sid",
    "remark",
    "delivery_state",
    "delivery_code",
    "delivery_at",
    "escalation",
    "escalation_ending",
    "acknowledged_by",
    "chain",
    "resent_from",
)


def csv_row(entry: Entry) -> str:
    """The entry in the order of CSV_COLUMNS, without the end of the line."""
    found = entry_object(entry)
    for name in ("waiting", "delivery"):
        found |= {f"{name}_{key}": value for key, value in (found[name] or {}).items()}
    return csv_line([_cell(name, found.get(name)) for name in CSV_COLUMNS])


def csv_line(cells: list[str]) -> str:
    """The cells as RFC 4180 has them, without the end of the line."""
    written = io.StringIO()
    csv.writer(written, lineterminator="").writerow(cells)
    return written.getvalue()


def _cell(name: str, value: object) -> str:
    """Text from outside that a spreadsheet would take for a formula begins with an apostrophe."""
    if value is None:
        return ""
    text = str(value)
    is_number = name in {"to", "from"} and text.removeprefix("+").isdecimal()
    return f"'{text}" if text.startswith(_FORMULA) and not is_number else text


def _instant(at: float | None) -> str | None:
    return None if at is None else precise(at)
