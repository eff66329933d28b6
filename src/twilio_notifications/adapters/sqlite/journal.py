"""The journal on SQLite: each step of the line is one operation, committed in groups by the writer.

It never decides: what a step means was decided in the core. It does enforce: an update names the states that
core/lifecycle.py allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

import sqlite3
import time
from contextlib import ExitStack, closing
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from twilio_notifications.adapters.sqlite import operations
from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.aside import SetAside, tolerant
from twilio_notifications.adapters.sqlite.counts import Counts
from twilio_notifications.adapters.sqlite.duplicates import Duplicates
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, read_beside
from twilio_notifications.adapters.sqlite.operations import Operations
from twilio_notifications.adapters.sqlite.place import Place, make_private, real
from twilio_notifications.adapters.sqlite.redelivery import Redelivery
from twilio_notifications.adapters.sqlite.reserve import Bounds, Reserve
from twilio_notifications.adapters.sqlite.room import Boundless, DiskRoom
from twilio_notifications.adapters.sqlite.rows import (
    claimed,
    doubtful,
    encoded_charges,
    size_of,
    unreported,
)
from twilio_notifications.adapters.sqlite.writer import Writer
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Tally
from twilio_notifications.core.suspicion import SUSPECT
from twilio_notifications.ports import (
    NO_CHARGES,
    Agenda,
    Finish,
    NewRejection,
    NewRequest,
    Recording,
    Recovery,
    Unreported,
)
from twilio_notifications.ports.events import (
    ConfigurationWarning,
    Defect,
    JournalAvailable,
    JournalLimited,
    JournalUnavailable,
    RequestSetAside,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.policy import Charge
    from twilio_notifications.ports import BrokenRow, Claimed, Doubtful, Events, Step

Ordering = Literal["recipient", "none"]
R = TypeVar("R")


class SqliteJournal:
    """A journal in one file, owned by one connector; `path=None` keeps it in memory, for tests and demos."""

    def __init__(  # noqa: PLR0913 - what the configuration says of it, each with its default
        self,
        path: Path | None,
        *,
        events: Events,
        ordering: Ordering = "recipient",
        maximum_waiting: int = 1_000_000,
        deduplicate_seconds: float = 0.0,
        sure_seconds: float = 210.0,
        monotonic: Callable[[], float] = time.monotonic,
        maximum_bytes: int = 2_000_000_000,
    ) -> None:
        """`sure_seconds`: a PUBACK that a connection outlived by so much has surely reached the broker."""
        self._path = path
        self._maximum_bytes = maximum_bytes
        self._events = events
        self._monotonic = monotonic
        self._aside = SetAside()
        counts = Counts()
        self._operations = Operations(
            counts=counts,
            duplicates=Duplicates(counts, most=maximum_waiting),
            overtaking=ordering == "none",
            maximum_waiting=maximum_waiting,
            deduplicate_seconds=deduplicate_seconds,
            redelivery=Redelivery(sure_seconds=sure_seconds, monotonic=monotonic),
        )

    async def __aenter__(self) -> Self:
        """Opens the file; raises a JournalError that names it and says what to do."""
        with ExitStack() as opened:
            if self._path is not None:
                opened.callback(FileLock(self._path).release)
                for warning in make_private(real(self._path)):
                    self._events.tell(ConfigurationWarning(warning=warning))
            connection = tolerant(opened.enter_context(closing(open_connection(self._path))))
            self._connection = connection
            for statement in self._operations.wanted_indexes():
                connection.execute(statement)
            self._operations.load(connection)
            self._reader = None
            self._room: Boundless | DiskRoom = Boundless()
            if self._path is not None:
                self._reader = tolerant(opened.enter_context(closing(read_beside(self._path))))
                self._room = self._disk_room(real(self._path), connection)
            self._writer = Writer(
                connection,
                ledger=self._operations,
                on_disk_fault=self._disk_failed,
                on_disk_recovery=self._disk_recovered,
                room=self._room,
            )
            self._opened = opened.pop_all()  # nothing failed: it stays open until the end
        return self

    def _disk_room(self, path: Path, connection: sqlite3.Connection) -> DiskRoom:
        bounds = Bounds.here(path, self._maximum_bytes)
        if bounds.maximum < self._maximum_bytes:
            self._events.tell(JournalLimited(journal=str(path), bytes=bounds.maximum))
        room = DiskRoom(
            path,
            bounds,
            reserve=Reserve(path),
            place=Place(path),
            unfinished=lambda: self._operations.counts.unfinished,
            events=self._events,
        )
        room.prepare(connection)
        return room

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.close()
        self._opened.close()

    def _disk_failed(self, fault: str) -> None:
        self._events.tell(JournalUnavailable(journal=str(self._path), error=fault))

    def _disk_recovered(self) -> None:
        self._events.tell(JournalAvailable(journal=str(self._path)))

    # The port.

    def record(
        self, arrival: NewRequest | NewRejection, *, if_full: Callable[[], NewRejection] | None = None
    ) -> asyncio.Future[Recording]:
        """NEW, or what else became of it. Where there is no room, `if_full` is recorded in its place."""
        now = self._monotonic()
        return self._writer.submit(
            lambda connection: self._operations.record(connection, arrival, if_full, now, self._room),
            arrival=True,
            size=size_of(arrival),
        )

    def forget_packets(self) -> asyncio.Future[None]:
        """The broker has a new session for us: nothing that came over the last one is delivered again."""
        # Like an arrival, because it must not overtake those that came before it.
        forgotten = self._writer.submit(self._operations.redelivery.forget, arrival=True)
        forgotten.add_done_callback(_seen)
        return forgotten

    def connection_ended(self) -> None:
        """What came over it may be delivered again over the next one."""
        ended = partial(self._operations.redelivery.connection_ended, now=self._monotonic())
        self._writer.submit(ended, arrival=True).add_done_callback(_seen)

    async def claim(self, *, due_before: float, limit: int, place: int = 0) -> list[Claimed]:
        """Due requests whose turn has come. The file lock is the lease: no other process can claim them."""
        # Without ordering, what is still to be written may take the turn of what would be claimed: after it.
        read = self._writer.submit if self._operations.overtaking else self._read
        return await read(
            lambda connection: operations.claim(
                connection, self._aside, due_before=due_before, limit=limit, place=place
            )
        )

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
        if isinstance(step, Finish):
            self._aside.discard(step.id)

    async def hasten(self, reason: Reason, *, now: float) -> None:
        """Makes due what waits for this reason, because the reason may be gone."""
        values = (now, now, reason, now)
        try:
            await self._writer.submit(lambda connection: connection.execute(sql.HASTEN, values).rowcount)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - they are due at their own time then
            self._events.tell(Defect(name="journal_step_failed", error=error))

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, wherever they stand in their recipient's order."""
        return await self._select(sql.OVERDUE, now, claimed, limit=limit)

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are due to be looked up."""
        return await self._select(sql.DOUBTFUL, now, doubtful, limit=limit)

    async def known_sids(self, sids: Sequence[str]) -> frozenset[str]:
        """Those of `sids` that already belong to an attempt."""
        return await self._read(
            lambda connection: frozenset(
                sid for sid in sids if connection.execute(sql.KNOWN_SID, (sid,)).fetchone() is not None
            )
        )

    async def agenda(self) -> Agenda:
        """When something will be due next."""
        return await self._read(lambda connection: operations.agenda(connection, self._aside))

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """The outbox beyond position `after`, in the order in which the statuses were written."""
        return await self._select(sql.UNREPORTED, after, unreported, limit=limit)

    async def report(self, ids: Sequence[int], *, at: float) -> None:
        """Notes that the broker has acknowledged these statuses."""
        now = self._monotonic()

        def operation(connection: sqlite3.Connection, some: Sequence[int]) -> None:
            self._operations.redelivery.raise_watermark(connection, now=now)
            self._operations.report(connection, some, at)

        await self._each(ids, operation)

    async def suspects(self, *, limit: int) -> list[Unreported]:
        """Statuses that a broker may not take: by their points, then by their size, the lowest first."""
        return await self._select(sql.SUSPECTS, SUSPECT, unreported, limit=limit)

    async def suspect(self, points: Mapping[int, int]) -> None:
        """Adds points against these statuses."""

        def operation(connection: sqlite3.Connection, some: Sequence[int]) -> None:
            connection.executemany(sql.SUSPECT, [(points[id_], id_) for id_ in some])

        await self._each(list(points), operation)

    async def remark(self, id_: int, remark: str) -> None:
        """Notes for people what became of this status."""
        await self._each([id_], lambda connection, _: connection.execute(sql.REMARK, (remark, id_)))

    async def too_large(self, *, since: float) -> int | None:
        """The smallest size over which the broker ended connections; None: not since then."""
        row = await self._read(lambda connection: connection.execute(sql.TOO_LARGE, (since,)).fetchone())
        return None if row is None else int(row[0])

    async def note_too_large(self, size: int, *, at: float) -> None:
        """Remembers that size, also for the next start."""
        values = (size, at)
        await self._writer.submit(lambda connection: connection.execute(sql.NOTE_TOO_LARGE, values).rowcount)

    async def purge(self, *, finished_before: float, limit: int, rejections_only: bool = False) -> int:
        """Removes reported requests, at most `limit`, so that no purge holds up the line; how many."""
        statement = sql.PURGE_REJECTIONS if rejections_only else sql.PURGE
        now = self._monotonic()

        def operation(connection: sqlite3.Connection) -> int:
            self._operations.redelivery.raise_watermark(connection, now=now)
            return connection.execute(statement, (finished_before, limit)).rowcount

        return await self._writer.submit(operation)

    async def forget_usage(self, *, now: float) -> None:
        """Removes what was used of the limits in windows that no limit looks at any more."""
        bound = (now - LONGEST_PERIOD_SECONDS,)
        await self._writer.submit(lambda connection: connection.execute(sql.PURGE_USAGE, bound).rowcount)

    async def recover(self, *, now: float) -> Recovery:
        """At a start: attempts that an earlier run left open are in doubt, cut off by our own end."""
        try:
            return await self._writer.submit(lambda connection: self._operations.recover(connection, now))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one row is the cause, and must not keep the others waiting
            self._events.tell(Defect(name="journal_step_failed", error=error))
        left_open = await self._read(operations.left_open)
        await self._each(
            left_open, lambda connection, some: self._operations.recover_some(connection, some, now)
        )
        return self._operations.counts.recovery()

    async def broken_rows(self) -> list[BrokenRow]:
        """Requests whose rows could not be read since the last call; they are set aside already."""
        return self._aside.broken()

    def set_aside(self, id_: int) -> None:
        """From now on until the next start, no call returns this request: a defect holds it up."""
        self._aside.add(id_)

    def by_state(self) -> Mapping[State, int]:
        """How many requests are in each state but REPORTED, as committed; from memory, at no cost."""
        return self._operations.counts.committed_by_state

    async def pulse(self) -> None:
        """Returns when the writer's thread has come round; a failing disk does not stop it."""
        await self._writer.pulse()

    async def _each(
        self, ids: Sequence[int], operation: Callable[[sqlite3.Connection, Sequence[int]], object]
    ) -> None:
        """In one transaction, or where a defect fails that, in one for each; sets aside what fails alone."""
        try:
            await self._writer.submit(lambda connection: operation(connection, ids))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one of them is the cause
            if len(ids) > 1:
                for id_ in ids:
                    await self._each([id_], operation)
                return
            self._events.tell(Defect(name="request_defect", error=error))
            self._aside.add(ids[0])
            self._events.tell(RequestSetAside(number=ids[0], answered=False))

    async def _select(
        self, statement: str, bound: float, make: Callable[[tuple[Any, ...]], R], *, limit: int
    ) -> list[R]:
        aside = self._aside
        return await self._read(
            lambda connection: aside.values(
                connection.execute(statement, (bound, aside.limit(limit))), make, wanted=limit
            )
        )

    async def _read(self, operation: Callable[[sqlite3.Connection], R]) -> R:
        """Reads what is committed, in the event loop itself.

        Measured: a read of some rows costs less than handing it to the writer's thread and back, and there it
        would wait for the commit under way. WAL lets the two connections work side by side.
        """
        self._writer.require_sound()
        if self._reader is not None:
            try:
                return operation(self._reader)
            except sqlite3.Error:
                # The writer knows what to do with a disk that fails, and meets the same fault.
                return await self._writer.submit(operation)
        return await self._writer.submit(operation)


def _seen(done: asyncio.Future[None]) -> None:
    """Marks an error as seen: everything that waits for the journal gets it too."""
    if not done.cancelled():
        done.exception()
