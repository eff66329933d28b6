"""Requests as they come and as something happens to them: which of them are news."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports.journal.reader import Changes, Entry, JournalReader, Search

MOST_FOLLOWED: Final = 1_000
"""Requests whose last line is remembered: those behind them get a line when they come and when they end."""


@dataclass(slots=True, kw_only=True)
class Follower:
    """Knows the last line of each request that was shown, so that each change is shown once."""

    reader: JournalReader
    search: Search
    reveal: bool
    _shown: dict[int, Entry] = field(init=False, default_factory=dict)

    def first(self, *, now: float) -> list[Entry]:
        """The newest requests, the oldest of them first."""
        page = self.reader.entries(self.search, now=now, reveal=self.reveal)
        return self._new(page.entries)

    def look(self, changes: Changes, *, now: float) -> list[Entry]:
        """What has changed of the requests that are looked for, the oldest first."""
        unfinished = [number for number, entry in self._shown.items() if entry.finished_at is None]
        among = sorted({*changes.requests, *unfinished})
        if not (changes.anything and among):
            return []
        search = replace(self.search, among=among, limit=len(among))
        return self._new(self.reader.entries(search, now=now, reveal=self.reveal).entries)

    def _new(self, entries: Sequence[Entry]) -> list[Entry]:
        found = [entry for entry in reversed(entries) if self._shown.get(entry.number) != entry]
        self._shown.update((entry.number, entry) for entry in found)
        for number in sorted(self._shown)[:-MOST_FOLLOWED]:
            del self._shown[number]
        return found
