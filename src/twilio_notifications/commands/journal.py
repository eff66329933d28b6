"""`journal`: reads and repairs the journal of the configuration."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.adapters.log import mask
from twilio_notifications.adapters.sqlite.repair import JournalFile
from twilio_notifications.config import StatusDetail, load
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Accepted
from twilio_notifications.pipeline.status import StatusWriter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.adapters.sqlite.repair import AttemptEntry, Entry
    from twilio_notifications.ports import Finish

SENT_STATUS = "sent"
"""The `message_status` of a request of which a person says that it was sent."""


def entries(config: Path | None, *, only: str, limit: int, environ: Mapping[str, str]) -> int:
    """Prints the newest requests, one line each."""
    settings = load(config, environ)
    found = JournalFile(settings.journal.path).entries(only, limit=limit)
    for entry in found:
        terminal.say(_line(entry))
    terminal.say(
        f"{len(found)} requests" + (f"; there may be more (--limit {limit})" if len(found) == limit else "")
    )
    return 0


def show(config: Path | None, id_: int, *, environ: Mapping[str, str]) -> int:
    """Prints all that is known of one request, but its content."""
    settings = load(config, environ)
    entry, attempts = JournalFile(settings.journal.path).entry(id_)
    for name, value in dataclasses.asdict(entry).items():
        terminal.say(f"{name:<14}{_shown(name, value)}")
    for number, attempt in enumerate(attempts, start=1):
        terminal.say(f"attempt {number}:", *_attempt_lines(attempt))
    return 0


def resolve(config: Path | None, id_: int, *, sent: bool, sid: str | None, environ: Mapping[str, str]) -> int:
    """Settles a request whose outcome Twilio's records could not."""
    settings = load(config, environ)
    journal = JournalFile(settings.journal.path)
    request = journal.unsettled(id_)
    writer = StatusWriter(extended=settings.status.detail is StatusDetail.EXTENDED)
    now = time.time()
    step: Finish
    if sent:
        accepted = Accepted(
            sid=sid or "",
            message_status=SENT_STATUS,
            sender_number=request.notification.sender_number,
            phone_number=request.notification.recipient.phone_number,
        )
        step = writer.accepted(request, accepted, at=now, counted=False)
    else:
        message = "A person settled it: nothing was sent"
        step = writer.failed(request, Reason.TWILIO_UNAVAILABLE, message, at=now, counted=False)
    journal.resolve(step)
    terminal.say(f"request {id_} is settled; its new status is reported when the connector starts")
    return 0


def resend(config: Path | None, id_: int, *, environ: Mapping[str, str]) -> int:
    """Records a finished request anew."""
    settings = load(config, environ)
    lifetime = settings.delivery.lifetime_seconds
    new = JournalFile(settings.journal.path).resend(id_, at=time.time(), lifetime_seconds=lifetime)
    terminal.say(f"request {id_} will be sent again as request {new} when the connector starts")
    return 0


def purge(config: Path | None, *, days: float | None, environ: Mapping[str, str]) -> int:
    """Removes requests that were reported longer ago than `days`, or than the retention time."""
    settings = load(config, environ)
    seconds = settings.journal.retention_seconds if days is None else days * 86_400
    removed = JournalFile(settings.journal.path).purge(finished_before=time.time() - seconds)
    terminal.say(f"{removed} requests removed")
    return 0


def _line(entry: Entry) -> str:
    number = mask(entry.phone_number or "")
    outcome = entry.reason or ("success" if entry.finished_at else "")
    return (
        f"{entry.id:>8}  {_instant(entry.accepted_at)}  {entry.channel:<4}  {entry.state:<8}  "
        f"{number:>15}  {entry.request_id!r:<20}  {outcome}"
    )


def _attempt_lines(attempt: AttemptEntry) -> list[str]:
    fields = dataclasses.asdict(attempt).items()
    return [f"  {name:<12}{_shown(name, value)}" for name, value in fields if value is not None]


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case float() if name.endswith("_at"):
            return _instant(value)
        case str() if name == "phone_number":
            return mask(value)
        case _:
            return str(value)


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
