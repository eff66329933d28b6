"""Reads and repairs a journal from another process than the connector.

Reading disturbs no other process and needs no lock. A repair needs the journal for itself: the connector
holds unfinished requests in memory, and a second writer would contradict it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, open_for_reading
from twilio_notifications.adapters.sqlite.place import look, real, require_folder
from twilio_notifications.adapters.sqlite.reserve import Reserve
from twilio_notifications.adapters.sqlite.rows import claimed
from twilio_notifications.core.errors import JournalError, JournalLocked, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from twilio_notifications.ports import Claimed, Finish

_Record = TypeVar("_Record", "AttemptEntry", "OrderEntry")

PURGED_AT_ONCE = 20
"""Requests in one transaction of a purge: with all their indexes, less than a megabyte of log."""

STANDINGS = {
    "all": "1",
    "waiting": "state = 'WAITING'",
    "doubt": "state IN ('OPEN', 'IN_DOUBT')",
    "unreported": "state = 'FINISHED'",
    "unknown": f"state IN ('FINISHED', 'REPORTED') AND reason = '{Reason.OUTCOME_UNKNOWN}'",
    "failed": "state IN ('FINISHED', 'REPORTED') AND reason IS NOT NULL",
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
    accepted_at: float
    expires_at: float | None
    due_at: float | None
    """When it may leave; None where it does not wait."""
    turn: int
    """0 while an earlier request to the same recipient is not finished."""
    waiting_reason: str | None
    attempts: int
    finished_at: float | None
    reason: str | None
    message: str | None
    sid: str | None
    remark: str | None
    """What became of its status, where it did not simply leave."""


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
class OrderEntry:
    """What a person ordered."""

    name: str
    detail: str
    by: str
    at: float


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A journal's file. Each call raises a JournalError that says what to do."""

    path: Path

    def entries(self, standing: str, *, limit: int) -> list[Entry]:
        """The newest requests of a standing, newest first."""
        with self._read() as connection:
            rows = connection.execute(sql.entries(STANDINGS[standing]), (limit,))
            return [_entry(row) for row in rows]

    def entry(self, number: int) -> tuple[Entry, list[AttemptEntry], list[OrderEntry]]:
        """One request, its attempts and what people ordered, oldest first."""
        with self._read() as connection:
            row = connection.execute(sql.ENTRY, (number,)).fetchone()
            if row is None:
                raise JournalError(_unknown(self.path, number))
            attempts = connection.execute(sql.ATTEMPTS, (number,)).fetchall()
            orders = connection.execute(sql.ORDERS, (number,)).fetchall() if _has_orders(connection) else []
        return _entry(row), _records(AttemptEntry, attempts), _records(OrderEntry, orders)

    def unsettled(self, number: int) -> Claimed:
        """The request whose outcome a person is to settle, or has settled without its status having left."""
        with self._read() as connection:
            statement = sql.UNSETTLED if _has_orders(connection) else sql.UNSETTLED_WITHOUT_ORDERS
            row = connection.execute(statement, (number, Reason.OUTCOME_UNKNOWN)).fetchone()
        if row is None:
            raise JournalError(_settled(self.path, number))
        return claimed(tuple(row))

    def resolve(self, step: Finish, *, by: str) -> None:
        """Replaces the status of an unsettled request; the connector reports it at its next start.

        `by` is the person, for the record.
        """
        with self._owned() as connection:
            if step.sid is not None:
                self._require_unused(connection, step.sid, number=step.id)
            (position,) = connection.execute(sql.LATEST_POSITION).fetchone()
            outcome = (step.reason, step.message, step.sid, step.status, position + 1)
            resolved = connection.execute(sql.RESOLVE, (*outcome, step.id, Reason.OUTCOME_UNKNOWN)).rowcount
            if not resolved:  # the connector ran meanwhile, or another person was quicker
                raise JournalError(_settled(self.path, step.id))
            connection.execute(sql.RESOLVE_ATTEMPT, (step.sid, step.id))
            detail = "not sent" if step.reason else f"sent {step.sid or ''}".rstrip()
            connection.execute(sql.ORDER, (step.id, "resolve", detail, by, step.at))

    def _require_unused(self, connection: sqlite3.Connection, sid: str, *, number: int) -> None:
        other = connection.execute(sql.OWNER_OF_SID, (sid, number)).fetchone()
        if other is not None:
            raise JournalError(
                f"{sid} is the SID of request {other[0]} already: look again in Twilio's console which text "
                f"or call belongs to request {number}"
            )

    def resend(self, id_: int, *, at: float, lifetime_seconds: float, by: str) -> int:
        """Records a finished request again; the new one's number. `by` is the person, for the record."""
        with self._owned() as connection:
            new = connection.execute(sql.RESEND, (at, at + lifetime_seconds, at, id_)).lastrowid
            if not connection.execute("SELECT changes()").fetchone()[0] or new is None:
                raise JournalError(
                    f"request {id_} of the journal {self.path} cannot be sent again: there is no such "
                    "request, it is not finished yet, or it never was a valid one"
                )
            connection.execute(sql.TURN_OF_RESENT, (new, new))
            connection.execute(sql.ORDER, (id_, "resend", f"as request {new}", by, at))
        return new

    def purge(self, *, finished_before: float) -> int:
        """Removes what was reported before that instant; how many requests.

        In small transactions: on a full disk, the reserve has to be room enough for each of them.
        """
        removed = 0
        with self._locked_journal() as connection:
            while batch := connection.execute(sql.PURGE, (finished_before, PURGED_AT_ONCE)).rowcount:
                removed += batch
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        return removed

    def _locked(self) -> FileLock:
        try:
            return FileLock(self.path)
        except JournalLocked as error:
            raise JournalLocked(
                f"a connector is running on the journal {self.path}. Stop it, repair, and start it again."
            ) from error

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        with _translated(self.path), closing(open_for_reading(self.path)) as connection:
            yield connection

    @contextmanager
    def _owned(self) -> Iterator[sqlite3.Connection]:
        """The journal, locked, in one transaction."""
        with self._locked_journal() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextmanager
    def _locked_journal(self) -> Iterator[sqlite3.Connection]:
        """The journal, locked. On a full disk its reserve is given up; the next start takes it again."""
        require_folder(self.path)
        if look(self.path) is None:
            raise JournalError(f"there is no journal {self.path}")
        lock = self._locked()
        try:
            with _translated(self.path), closing(open_connection(self.path)) as connection:
                Reserve(real(self.path)).give_up()
                yield connection
        finally:
            lock.release()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        raise JournalError(
            f"the journal {path} cannot be used: {error}. Nothing was changed. It must be a journal of this "
            "program, on a disk that is not full, in a folder that you may write to."
        ) from error


def _entry(row: Sequence[Any]) -> Entry:
    number, request_id, *rest = row
    return Entry(
        **dict(zip(Entry.__dataclass_fields__, (number, json.loads(request_id), *rest), strict=True))
    )


def _records(kind: type[_Record], rows: Sequence[Any]) -> list[_Record]:
    return [kind(**dict(zip(kind.__dataclass_fields__, row, strict=True))) for row in rows]


def _has_orders(connection: sqlite3.Connection) -> bool:
    """A journal that an earlier version wrote is read as it is: only a connector brings it up to date."""
    return connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'orders'").fetchone() is not None


def _unknown(path: Path, id_: int) -> str:
    return f"the journal {path} holds no request {id_}. See: twilio-notifications journal list"


def _settled(path: Path, id_: int) -> str:
    return (
        f"request {id_} of the journal {path} was not answered with {Reason.OUTCOME_UNKNOWN}, or what a "
        "person said of it has been acknowledged already: there is nothing to resolve. "
        "See: twilio-notifications journal list --only unknown"
    )
