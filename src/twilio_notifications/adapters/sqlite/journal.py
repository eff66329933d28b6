"""The journal on SQLite: each step of the line is one operation, committed in groups by the writer.

It never decides: what a step means was decided in the core. It does enforce: an update names the states that
core/lifecycle.py allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from twilio_notifications.adapters.sqlite import operations
from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, read_beside
from twilio_notifications.adapters.sqlite.operations import Operations
from twilio_notifications.adapters.sqlite.rows import (
    claimed,
    doubtful,
    encoded_charges,
    unreported,
)
from twilio_notifications.adapters.sqlite.writer import Writer
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Tally
from twilio_notifications.ports import (
    NO_CHARGES,
    Agenda,
    Level,
    NewRejection,
    NewRequest,
    Recording,
    Recovery,
    Unreported,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.policy import Charge
    from twilio_notifications.ports import Claimed, Doubtful, Observer, Step

Ordering = Literal["recipient", "none"]
R = TypeVar("R")


class SqliteJournal:
    """A journal in one file, owned by one connector; `path=None` keeps it in memory, for tests and demos."""

    def __init__(
        self,
        path: Path | None,
        *,
        observer: Observer,
        ordering: Ordering = "recipient",
        maximum_waiting: int = 1_000_000,
        deduplicate_seconds: float = 0.0,
    ) -> None:
        self._path = path
        self._observer = observer
        self._operations = Operations(
            overtaking=ordering == "none",
            maximum_waiting=maximum_waiting,
            deduplicate_seconds=deduplicate_seconds,
        )

    async def __aenter__(self) -> Self:
        """Opens the file; raises a JournalError that names it and says what to do."""
        with ExitStack() as opened:
            if self._path is not None:
                opened.callback(FileLock(self._path).release)
            connection = opened.enter_context(closing(open_connection(self._path)))
            self._connection = connection
            for statement in self._operations.wanted_indexes():
                connection.execute(statement)
            self._operations.counts.load(connection)
            self._reader = None
            if self._path is not None:
                self._reader = opened.enter_context(closing(read_beside(self._path)))
            self._writer = Writer(
                connection,
                ledger=self._operations.counts,
                on_disk_fault=self._disk_failed,
                on_disk_recovery=self._disk_recovered,
            )
            self._opened = opened.pop_all()  # nothing failed: it stays open until the end
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.close()
        self._opened.close()

    def _disk_failed(self, fault: str) -> None:
        self._observer.event("journal_unavailable", level=Level.ERROR, journal=str(self._path), error=fault)

    def _disk_recovered(self) -> None:
        self._observer.event("journal_available", journal=str(self._path))

    # The port.

    def record(
        self, arrival: NewRequest | NewRejection, *, if_full: Callable[[], NewRejection] | None = None
    ) -> asyncio.Future[Recording]:
        """NEW, or what else became of it. Where there is no room, `if_full` is recorded in its place."""
        return self._writer.submit(lambda connection: self._operations.record(connection, arrival, if_full))

    def forget_packets(self) -> asyncio.Future[None]:
        """A new session counts its packets from one again; each of them would look like an old one."""
        forgotten = self._writer.submit(operations.forget_packets)
        forgotten.add_done_callback(_seen)
        return forgotten

    async def claim(self, *, due_before: float, limit: int) -> list[Claimed]:
        """Due requests whose turn has come. The file lock is the lease: nobody else can claim them."""
        # Without ordering, what is still to be written may take the turn of what would be claimed: after it.
        read = self._writer.submit if self._operations.overtaking else self._read
        return await read(lambda connection: operations.claim(connection, due_before, limit))

    async def open_attempts(
        self,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]] = NO_CHARGES,
    ) -> None:
        """Opens one attempt for each; on disk, with its charges, before any of them is made."""

        def operation(connection: sqlite3.Connection) -> None:
            rows = [(id_, at, clock_offset, encoded_charges(charges.get(id_, ()))) for id_ in ids]
            self._operations.open_attempts(connection, ids, rows)
            every = [charge for id_ in ids for charge in charges.get(id_, ())]
            connection.executemany(sql.CHARGE, [(one.scope, one.since, one.amount) for one in every])

        await self._writer.submit(operation)

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What of these scopes was used in windows that began at or after `since`."""
        return await self._read(
            lambda connection: Tally(
                {
                    (name, begun): used
                    for scope in scopes
                    for name, begun, used in connection.execute(sql.USAGE, (scope, since))
                }
            )
        )

    async def apply(self, step: Step) -> None:
        """Takes one step of a request's life, its attempt and its status in the same transaction."""
        await self._writer.submit(lambda connection: self._operations.apply(connection, step))

    async def hasten(self, reason: Reason, *, now: float) -> None:
        """Makes due what waits for this reason, because the reason may be gone."""
        values = (now, now, reason, now)
        await self._writer.submit(lambda connection: connection.execute(sql.HASTEN, values).rowcount)

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, wherever they stand in their recipient's order."""
        return await self._select(sql.OVERDUE, (now, limit), claimed)

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are due to be looked up."""
        return await self._select(sql.DOUBTFUL, (now, limit), doubtful)

    async def known_sids(self, sids: Sequence[str]) -> frozenset[str]:
        """Those of `sids` that already belong to an attempt."""
        return await self._read(
            lambda connection: frozenset(
                sid for sid in sids if connection.execute(sql.KNOWN_SID, (sid,)).fetchone() is not None
            )
        )

    async def agenda(self) -> Agenda:
        """When something will be due next."""
        return await self._read(operations.agenda)

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """The outbox beyond position `after`, in the order in which the statuses were written."""
        return await self._select(sql.UNREPORTED, (after, limit), unreported)

    async def report(self, ids: Sequence[int], *, at: float) -> None:
        """Notes that the broker has acknowledged these statuses."""
        await self._writer.submit(lambda connection: self._operations.report(connection, ids, at))

    async def purge(self, *, finished_before: float, limit: int) -> int:
        """Removes reported requests, at most `limit`, so that no purge holds up the line; how many."""

        def operation(connection: sqlite3.Connection) -> int:
            connection.execute(sql.PURGE_USAGE, (finished_before - LONGEST_PERIOD_SECONDS,))
            return connection.execute(sql.PURGE, (finished_before, limit)).rowcount

        return await self._writer.submit(operation)

    async def recover(self, *, now: float) -> Recovery:
        """At a start: attempts that an earlier run left open are in doubt, cut off by our own end."""
        return await self._writer.submit(lambda connection: self._operations.recover(connection, now))

    def by_state(self) -> Mapping[State, int]:
        """How many requests are in each state but REPORTED, as committed; from memory, at no cost."""
        return self._operations.counts.committed_by_state

    async def pulse(self) -> None:
        """Returns when the writer's thread has come round; a failing disk does not stop it."""
        await self._writer.pulse()

    async def _select(
        self, statement: str, parameters: tuple[Any, ...], make: Callable[[tuple[Any, ...]], R]
    ) -> list[R]:
        return await self._read(
            lambda connection: [make(row) for row in connection.execute(statement, parameters)]
        )

    async def _read(self, operation: Callable[[sqlite3.Connection], R]) -> R:
        """Reads what is committed, in the event loop itself.

        Measured: a read of some rows costs less than handing it to the writer's thread and back, and there it
        would wait for the commit under way. WAL lets the two connections work side by side.
        """
        if self._reader is not None:
            try:
                return operation(self._reader)
            except sqlite3.Error:
                # The writer knows what to do with a disk that fails, and meets the same fault.
                return await self._writer.submit(operation)
        return await self._writer.submit(operation)


def _seen(done: asyncio.Future[None]) -> None:
    """Takes note of an error that needs nobody here: whatever waits for the journal has it too."""
    if not done.cancelled():
        done.exception()
