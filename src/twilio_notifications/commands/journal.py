"""`journal`: reads and repairs the journal of the configuration."""

from __future__ import annotations

import dataclasses
import os
import pwd
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.adapters.log import mask
from twilio_notifications.adapters.sqlite.repair import JournalFile
from twilio_notifications.config import StatusDetail, load_journal
from twilio_notifications.core.errors import ConfigurationError, Reason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Accepted, Channel
from twilio_notifications.core.wording import counted
from twilio_notifications.pipeline.status import StatusWriter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.adapters.sqlite.repair import AttemptEntry, Entry, OrderEntry
    from twilio_notifications.ports import Claimed, Finish

SENT_STATUS = "sent"
"""The `message_status` of a request that an operator reports as sent."""

WIDEST_ID = 24
"""Characters of a client's id in a list; `show` prints all of them."""

WIDEST_VALUE = 2_000
"""Characters of one value: the longest valid id has 1,024, Twilio's sentences are shorter."""

_SID_PREFIXES = {Channel.SMS: ("SM", "MM"), Channel.CALL: ("CA",)}


def entries(config: Path | None, *, only: str, limit: int, environ: Mapping[str, str]) -> int:
    """Prints the newest requests, one line each; returns 0."""
    journal = load_journal(config, environ).journal
    found = JournalFile(journal.path).entries(only, limit=limit)
    now = time.time()
    terminal.say(*(_line(entry, now=now) for entry in found))
    more = f"; there may be more (--limit {limit})" if len(found) == limit else ""
    terminal.say(f"{counted(len(found), 'request')}{more}")
    return 0


def show(config: Path | None, number: int, *, environ: Mapping[str, str]) -> int:
    """Prints all facts about one request except its content; returns 0."""
    journal = load_journal(config, environ).journal
    entry, attempts, orders = JournalFile(journal.path).entry(number)
    fields = dataclasses.asdict(entry)
    del fields["turn"], fields["due_at"], fields["waiting_reason"]
    terminal.say(*(f"{name:<14}{_shown(name, value)}" for name, value in fields.items()))
    if entry.state == State.WAITING:
        terminal.say(f"{'waits':<14}{_wait(entry, now=time.time())}")
    _print("attempt", attempts)
    _print("order", orders)
    return 0


def resolve(
    config: Path | None, number: int, *, sent: bool, sid: str | None, environ: Mapping[str, str]
) -> int:
    """Settles, as an operator says, a request that Twilio's records did not settle; returns 0."""
    settings = load_journal(config, environ)
    journal = JournalFile(settings.journal.path)
    request = journal.unsettled(number)
    _require_fitting(sid, request.notification.channel, sent=sent)
    writer = StatusWriter(extended=settings.detail is StatusDetail.EXTENDED)
    journal.resolve(_settled(writer, request, sent=sent, sid=sid, at=time.time()), by=_person(environ))
    terminal.say(
        f"request {number} is settled; its new status is reported when the connector starts, and can be "
        "corrected until then"
    )
    return 0


def resend(config: Path | None, number: int, *, environ: Mapping[str, str]) -> int:
    """Records a finished request again, as a new one; returns 0."""
    settings = load_journal(config, environ)
    journal = JournalFile(settings.journal.path)
    lifetime = settings.lifetime_seconds
    new = journal.resend(number, at=time.time(), lifetime_seconds=lifetime, by=_person(environ))
    terminal.say(f"request {number} will be sent again as request {new} when the connector starts")
    return 0


def purge(config: Path | None, *, days: float | None, environ: Mapping[str, str]) -> int:
    """Removes requests that were reported longer ago than `days`; None is the retention time. Returns 0."""
    journal = load_journal(config, environ).journal
    seconds = journal.retention_seconds if days is None else days * 86_400
    removed = JournalFile(journal.path).purge(finished_before=time.time() - seconds)
    terminal.say(f"{counted(removed, 'request')} removed")
    return 0


def _print(kind: str, records: Sequence[AttemptEntry | OrderEntry]) -> None:
    for position, record in enumerate(records, start=1):
        values = {name: value for name, value in dataclasses.asdict(record).items() if value is not None}
        lines = (f"  {name:<12}{_shown(name, value)}" for name, value in values.items())
        terminal.say(f"{kind} {position}:", *lines)


def _require_fitting(sid: str | None, channel: Channel, *, sent: bool) -> None:
    if sid is None:
        return
    if not sent:
        raise ConfigurationError(["--sid goes with --sent: what was not sent has no SID"])
    if not sid.startswith(_SID_PREFIXES[channel]):
        beginning = " or ".join(_SID_PREFIXES[channel])
        raise ConfigurationError(
            [f"--sid {sid} does not fit: give this request's own SID, which begins with {beginning}"]
        )


def _settled(writer: StatusWriter, request: Claimed, *, sent: bool, sid: str | None, at: float) -> Finish:
    if not sent:
        message = "A person settled it: nothing was sent"  # a published status; clients may compare it
        return writer.failed(request, Reason.TWILIO_UNAVAILABLE, message, at=at, counted=False)
    accepted = Accepted(
        sid=sid or "",
        message_status=SENT_STATUS,
        sender_number=request.notification.sender_number,
        phone_number=request.notification.recipient.phone_number,
    )
    return writer.accepted(request, accepted, at=at, counted=False)


def _person(environ: Mapping[str, str]) -> str:
    """The user of the operating system, and the one behind sudo."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        user = str(os.getuid())
    behind = environ.get("SUDO_USER")
    return f"{user} ({behind} by sudo)" if behind else user


def _line(entry: Entry, *, now: float) -> str:
    id_ = repr(entry.id) if len(repr(entry.id)) <= WIDEST_ID else f"{repr(entry.id)[: WIDEST_ID - 1]}…"
    if entry.state == State.WAITING:
        outcome = _wait(entry, now=now)
    else:
        outcome = entry.reason or ("success" if entry.finished_at else "")
        outcome += f"; {entry.remark}" if entry.remark else ""
    return (
        f"{entry.number:>8}  {_instant(entry.accepted_at)}  {entry.channel:<4}  {entry.state:<8}  "
        f"{mask(entry.phone_number or ''):>15}  {id_:<{WIDEST_ID}}  {outcome}"
    )


def _wait(entry: Entry, *, now: float) -> str:
    """The reason of the wait, its end, and the instant at which the request expires."""
    parts = [entry.waiting_reason or "not attempted yet"]
    if not entry.turn:
        parts.append("behind an earlier request to the same recipient")
    elif entry.due_at is not None:
        parts.append("due now" if entry.due_at <= now else f"until {_instant(entry.due_at)}")
    if entry.expires_at is not None:
        parts.append(f"expires {_instant(entry.expires_at)}")
    return ", ".join(parts)


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case float() if name == "at" or name.endswith("_at"):
            return _instant(value)
        case str() if name == "phone_number":
            return mask(value)
        case _:
            text = str(value)
            if len(text) <= WIDEST_VALUE:
                return text
            return f"{text[:WIDEST_VALUE]}… ({len(text)} characters)"


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
