"""The journal on SQLite, on one file."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Self, Unpack

from twilio_notifications.adapters.journal.journal import SqlJournal
from twilio_notifications.adapters.journal.room import BoundingRoom, Boundless
from twilio_notifications.adapters.sqlite.decoding import tolerant
from twilio_notifications.adapters.sqlite.engine import SqliteEngine, SqliteReads
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, read_beside
from twilio_notifications.adapters.sqlite.place import Place, make_private, real
from twilio_notifications.adapters.sqlite.reserve import Bounds, Reserve
from twilio_notifications.adapters.sqlite.room import DiskRoom
from twilio_notifications.ports.events import ConfigurationWarning, JournalLimited, JournalUpgrading

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.adapters.journal.journal import JournalOptions
    from twilio_notifications.ports import Events


class SqliteJournal(SqlJournal):
    """A journal in one file, owned by one connector; `path=None` keeps it in memory, for tests and demos."""

    def __init__(
        self,
        path: Path | None,
        *,
        events: Events,
        maximum_bytes: int = 2_000_000_000,
        **options: Unpack[JournalOptions],
    ) -> None:
        """`options` are those of SqlJournal."""
        super().__init__(str(path), events=events, **options)
        self._path = path
        self._maximum_bytes = maximum_bytes

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
            self._ledger.paces.load(connection)
            self._ledger.load(connection)
            reads = None
            room: BoundingRoom = Boundless()
            if self._path is not None:
                reads = SqliteReads(tolerant(opened.enter_context(closing(read_beside(self._path)))))
                room = self._disk_room(real(self._path), connection)
            self._store = self._assembled(SqliteEngine(connection), reads, room)
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
