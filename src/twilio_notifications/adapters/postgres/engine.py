"""PostgreSQL as the engine of a journal: its transactions, and how a lost connection is survived.

Each transaction writes its number into the connector's row of the table `writers`. Where the connection is
lost within a COMMIT, the row says on a new connection whether that transaction was committed: reading it for
an update waits until the transaction of the old connection has ended, either way.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Final, TypeVar

from twilio_notifications.adapters.journal.engine import CommitUnknown, DatabaseFault, ReadFailed
from twilio_notifications.adapters.postgres.faults import ERRORS, fault_of
from twilio_notifications.adapters.postgres.locking import locks
from twilio_notifications.adapters.postgres.opening import SETTINGS, VERSION, newest_version, version_of
from twilio_notifications.core.errors import JournalDamaged

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.adapters.postgres.session import Session

R = TypeVar("R")

WRITER: Final = "SELECT number FROM writers WHERE token = ? FOR UPDATE"

BEGIN_WRITING: Final = "INSERT INTO writers (token, number, used_at) VALUES (?, 0, clock_timestamp())"

# A connector that runs writes each second.
FORGET_WRITERS: Final = "DELETE FROM writers WHERE used_at < clock_timestamp() - INTERVAL '7 days'"

LOCK_MILLISECONDS: Final = 20_000
"""How long a transaction waits for a lock before it is tried again."""

CLOCK: Final = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"


@dataclass(slots=True, kw_only=True)
class PostgresEngine:
    """Implements DatabaseEngine."""

    connection: Session
    token: str
    """Hexadecimal digits, new at each start."""
    place: str
    """How the journal is called in sentences."""
    on_committed: Callable[[Session], None]
    """Called after each commit; what it raises has no effect on what is committed."""
    silence_seconds: float = 5.0
    """A transaction in which the connector says nothing for so long is ended by the server, with its locks,
    for which the others wait: the connector was stopped, or its machine is lost."""
    has_lanes: ClassVar[bool] = True
    _version: int = field(init=False, default_factory=newest_version)
    _number: int = field(init=False, default=0)
    _begun: bool = field(init=False, default=False)

    def begin(self, lanes: Lanes | None = None) -> None:
        """Raises JournalTooNew where a later version of this program has migrated the journal."""
        self._number += 1
        number = f"UPDATE writers SET number = {self._number}, used_at = clock_timestamp()"  # noqa: S608 - our own
        own = f"WHERE token = '{self.token}' AND ({VERSION}) = {self._version}"
        silence = f"SET LOCAL idle_in_transaction_session_timeout = {int(self.silence_seconds * 1000)}"
        # Below COMMAND_SECONDS: a session that this side gave up would go on waiting for the lock.
        limits = f"{silence}; SET LOCAL lock_timeout = {LOCK_MILLISECONDS}"
        # Locks come first: each later statement reads what those have written that held them before.
        self._begun = True
        try:
            status = self.connection.command(f"BEGIN; {SETTINGS}; {limits}; {locks(lanes)}; {number} {own}")
        except ERRORS as error:
            self.roll_back()
            if fault_of(error) is DatabaseFault.OF_CALL:  # as where there is no such table any more
                self.connection.run(version_of)
            raise
        if status != "UPDATE 1":
            self.roll_back()
            self.connection.run(version_of)
            raise self._forgotten()

    def commit(self) -> None:
        try:
            self.connection.command("COMMIT")
        except ERRORS as error:
            if fault_of(error) is DatabaseFault.PASSING:
                self.connection.drop()
                raise CommitUnknown(str(error)) from error
            raise
        finally:
            self._begun = False
        with suppress(*ERRORS):  # the next transaction meets a connection that is lost
            self.on_committed(self.connection)

    def roll_back(self) -> None:
        """Drops a connection on which that is not possible: the server then does it."""
        if not self._begun:
            return
        self._begun = False
        try:
            if self.connection.is_open():
                self.connection.command("ROLLBACK")
        except ERRORS:
            self.connection.drop()

    def was_committed(self) -> bool:
        row = self.connection.execute(WRITER, (self.token,)).fetchone()
        if row is None:
            raise self._forgotten()
        return bool(row[0] == self._number)

    def fault(self, error: Exception) -> DatabaseFault | None:
        return fault_of(error)

    def is_passing(self, error: Exception) -> bool:
        return fault_of(error) in {DatabaseFault.PASSING, DatabaseFault.CONFLICT}

    def lost(self, error: Exception) -> JournalDamaged:
        lost = JournalDamaged(
            f"the journal {self.place} cannot be used any more ({error}). Nothing more is acknowledged. See "
            "the log of the PostgreSQL server; where its files are damaged, restore a backup."
        )
        lost.__cause__ = error
        return lost

    def _forgotten(self) -> JournalDamaged:
        return JournalDamaged(
            f"the journal {self.place} does not know this connector any more, as after a backup was restored "
            "or after a week without a connection. Start the connector again."
        )


@dataclass(slots=True)
class PostgresReads:
    """Implements Reads, with a connection and a thread of its own, so that the event loop turns meanwhile."""

    session: Session
    _thread: ThreadPoolExecutor = field(
        init=False,
        default_factory=lambda: ThreadPoolExecutor(1, thread_name_prefix="twilio_notifications.reads"),
    )

    async def read(self, operation: Callable[[Connection], R]) -> R:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, operation, self.session)
        except ERRORS as error:
            raise ReadFailed from error

    def close(self) -> None:
        """Waits for a read under way, and ends the connection."""
        with suppress(RuntimeError):
            self._thread.submit(self.session.close).result()
        self._thread.shutdown()
