"""Reads and repairs a journal from beside the connector.

Reading disturbs nobody and needs no lock. A repair needs the journal for itself: what is not finished is kept
by the connector that owns it, and two writers with two opinions are one too many.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, open_for_reading
from twilio_notifications.adapters.sqlite.rows import claimed
from twilio_notifications.core.errors import JournalError, JournalLocked, Reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from twilio_notifications.ports import Claimed, Finish

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

    id: int
    request_id: Any
    channel: str
    state: str
    phone_number: str | None
    accepted_at: float
    due_at: float | None
    attempts: int
    finished_at: float | None
    reason: str | None
    message: str | None
    sid: str | None


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


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A journal's file. Each call raises a JournalError that says what to do."""

    path: Path

    def entries(self, standing: str, *, limit: int) -> list[Entry]:
        """The newest requests of a standing, newest first."""
        with self._read() as connection:
            rows = connection.execute(sql.entries(STANDINGS[standing]), (limit,))
            return [_entry(row) for row in rows]

    def entry(self, id_: int) -> tuple[Entry, list[AttemptEntry]]:
        """One request and its attempts, oldest first."""
        with self._read() as connection:
            row = connection.execute(sql.ENTRY, (id_,)).fetchone()
            if row is None:
                raise JournalError(_unknown(self.path, id_))
            attempts = connection.execute(sql.ATTEMPTS, (id_,)).fetchall()
        return _entry(row), [_attempt(attempt) for attempt in attempts]

    def unsettled(self, id_: int) -> Claimed:
        """The request whose outcome a person is to settle."""
        with self._read() as connection:
            row = connection.execute(sql.UNSETTLED, (id_, Reason.OUTCOME_UNKNOWN)).fetchone()
        if row is None:
            raise JournalError(_settled(self.path, id_))
        return claimed(tuple(row))

    def resolve(self, step: Finish) -> None:
        """Replaces the status of an unsettled request; the connector reports it at its next start."""
        with self._owned() as connection:
            (position,) = connection.execute(sql.LATEST_POSITION).fetchone()
            outcome = (step.reason, step.message, step.sid, step.status, position + 1)
            resolved = connection.execute(sql.RESOLVE, (*outcome, step.id, Reason.OUTCOME_UNKNOWN)).rowcount
            if not resolved:  # somebody else was quicker
                raise JournalError(_settled(self.path, step.id))
            connection.execute(sql.RESOLVE_ATTEMPT, (step.sid, step.id))

    def resend(self, id_: int, *, at: float, lifetime_seconds: float) -> int:
        """Records a finished request anew, with an id of its own in the journal, which is returned."""
        with self._owned() as connection:
            new = connection.execute(sql.RESEND, (at, at + lifetime_seconds, at, id_)).lastrowid
            if not connection.execute("SELECT changes()").fetchone()[0] or new is None:
                raise JournalError(
                    f"request {id_} of the journal {self.path} cannot be sent again: there is no such "
                    "request, it is not finished yet, or it never was a valid one"
                )
            connection.execute(sql.TURN_OF_RESENT, (new, new))
        return new

    def purge(self, *, finished_before: float) -> int:
        """Removes what was reported before that instant; how many requests."""
        with self._owned() as connection:
            return connection.execute(sql.PURGE, (finished_before, -1)).rowcount

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
        if not self.path.exists():
            raise JournalError(f"there is no journal {self.path}")
        lock = self._locked()
        try:
            with _translated(self.path), closing(open_connection(self.path)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
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
    id_, request_id, *rest = row
    names = tuple(Entry.__dataclass_fields__)[2:]
    return Entry(id=id_, request_id=json.loads(request_id), **dict(zip(names, rest, strict=True)))


def _attempt(row: Sequence[Any]) -> AttemptEntry:
    return AttemptEntry(**dict(zip(AttemptEntry.__dataclass_fields__, row, strict=True)))


def _unknown(path: Path, id_: int) -> str:
    return f"the journal {path} holds no request {id_}. See: twilio-notifications journal list"


def _settled(path: Path, id_: int) -> str:
    return (
        f"request {id_} of the journal {path} was not answered with {Reason.OUTCOME_UNKNOWN}: "
        "there is nothing to resolve. See: twilio-notifications journal list --only unknown"
    )
