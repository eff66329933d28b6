"""`journal tail`: requests as they come and as something happens to them, until Ctrl-C."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from twilio_notifications import terminal
from twilio_notifications.adapters.sqlite.reading.reader import SqliteReader
from twilio_notifications.commands.journal_reading import forms
from twilio_notifications.commands.journal_reading.display import Form
from twilio_notifications.commands.journal_reading.lines import Table
from twilio_notifications.config import load_journal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.commands.journal_reading.display import Display
    from twilio_notifications.ports.journal.reader import Changes, Entry, Reader, Search

LOOK_SECONDS: Final = 0.5
"""Between two looks for changes."""

MOST_FOLLOWED: Final = 1_000
"""Requests whose last line is remembered: those behind them get a line when they come and when they end."""


def tail(
    config: Path | None,
    search: Search,
    *,
    display: Display,
    environ: Mapping[str, str],
) -> int:
    """Prints the newest requests, the oldest of them first, and then a line for each change, without end."""
    reader = SqliteReader(load_journal(config, environ).journal.path)
    follower = Follower(reader=reader, search=search, reveal=display.reveal)

    def say(found: Sequence[Entry], *, now: float, header: bool) -> None:
        if display.form is Form.JSON:
            terminal.say(*(forms.line(forms.entry_object(entry)) for entry in found))
        else:
            width, calendar = terminal.columns(), display.calendar
            table = Table(calendar=calendar, width=width, now=now, names=display.reveal)
            terminal.say(*table.lines(found, header=header))

    follow(follower, say)
    raise AssertionError("it is followed without end")


def follow(follower: Follower, say: Callable[..., None]) -> None:
    """Looks for changes again and again."""
    changes = follower.reader.changes(None)
    now = time.time()
    say(follower.first(now=now), now=now, header=True)
    while True:
        time.sleep(LOOK_SECONDS)
        changes = follower.reader.changes(changes.mark)
        now = time.time()
        if found := follower.look(changes, now=now):
            say(found, now=now, header=False)


@dataclass(slots=True, kw_only=True)
class Follower:
    """Knows the last line of each request that was shown, so that each change is shown once."""

    reader: Reader
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
