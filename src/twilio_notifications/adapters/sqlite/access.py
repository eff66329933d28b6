"""Implements Access on a journal's file."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.backlog import SqlBacklog
from twilio_notifications.adapters.journal.desk import SqlOrderDesk
from twilio_notifications.adapters.journal.reading.reader import SqlReader
from twilio_notifications.adapters.sqlite.opening import (
    lock_file,
    open_for_reading,
    open_for_writing,
    read_beside,
)
from twilio_notifications.adapters.sqlite.place import real
from twilio_notifications.adapters.sqlite.translating import translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COARSE_NANOSECONDS: Final = 100_000_000
"""Two changes of a file within one tick of the kernel's clock have one time; no tick is so long."""

NOTHING: Final = 1
"""In place of the time of a file that holds nothing."""


@dataclass(frozen=True, slots=True)
class SqliteAccess:
    """Each call opens the file and closes it."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    @contextmanager
    def reading(self, *, glance: bool = False) -> Iterator[sqlite3.Connection]:
        with translated(self.path):
            opened = read_beside(self.path) if glance else open_for_reading(self.path, thoroughly=False)
            with closing(opened) as connection:
                connection.row_factory = sqlite3.Row
                connection.execute("PRAGMA temp_store = MEMORY")
                connection.execute("BEGIN")
                yield connection

    @contextmanager
    def ordering(self) -> Iterator[sqlite3.Connection]:
        with translated(self.path), closing(open_for_writing(self.path)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def is_running(self) -> bool:
        """Whether a connector holds the lock. It is held by none where its file cannot be opened."""
        try:
            descriptor = os.open(lock_file(real(self.path)), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return False
        try:
            # Shared, and for a moment: it ends with the descriptor.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def last_written(self) -> tuple[int, ...]:
        """When the file and its write-ahead log were written to, in nanoseconds."""
        now, journal = time.time_ns(), real(self.path)
        log = journal.with_name(f"{journal.name}-wal")
        return tuple(_last_written(file, now) for file in (journal, log))


def _last_written(file: Path, now: int) -> int:
    """0: so recently that it may be again at the same time."""
    try:
        found = file.stat()
    except FileNotFoundError:  # there is no log after the last connection was closed
        return NOTHING
    except OSError:  # opening it says what is wrong
        return 0
    if not found.st_size:  # as a reader leaves it
        return NOTHING
    return 0 if abs(now - found.st_mtime_ns) < _COARSE_NANOSECONDS else found.st_mtime_ns


def sqlite_reader(path: Path) -> SqlReader:
    """What people read of the journal in this file."""
    return SqlReader(SqliteAccess(path))


def sqlite_desk(path: Path) -> SqlOrderDesk:
    """Where people order of the connector of this file."""
    return SqlOrderDesk(SqliteAccess(path))


def sqlite_backlog(path: Path) -> SqlBacklog:
    """What waits in the journal in this file, which is open."""
    return SqlBacklog(SqliteAccess(path))
