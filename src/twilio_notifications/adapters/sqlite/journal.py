"""The journal on SQLite: one class for each narrow port, on one file, committed in groups by the writer.

It never decides: what a step means was decided in the core. It does enforce: an update names the states that
core/lifecycle.py allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Literal, Self

from twilio_notifications.adapters.sqlite.arrivals import SqliteArrivals
from twilio_notifications.adapters.sqlite.aside import SetAside, tolerant
from twilio_notifications.adapters.sqlite.care import SqliteCare
from twilio_notifications.adapters.sqlite.carrying import Carrying
from twilio_notifications.adapters.sqlite.chaining import Chaining
from twilio_notifications.adapters.sqlite.chains import SqliteChains
from twilio_notifications.adapters.sqlite.deliveries import SqliteDeliveries
from twilio_notifications.adapters.sqlite.disk import Disk
from twilio_notifications.adapters.sqlite.doubts import SqliteDoubts
from twilio_notifications.adapters.sqlite.duplicates import Duplicates
from twilio_notifications.adapters.sqlite.facts import SqliteFacts
from twilio_notifications.adapters.sqlite.memory import Memory
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, read_beside
from twilio_notifications.adapters.sqlite.orders import SqliteOrders
from twilio_notifications.adapters.sqlite.outbox import SqliteOutbox
from twilio_notifications.adapters.sqlite.paces import Paces
from twilio_notifications.adapters.sqlite.place import Place, make_private, real
from twilio_notifications.adapters.sqlite.recording import Recorder
from twilio_notifications.adapters.sqlite.redelivery import Redelivery
from twilio_notifications.adapters.sqlite.reporting import Reports
from twilio_notifications.adapters.sqlite.reserve import Bounds, Reserve
from twilio_notifications.adapters.sqlite.room import Boundless, DiskRoom
from twilio_notifications.adapters.sqlite.statements import arrivals, work
from twilio_notifications.adapters.sqlite.store import Ledger, OpenJournal
from twilio_notifications.adapters.sqlite.taking import Opener, Taker
from twilio_notifications.adapters.sqlite.turns import Turns
from twilio_notifications.adapters.sqlite.usage import SqliteUsage
from twilio_notifications.adapters.sqlite.waits import SqliteWaits
from twilio_notifications.adapters.sqlite.wishing import Wishing
from twilio_notifications.adapters.sqlite.work import SqliteWork
from twilio_notifications.adapters.sqlite.writer import REPORT_SECONDS, Writer
from twilio_notifications.core.pace import NO_PACES
from twilio_notifications.ports.events import (
    ConfigurationWarning,
    Defect,
    JournalLimited,
    JournalUpgrading,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.core.pace import SenderRates
    from twilio_notifications.ports import Events

Ordering = Literal["recipient", "none"]


class SqliteJournal(
    SqliteArrivals,
    SqliteWork,
    SqliteDoubts,
    SqliteUsage,
    SqliteOutbox,
    SqliteDeliveries,
    SqliteChains,
    SqliteOrders,
    SqliteWaits,
    SqliteFacts,
    SqliteCare,
):
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
        report_seconds: float = REPORT_SECONDS,
        paces: Mapping[str, SenderRates] = NO_PACES,
    ) -> None:
        """`sure_seconds`: a PUBACK that a connection outlived by so much has surely reached the broker.

        `report_seconds`: how long a report waits for another transaction to ride with.
        `paces`: the senders whose requests leave only as fast as their rates allow.
        """
        self._path = path
        self._maximum_bytes = maximum_bytes
        self._events = events
        self._monotonic = monotonic
        self._maximum_waiting = maximum_waiting
        self._deduplicate_seconds = deduplicate_seconds
        self._report_seconds = report_seconds
        memory = Memory()
        self._ledger = Ledger(
            memory=memory,
            duplicates=Duplicates(memory, most=maximum_waiting),
            redelivery=Redelivery(sure_seconds=sure_seconds, monotonic=monotonic),
            paces=Paces(paces),
        )
        self._turns = Turns(memory=memory, paces=self._ledger.paces, overtaking=ordering == "none")

    async def __aenter__(self) -> Self:
        """Opens the file; raises a JournalError that names it and says what to do."""
        with ExitStack() as opened:
            if self._path is not None:
                opened.callback(FileLock(self._path).release)
                for warning in make_private(real(self._path)):
                    self._events.tell(ConfigurationWarning(warning=warning))
            connection = tolerant(
                opened.enter_context(closing(open_connection(self._path, progress=self._report_progress)))
            )
            self._create_wanted_indexes(connection)
            self._ledger.load(connection)
            reader = None
            room: Boundless | DiskRoom = Boundless()
            if self._path is not None:
                reader = tolerant(opened.enter_context(closing(read_beside(self._path))))
                room = self._disk_room(real(self._path), connection)
            self._store = self._assembled(connection, reader, room)
            self._opened = opened.pop_all()  # nothing failed: it stays open until the end
        return self

    def _create_wanted_indexes(self, connection: sqlite3.Connection) -> None:
        """Those that only some configurations need, and that are not worth their cost to the others."""
        if self._deduplicate_seconds > 0:
            connection.execute(arrivals.INDEX_REQUEST_IDS)
        if self._turns.overtaking:
            connection.execute(work.INDEX_DUE)

    def _assembled(
        self, connection: sqlite3.Connection, reader: sqlite3.Connection | None, room: Boundless | DiskRoom
    ) -> OpenJournal:
        ledger = self._ledger
        memory = ledger.memory
        taker = Taker(memory=memory, duplicates=ledger.duplicates, turns=self._turns, paces=ledger.paces)
        chaining = Chaining(memory=memory, turns=self._turns, taker=taker, paces=ledger.paces)
        aside, disk = SetAside(), Disk(journal=str(self._path), events=self._events)
        wishing = Wishing(chaining=chaining, aside=aside)
        return OpenJournal(
            writer=Writer(
                connection,
                ledger=ledger,
                on_disk_fault=disk.failed,
                on_disk_recovery=disk.recovered,
                room=room,
                ride_seconds=self._report_seconds,
            ),
            disk=disk,
            reader=reader,
            room=room,
            aside=aside,
            ledger=ledger,
            events=self._events,
            monotonic=self._monotonic,
            recorder=Recorder(
                memory=memory,
                duplicates=ledger.duplicates,
                redelivery=ledger.redelivery,
                turns=self._turns,
                fitting=room,
                paces=ledger.paces,
                chaining=chaining,
                wishing=wishing,
                maximum_waiting=self._maximum_waiting,
                deduplicate_seconds=self._deduplicate_seconds,
            ),
            taker=taker,
            chaining=chaining,
            wishing=wishing,
            carrying=Carrying(
                memory=memory,
                duplicates=ledger.duplicates,
                paces=ledger.paces,
                chaining=chaining,
                fitting=room,
                maximum_waiting=self._maximum_waiting,
            ),
            opener=Opener(memory=memory, paces=ledger.paces),
            reports=Reports(memory=memory, redelivery=ledger.redelivery, on_failed=self._not_reported),
            maximum_waiting=self._maximum_waiting,
        )

    def _disk_room(self, path: Path, connection: sqlite3.Connection) -> DiskRoom:
        bounds = Bounds.here(path, self._maximum_bytes)
        if bounds.maximum < self._maximum_bytes:
            self._events.tell(JournalLimited(journal=str(path), bytes=bounds.maximum))
        room = DiskRoom(
            path,
            bounds,
            reserve=Reserve(path),
            place=Place(path),
            unfinished=lambda: self._ledger.memory.unfinished,
            events=self._events,
        )
        room.prepare(connection)
        return room

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._store.writer.close()
        self._opened.close()

    def _report_progress(self, taken: int, of: int) -> None:
        self._events.tell(JournalUpgrading(journal=str(self._path), requests=taken, of=of))

    def _not_reported(self, failed: Mapping[int, Exception]) -> None:
        for position, error in failed.items():
            self._events.tell(Defect(name="request_defect", error=error))
            self._store.leave_status(position)
