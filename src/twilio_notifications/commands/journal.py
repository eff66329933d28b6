"""`journal`: reads the journal of the configuration, and removes what is old."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.adapters.log import mask
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.adapters.sqlite.reader import DeliveryEntry, DeliveryEventEntry
from twilio_notifications.config import load_journal
from twilio_notifications.core.errors import WAITS_FOR
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.core.wording import counted, instant

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

WIDEST_ID = 24
"""Characters of a client's id in a list; `show` prints all of them."""

WIDEST_VALUE = 2_000
"""Characters of one value: the longest valid id has 1,024, Twilio's sentences are shorter."""


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
        *((order.at, f"order {place}", order) for place, order in enumerate(history.orders, start=1)),
    ]
    for _, title, record in sorted(happened, key=lambda each: each[0]):
        _print(title, record)
    if history.delivery is not None:
        _print("delivery", history.delivery)
    return 0


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
