"""Reads a journal from another process than the connector, which it neither disturbs nor waits for."""

from __future__ import annotations

import json
import math
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters.sqlite.opening import open_for_reading
from twilio_notifications.adapters.sqlite.statements import chains, waits
from twilio_notifications.adapters.sqlite.statements import people as sql
from twilio_notifications.adapters.sqlite.statements.conditions import ANSWERED, ATTEMPTED
from twilio_notifications.adapters.sqlite.translating import translated
from twilio_notifications.adapters.sqlite.waiting import Waiting, expected_departures, waiting
from twilio_notifications.adapters.sqlite.waits import pause_of
from twilio_notifications.core.errors import JournalError, Reason
from twilio_notifications.core.lifecycle import State

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path


_Record = TypeVar(
    "_Record",
    "AttemptEntry",
    "ChainEntry",
    "ChainRequestEntry",
    "ChainStepEntry",
    "DeliveryEntry",
    "DeliveryEventEntry",
    "OrderEntry",
    "PauseEntry",
    "WaitEntry",
)

STANDINGS = {
    "all": "1",
    "waiting": "state = 'WAITING'",
    "doubt": ATTEMPTED,
    "unreported": "state = 'FINISHED'",
    "unknown": f"{ANSWERED} AND reason = '{Reason.OUTCOME_UNKNOWN}'",
    "failed": f"{ANSWERED} AND reason IS NOT NULL",
}
"""By what a list can be narrowed, and the condition it means."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A request as a person looks at it. Never its content."""

    number: int
    """The journal's own, which grows; `id` is the client's and may occur many times."""
    id: Any
    channel: str
    state: str
    phone_number: str | None
    sender_number: str | None
    accepted_at: float
    expires_at: float | None
    due_at: float | None
    """When it may leave; None where it does not wait."""
    turn: int
    """0 while an earlier request to the same recipient is not finished."""
    behind: int | None
    """The request to the same recipient for whose end it waits; None: for none."""
    waiting_reason: str | None
    """Why it was put off last; None where it does not wait."""
    waiting_message: str | None
    attempts: int
    finished_at: float | None
    reason: str | None
    message: str | None
    sid: str | None
    remark: str | None
    """What became of its status, where it did not simply leave."""
    delivery: str | None
    """Twilio's last word for what it accepted; None where nothing is followed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseEntry:
    """A state that lasted while the request was not finished: of the account, or of its sender."""

    begun_at: float
    reason: str
    sender_number: str | None
    message: str
    until: float | None
    """When it was to end; None: that was not known."""
    ended_at: float | None
    """None: it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEntry:
    """What is known of what Twilio accepted."""

    sid: str
    state: str
    begun_at: float
    changed_at: float
    look_at: float | None
    """When Twilio is asked next; None: following has ended."""
    code: int | None
    answered_by: str | None
    document_code: int | None
    given_up_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEventEntry:
    """What happened to a delivery."""

    at: float
    event: str
    source: str
    state: str
    code: int | None
    result: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEntry:
    """One attempt of a request."""

    opened_at: float
    closed_at: float | None
    outcome: str | None
    reason: str | None
    message: str | None
    code: int | None
    sid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitEntry:
    """One wait of a request that was more than a moment, or the present one."""

    begun_at: float
    due_at: float
    """Until when it was to last."""
    ended_at: float | None
    """None for the present one."""
    reason: str | None
    """None: for its turn, or for a free place."""
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEntry:
    """The escalation that a request began; the last four are None while it waits."""

    escalation: str
    began_at: float
    ended_at: float | None
    ending: str | None
    by: str | None
    how: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainStepEntry:
    """A step of an escalation, with the number of its first request."""

    at: float
    first: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainRequestEntry:
    """A request that an escalation made, and what became of it: Twilio's last word, or why it failed."""

    accepted_at: float
    request: int
    channel: str
    name: str
    to: str
    became: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderEntry:
    """What a person ordered."""

    name: str
    parameters: str
    """What it has beyond its request, as JSON."""
    by: str
    door: str
    at: float
    done_at: float | None
    """None: it is not carried out yet."""
    result: str | None
    refusal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A request and what happened to it; each part oldest first."""

    entry: Entry
    attempts: list[AttemptEntry]
    waits: list[WaitEntry]
    pauses: list[PauseEntry]
    orders: list[OrderEntry]
    chains: list[ChainEntry]
    steps: list[ChainStepEntry]
    of_chain: list[ChainRequestEntry]
    delivery: DeliveryEntry | None
    delivery_events: list[DeliveryEventEntry]


@dataclass(frozen=True, slots=True)
class JournalReader:
    """A journal's file. Each call raises a JournalError that says what to do."""

    path: Path

    def entries(self, standing: str, *, limit: int) -> list[Entry]:
        """The newest requests of a standing, newest first."""
        with self._read() as connection:
            rows = connection.execute(sql.entries(STANDINGS[standing]), (limit,))
            return [_entry(row) for row in rows]

    def waiting(self, entries: Sequence[Entry], *, now: float) -> dict[int, Waiting]:
        """Why those of them wait that do, by their numbers."""
        with self._read() as connection:
            lasting = [pause_of(row) for row in connection.execute(waits.LASTING)]
            numbers = [entry.number for entry in entries if entry.state == State.WAITING]
            departures = expected_departures(connection, numbers, now=now)
        found = ((entry.number, waiting(entry, lasting, departures, now=now)) for entry in entries)
        return {number: waits for number, waits in found if waits is not None}

    def history(self, number: int) -> History:
        """One request with its attempts, its waits and what people ordered."""
        with self._read() as connection:
            row = connection.execute(sql.ENTRY, (number,)).fetchone()
            if row is None:
                raise JournalError(
                    f"the journal {self.path} holds no request {number}. "
                    "See: twilio-notifications journal list"
                )
            entry = _entry(row)
            return History(
                entry=entry,
                pauses=_pauses(connection, entry),
                attempts=_records(AttemptEntry, connection.execute(sql.ATTEMPTS, {"request": number})),
                waits=_records(WaitEntry, connection.execute(sql.WAITS, {"request": number})),
                orders=_records(OrderEntry, connection.execute(sql.ORDERS, (number,))),
                chains=_records(ChainEntry, connection.execute(chains.ENTRY, (number,))),
                steps=_records(ChainStepEntry, connection.execute(chains.STEPS, (number,))),
                of_chain=_records(ChainRequestEntry, connection.execute(sql.OF_CHAIN, (number,))),
                delivery=next(
                    iter(_records(DeliveryEntry, connection.execute(sql.DELIVERY, (number,)))), None
                ),
                delivery_events=_records(
                    DeliveryEventEntry, connection.execute(sql.DELIVERY_EVENTS, (number,))
                ),
            )

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with translated(self.path), closing(open_for_reading(self.path)) as connection:
            yield connection


def _pauses(connection: sqlite3.Connection, entry: Entry) -> list[PauseEntry]:
    during = {
        "sender_number": entry.sender_number,
        "begins_at": entry.accepted_at,
        "ends_at": math.inf if entry.finished_at is None else entry.finished_at,
    }
    return _records(PauseEntry, connection.execute(waits.DURING, during))


def _entry(row: Sequence[Any]) -> Entry:
    number, request_id, *rest = row
    return Entry(
        **dict(zip(Entry.__dataclass_fields__, (number, json.loads(request_id), *rest), strict=True))
    )


def _records(kind: type[_Record], rows: sqlite3.Cursor) -> list[_Record]:
    return [kind(**dict(zip(kind.__dataclass_fields__, row, strict=True))) for row in rows]
