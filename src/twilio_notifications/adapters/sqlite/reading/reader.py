"""Implements ports.journal.reader on an SQLite file, in another process than the connector or in its own."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite.opening import open_for_reading
from twilio_notifications.adapters.sqlite.reading import (
    activity,
    changes,
    entries,
    search,
    standing,
    timeline,
)
from twilio_notifications.adapters.sqlite.reading.veil import Veil
from twilio_notifications.adapters.sqlite.translating import translated
from twilio_notifications.core.errors import NoSuchRequest
from twilio_notifications.ports.journal.reader import EntryPage, Needing, Timeline

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.core.policy import Limits
    from twilio_notifications.ports.journal.reader import Changes, Hour, JournalStanding, Mark, Search


@dataclass(frozen=True, slots=True)
class SqliteReader:
    """Implements JournalReader: each call opens the file, reads one state of it, and closes it."""

    path: Path

    def entries(self, search_: Search, *, now: float, reveal: bool = False) -> EntryPage:
        """The requests that are looked for, the newest first."""
        with self._read() as connection:
            numbers = search.found(connection, search_, now=now)
            shown = numbers[: search_.limit]
            found = entries.entries(connection, shown, now=now, veil=Veil(is_lifted=reveal))
        return EntryPage(entries=found, before=shown[-1] if len(numbers) > len(shown) else None)

    def timeline(self, number: int, *, now: float, reveal: bool = False) -> Timeline:
        """One request with all that happened to it."""
        veil = Veil(is_lifted=reveal)
        with self._read() as connection:
            found = entries.entries(connection, [number], now=now, veil=veil)
            if not found:
                raise NoSuchRequest(
                    f"the journal {self.path} holds no request {number}. "
                    "See: twilio-notifications journal list"
                )
            (entry,) = found
            particulars = timeline.particulars(connection, number, veil)
            moments = timeline.timeline(connection, entry, origin=particulars.origin, veil=veil)
        return Timeline(entry=entry, particulars=particulars, moments=moments)

    def standing(self, *, now: float, limits: Limits) -> JournalStanding:
        """How connector and journal stand."""
        with self._read() as connection:
            return standing.standing(
                connection, self.path, now=now, limits=limits, veil=Veil(is_lifted=False)
            )

    def activity(self, *, now: float, hours: int = 24) -> list[Hour]:
        """What happened in each of the last hours, the current one included; the oldest first."""
        with self._read() as connection:
            return activity.activity(connection, now=now, hours=hours)

    def needing_a_person(self, *, now: float, limit: int = 50, reveal: bool = False) -> list[Needing]:
        """What a person should look at: the most pressing needs first, of each the newest requests."""
        with self._read() as connection:
            needs = list(activity.needs(connection, now=now, limit=limit))
            numbers = [number for _, number in needs]
            found = entries.entries(connection, numbers, now=now, veil=Veil(is_lifted=reveal))
        by_number = {entry.number: entry for entry in found}
        return [Needing(need=need, entry=by_number[number]) for need, number in needs if number in by_number]

    def changes(self, after: Mark | None) -> Changes:
        """What has changed since `after`; None: this is the first call."""
        return changes.changes(self.path, after, self._read)

    @contextmanager
    def _read(self) -> Iterator[sqlite3.Connection]:
        """One state of the journal, whatever is written meanwhile."""
        with translated(self.path), closing(open_for_reading(self.path, thoroughly=False)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("BEGIN")
            yield connection
