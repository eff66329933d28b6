"""Keeps the journal within its bytes: removes what was reported first, and makes room on a full disk.

All of it runs in the writer's thread, between two transactions. What is not reported is never removed.
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.numbers import keep_position
from twilio_notifications.adapters.journal.room import YET_TO_COME_BYTES, ReserveGone
from twilio_notifications.adapters.journal.statements import care as sql
from twilio_notifications.adapters.sqlite.reserve import file_bytes
from twilio_notifications.ports.events import Defect, JournalTrimmed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.sqlite.place import Place
    from twilio_notifications.adapters.sqlite.reserve import Bounds, Reserve
    from twilio_notifications.ports import Events

DELETION_BYTES: Final = 40 * 1024
"""What the deletion of a row writes to the log at most: a page for each index, and some of the free list."""

MOST_AT_ONCE: Final = 200
"""Rows deleted in one transaction, so that no request waits for more."""

ROUNDS: Final = 20
"""Such transactions before one that records: what is left to delete is deleted before the next ones."""

ENOUGH_FREE_PAGES: Final = 64
"""With this number of free pages in the file, deleting more rows does not help a disk that others have
filled."""

FEWEST_PAGES: Final = "PRAGMA wal_autocheckpoint = 15"
CHECKPOINTS: Final = (
    (1000, "PRAGMA wal_autocheckpoint = 1000"),
    (250, "PRAGMA wal_autocheckpoint = 250"),
    (60, "PRAGMA wal_autocheckpoint = 60"),
)
"""Pages in the write-ahead log after which SQLite moves it into the database, by the size that it may
have."""


class DiskRoom:
    """The room of a journal in a file."""

    def __init__(
        self,
        path: Path,
        bounds: Bounds,
        *,
        reserve: Reserve,
        place: Place,
        unfinished: Callable[[], int],
        events: Events,
    ) -> None:
        self._log = path.with_name(path.name + "-wal")
        self._bounds = bounds
        self._reserve = reserve
        self._place = place
        self._unfinished = unfinished
        self._events = events
        self._trimming = False
        self._page_bytes = 4096
        self.batch_bytes = bounds.batch
        self.left = 0
        self._high = bounds.database * 9 // 10
        # A batch earlier: steps that share the transaction write before its requests are looked at.
        self._trimmed_from = self._high - bounds.batch
        self._low = bounds.database * 85 // 100
        self._rows_at_once = max(1, min(MOST_AT_ONCE, bounds.reserve // 2 // DELETION_BYTES))

    def prepare(self, connection: Connection) -> None:
        """At a start: has SQLite keep to the bounds, takes the reserve, and removes what is beyond them."""
        (self._page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
        pages = self._bounds.checkpoint // self._page_bytes
        connection.execute(next((text for least, text in CHECKPOINTS if pages >= least), FEWEST_PAGES))
        self._reserve.take(self._bounds.reserve)
        while self._expected(connection, 0) > self._high and self._trim(connection):
            pass
        self.left = self._high - self._expected(connection, 0)

    def make(self, connection: Connection, size: int) -> None:
        """Removes what was reported, oldest first, until `size` bytes fit.

        Raises FilesMoved where the path does not name the open files any more, and ReserveGone.
        """
        self._place.check()  # first: where the folder is gone, the reserve cannot be taken either
        if not self._reserve.take(self._bounds.reserve):
            raise ReserveGone("the disk is full, and the reserve that the journal keeps on it is used up")
        expected = self._expected(connection, size)
        self.left = self._high - expected
        if expected <= self._trimmed_from:
            self._trimming = self._trimming and expected > self._bounds.database // 2
            return
        for _ in range(ROUNDS):
            if not self._trim(connection) or self._expected(connection, size) <= self._low:
                break
        if not self._trimming:
            self._trimming = True
            self._events.tell(JournalTrimmed(bytes=self._bounds.maximum))

    def relieve(self, connection: Connection) -> None:
        """Frees what it can of a full disk; never raises for the disk."""
        self._reserve.give_up()
        self._start_log_over(connection)
        with suppress(sqlite3.Error):
            if connection.execute("PRAGMA freelist_count").fetchone()[0] < ENOUGH_FREE_PAGES:
                self._trim(connection)
        self._start_log_over(connection)
        self._reserve.take(self._bounds.reserve)

    def check(self) -> None:
        """Raises FilesMoved where the path does not name the open files any more."""
        self._place.check()

    def fits(self, size: int, *, used: int, unfinished: int) -> bool:
        """Whether a request of `size` bytes fits, with what it and the others will still need."""
        return used + size + (unfinished + 1) * YET_TO_COME_BYTES <= self._high

    def fits_answer(self, size: int, *, used: int) -> bool:
        """Whether a status fits that needs nothing more; for those there is a share that no request takes."""
        return used + size <= self._bounds.database

    def _start_log_over(self, connection: Connection) -> None:
        """Not by TRUNCATE: the log's room on the disk stays ours, to be written over."""
        with suppress(sqlite3.Error):
            connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()

    def _expected(self, connection: Connection, size: int) -> int:
        return self.used(connection) + size + self._unfinished() * YET_TO_COME_BYTES

    def used(self, connection: Connection) -> int:
        """Bytes of the rows and their indexes, and of what the log holds beyond its share."""
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (free,) = connection.execute("PRAGMA freelist_count").fetchone()
        used: int = (pages - free) * self._page_bytes
        # The log is larger than its share only where a reader of another process keeps it from starting over.
        return used + max(0, file_bytes(self._log) - self._bounds.log)

    def _trim(self, connection: Connection) -> int:
        """Deletes the oldest reported requests in a transaction of its own; how many."""
        try:
            connection.execute("BEGIN IMMEDIATE")
            keep_position(connection)
            deleted = connection.execute(sql.TRIM, (self._rows_at_once,)).rowcount
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                raise
            self._events.tell(
                Defect(name="journal_step_failed", error=error)
            )  # a trigger keeps a row, for example
            return 0
        return deleted
