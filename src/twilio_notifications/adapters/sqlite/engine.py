"""SQLite as the engine of a journal: its transactions, and what its faults mean."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from twilio_notifications.adapters.journal.calls import CallFailed
from twilio_notifications.adapters.journal.engine import DatabaseFault, ReadFailed
from twilio_notifications.core.errors import JournalDamaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes

R = TypeVar("R")

# https://www.sqlite.org/rescode.html, primary codes: the disk's fault, not the statement's.
DISK_FAULTS: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """Implements DatabaseEngine on one connection."""

    connection: sqlite3.Connection
    has_lanes: ClassVar[bool] = False

    def begin(self, lanes: Lanes | None = None) -> None:  # noqa: ARG002 - a file has one writer
        self.connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        try:
            self.connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:  # a constraint that waits for the end of the transaction
            raise CallFailed from error

    def roll_back(self) -> None:
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def was_committed(self) -> bool:
        """A file answers each COMMIT, so this is not asked."""
        return False

    def fault(self, error: Exception) -> DatabaseFault | None:
        if not isinstance(error, sqlite3.Error):
            return None
        code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
        code &= _PRIMARY_CODE
        if code in DISK_FAULTS:
            return DatabaseFault.PASSING
        return DatabaseFault.FINAL if code in DAMAGE else DatabaseFault.OF_CALL

    def is_passing(self, error: Exception) -> bool:
        return self.fault(error) is DatabaseFault.PASSING

    def lost(self, error: Exception) -> JournalDamaged:
        error_of_all = JournalDamaged(
            f"the journal is damaged ({error}). Nothing more is acknowledged. Keep a copy of the file, then "
            "recover it with sqlite3's .recover, or move it away to begin an empty one."
        )
        error_of_all.__cause__ = error
        return error_of_all


@dataclass(frozen=True, slots=True)
class SqliteReads:
    """Implements Reads, in the event loop itself.

    Measured: a read of some rows costs less than handing it to the writer's thread and back, and there it
    would wait for the commit under way. WAL lets the two connections work side by side.
    """

    connection: sqlite3.Connection

    async def read(self, operation: Callable[[Connection], R]) -> R:
        try:
            return operation(self.connection)
        except sqlite3.Error as error:
            raise ReadFailed from error
