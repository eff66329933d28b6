"""`journal`: reads and repairs the journal of the configuration."""

from __future__ import annotations

import dataclasses
import os
import pwd
import time
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.adapters.sqlite.orders import JournalFile
from twilio_notifications.adapters.sqlite.reader import DeliveryEntry, DeliveryEventEntry
from twilio_notifications.config import StatusDetail, load_journal
from twilio_notifications.core.conclusions import StatusWriter
from twilio_notifications.core.delivery import first_word
from twilio_notifications.core.errors import WAITS_FOR, ConfigurationError, Reason
from twilio_notifications.core.model import Accepted, Channel
from twilio_notifications.core.phone_numbers import masked as mask
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.core.wording import counted, instant
from twilio_notifications.exit_codes import FAILED, NOT_CARRIED_OUT

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.adapters.sqlite.reader import (
        AttemptEntry,
        ChainEntry,
        ChainRequestEntry,
        ChainStepEntry,
        Entry,
        OrderEntry,
        PauseEntry,
        WaitEntry,
    )
    from twilio_notifications.adapters.sqlite.waiting import Waiting
    from twilio_notifications.core.steps import Claimed, Finish

    Record = (
        AttemptEntry
        | ChainEntry
        | ChainRequestEntry
        | ChainStepEntry
        | DeliveryEntry
        | DeliveryEventEntry
        | OrderEntry
        | PauseEntry
        | WaitEntry
    )

SENT_STATUS = "sent"
"""The `message_status` of a request that an operator reports as sent."""

LOOK_SECONDS = 0.1
"""Between two looks for the result of an order."""

WIDEST_ID = 24
"""Characters of a client's id in a list; `show` prints all of them."""

WIDEST_VALUE = 2_000
"""Characters of one value: the longest valid id has 1,024, Twilio's sentences are shorter."""

_SID_PREFIXES = {Channel.SMS: ("SM", "MM"), Channel.CALL: ("CA",)}


def entries(config: Path | None, *, only: str, limit: int, environ: Mapping[str, str]) -> int:
    """Prints the newest requests, one line each; returns 0."""
    journal = load_journal(config, environ).journal
    now = time.time()
    file = JournalFile(journal.path)
    found = file.entries(only, limit=limit)
    waits = file.waiting(found, now=now)
    terminal.say(*(_line(entry, waits.get(entry.number), now=now) for entry in found))
    more = f"; there may be more (--limit {limit})" if len(found) == limit else ""
    terminal.say(f"{counted(len(found), 'request')}{more}")
    return 0


def show(config: Path | None, number: int, *, environ: Mapping[str, str]) -> int:
    """Prints all facts about one request except its content; returns 0."""
    journal = load_journal(config, environ).journal
    now, file = time.time(), JournalFile(journal.path)
    history = file.history(number)
    entry = history.entry
    fields = dataclasses.asdict(entry)
    for told_below in ("turn", "due_at", "behind", "waiting_reason", "waiting_message"):
        del fields[told_below]
    terminal.say(*(f"{name:<14}{_shown(name, value)}" for name, value in fields.items()))
    waits = file.waiting([entry], now=now).get(number)
    if waits is not None:
        terminal.say(f"{'waits':<14}{_wait(entry, waits, now=now)}")
        if waits.reason is not None:
            terminal.say(f"{'for':<14}{waits.message or WAITS_FOR[waits.reason]}")
    happened: list[tuple[float, str, Record]] = [
        *((chain.began_at, "escalation", chain) for chain in history.chains),
        *((step.at, f"step {place}", step) for place, step in enumerate(history.steps, start=1)),
        *((told.accepted_at, f"notified {told.name}", told) for told in history.of_chain),
        *((wait.begun_at, f"wait {place}", wait) for place, wait in enumerate(history.waits, start=1)),
        *((pause.begun_at, f"pause {place}", pause) for place, pause in enumerate(history.pauses, start=1)),
        *((made.opened_at, f"attempt {place}", made) for place, made in enumerate(history.attempts, start=1)),
        *((event.at, f"delivery {event.event}", event) for event in history.delivery_events),
    ]
    for _, title, record in sorted(happened, key=lambda each: each[0]):
        _print(title, record)
    if history.delivery is not None:
        _print("delivery", history.delivery)
    for place, order in enumerate(history.orders, start=1):
        _print(f"order {place}", order)
    return 0


def resolve(
    config: Path | None, number: int, *, sent: bool, sid: str | None, environ: Mapping[str, str]
) -> int:
    """Settles, as an operator says, a request that Twilio's records did not settle; returns 0."""
    settings = load_journal(config, environ)
    journal = JournalFile(settings.journal.path)
    request = journal.unsettled(number)
    _require_fitting(sid, request.notification.channel, sent=sent)
    writer = StatusWriter(extended=settings.detail is StatusDetail.EXTENDED, tracking=settings.tracking)
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


def acknowledge(
    config: Path | None, name: str, *, by: str | None, wait_seconds: float, environ: Mapping[str, str]
) -> int:
    """Orders that chains end, by a request's number or id, and waits for the result.

    0: done; 1: refused; 3: no connector has carried it out within `wait_seconds`.
    """
    journal = JournalFile(load_journal(config, environ).journal.path)
    requests = journal.chains(name)
    if not requests:
        terminal.say(f"no escalation of request {name} waits. See: twilio-notifications journal list")
        return FAILED
    person = by or _person(environ)
    orders = [journal.order_acknowledgement(one, by=person, at=time.time()) for one in requests]
    ends_at = time.monotonic() + wait_seconds
    results = [journal.order_result(order) for order in orders]
    while not all(done for done, _ in results) and time.monotonic() < ends_at:
        time.sleep(LOOK_SECONDS)
        results = [journal.order_result(order) for order in orders]
    for request, (done, refusal) in zip(requests, results, strict=True):
        terminal.say(f"request {request}: {_result(done=done, refusal=refusal)}")
    if not all(done for done, _ in results):
        return NOT_CARRIED_OUT
    return FAILED if any(refusal for _, refusal in results) else 0


def _result(*, done: bool, refusal: str | None) -> str:
    if not done:
        return (
            "not acknowledged yet: no connector runs on this journal, or it is busy. The order is written, "
            "and is carried out at the next start"
        )
    return "acknowledged" if refusal is None else f"not acknowledged: {refusal}"


def purge(config: Path | None, *, days: float | None, environ: Mapping[str, str]) -> int:
    """Removes requests that were reported longer ago than `days`; None is the retention time. Returns 0."""
    journal = load_journal(config, environ).journal
    seconds = journal.retention_seconds if days is None else days * 86_400
    removed = JournalFile(journal.path).purge(finished_before=time.time() - seconds)
    terminal.say(f"{counted(removed, 'request')} removed")
    return 0


def _print(title: str, record: Record) -> None:
    values = {name: value for name, value in dataclasses.asdict(record).items() if value is not None}
    code = values.get("code") or values.get("document_code")
    if code is not None and isinstance(record, DeliveryEntry | DeliveryEventEntry):
        values["meaning"] = sentence(code)
    terminal.say(f"{title}:", *(f"  {name:<12}{_shown(name, value)}" for name, value in values.items()))


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
        message = "A person settled it: nothing was sent"
        reason, outcome = Reason.TWILIO_UNAVAILABLE, AttemptOutcome.FAILED
        return writer.failed(request, reason, message, at=at, outcome=outcome, counted=False)
    accepted = Accepted(
        sid=sid or "",
        message_status=SENT_STATUS,
        sender_number=request.notification.sender_number,
        phone_number=request.notification.recipient.phone_number,
    )
    step = writer.accepted(request, accepted, at=at, counted=False)
    if step.follow is None:
        return step
    # Twilio's own words come with the looks. What the person says is none of them.
    follow = dataclasses.replace(step.follow, word=first_word(request.notification.channel))
    return dataclasses.replace(step, follow=follow)


def _person(environ: Mapping[str, str]) -> str:
    """The user of the operating system, and the one behind sudo."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user need not have a name
        user = str(os.getuid())
    behind = environ.get("SUDO_USER")
    return f"{user} ({behind} by sudo)" if behind else user


def _line(entry: Entry, waits: Waiting | None, *, now: float) -> str:
    id_ = repr(entry.id) if len(repr(entry.id)) <= WIDEST_ID else f"{repr(entry.id)[: WIDEST_ID - 1]}…"
    if waits is not None:
        outcome = _wait(entry, waits, now=now)
    else:
        outcome = entry.reason or entry.delivery or ("success" if entry.finished_at else "")
        outcome += f"; {entry.remark}" if entry.remark else ""
    return (
        f"{entry.number:>8}  {instant(entry.accepted_at)}  {entry.channel:<4}  {entry.state:<8}  "
        f"{mask(entry.phone_number or ''):>15}  {id_:<{WIDEST_ID}}  {outcome}"
    )


def _wait(entry: Entry, waits: Waiting, *, now: float) -> str:
    """The reason of the wait, its end, and the instant at which the request expires."""
    parts: list[str] = [waits.reason or ("waits for a place" if entry.attempts else "not attempted yet")]
    if waits.behind is not None:
        parts.append(f"behind request {waits.behind}")
    elif waits.until is not None:
        parts.append("due now" if waits.until <= now else f"until {instant(waits.until)}")
    if entry.expires_at is not None:
        parts.append(f"expires {instant(entry.expires_at)}")
    return ", ".join(parts)


def _shown(name: str, value: object) -> str:
    match value:
        case None:
            return "-"
        case float() if name in {"at", "until"} or name.endswith("_at"):
            return instant(value)
        case str() if name in {"phone_number", "sender_number", "to"}:
            return mask(value)
        case _:
            text = str(value)
            if len(text) <= WIDEST_VALUE:
                return text
            return f"{text[:WIDEST_VALUE]}… ({len(text)} characters)"
