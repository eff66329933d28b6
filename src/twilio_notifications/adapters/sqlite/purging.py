"""Removes old requests from a journal whose connector does not run.

It needs the journal for itself: the connector holds unfinished requests in memory, and a second writer would
contradict it.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.numbers import keep_position
from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection
from twilio_notifications.adapters.sqlite.place import look, real, require_folder
from twilio_notifications.adapters.sqlite.reserve import Reserve
from twilio_notifications.adapters.sqlite.translating import translated
from twilio_notifications.core.errors import JournalError, JournalLocked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator
    from pathlib import Path

PURGED_AT_ONCE = 20
"""Requests in one transaction of a purge: with all their indexes, less than a megabyte of log."""


@dataclass(frozen=True, slots=True)
class JournalFile:
    """A journal's file. Each call raises a JournalError that says what to do."""

    path: Path

    def purge(self, *, finished_before: float) -> int:
        """Removes what was reported before that instant; how many requests.

        In small transactions: on a full disk, the reserve has to be room enough for each of them.
        """
        removed = 0
        with self._locked_journal() as connection:
            bounds = {"before": finished_before, "limit": PURGED_AT_ONCE}
            keep_position(connection)
            while batch := connection.execute(care.PURGE, bounds).rowcount:
                removed += batch
                connection.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()
        return removed

    @contextmanager
    def _locked_journal(self) -> Iterator[sqlite3.Connection]:
        """The journal, locked. On a full disk its reserve is given up; the next start takes it again."""
        require_folder(self.path)
        if look(self.path) is None:
            raise JournalError(f"there is no journal {self.path}")
        try:
            lock = FileLock(self.path)
        except JournalLocked as error:
            raise JournalLocked(
                f"a connector is running on the journal {self.path}. Stop it, purge, and start it again."
            ) from error
        try:
            with translated(self.path), closing(open_connection(self.path)) as connection:
                Reserve(real(self.path)).give_up()
                yield connection
        finally:
            lock.release()
