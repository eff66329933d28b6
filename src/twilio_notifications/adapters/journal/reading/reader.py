"""Implements ports.journal.reader, in another process than the connector or in its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.reading import (
    activity,
    changes,
    entries,
    search,
    standing,
    timeline,
)
from twilio_notifications.adapters.journal.reading.veil import Veil
from twilio_notifications.core.errors import NoSuchRequest
from twilio_notifications.ports.journal.reader import EntryPage, Needing, Timeline

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.core.policy import Limits
    from twilio_notifications.ports.journal.reader import Changes, Hour, JournalStanding, Mark, Search


@dataclass(frozen=True, slots=True)
class SqlReader:
    """Implements JournalReader: each call reads one state of the journal."""

    access: Access

    def entries(self, search_: Search, *, now: float, reveal: bool = False) -> EntryPage:
        """The requests that are looked for, the newest first."""
        with self.access.reading() as connection:
            numbers = search.found(connection, search_, now=now)
            shown = numbers[: search_.limit]
            found = entries.entries(connection, shown, now=now, veil=Veil(is_lifted=reveal))
        return EntryPage(entries=found, before=shown[-1] if len(numbers) > len(shown) else None)

    def timeline(self, number: int, *, now: float, reveal: bool = False) -> Timeline:
        """One request with all that happened to it."""
        veil = Veil(is_lifted=reveal)
        with self.access.reading() as connection:
            found = entries.entries(connection, [number], now=now, veil=veil)
            if not found:
                raise NoSuchRequest(
                    f"the journal {self.access.name} holds no request {number}. "
                    "See: twilio-notifications journal list"
                )
            (entry,) = found
            particulars = timeline.particulars(connection, number, veil)
            moments = timeline.timeline(connection, entry, origin=particulars.origin, veil=veil)
        return Timeline(entry=entry, particulars=particulars, moments=moments)

    def standing(self, *, now: float, limits: Limits) -> JournalStanding:
        """How connector and journal stand."""
        with self.access.reading() as connection:
            running = self.access.is_running()
            return standing.standing(
                connection, running=running, now=now, limits=limits, veil=Veil(is_lifted=False)
            )

    def activity(self, *, now: float, hours: int = 24) -> list[Hour]:
        """What happened in each of the last hours, the current one included; the oldest first."""
        with self.access.reading() as connection:
            return activity.activity(connection, now=now, hours=hours)

    def needing_a_person(self, *, now: float, limit: int = 50, reveal: bool = False) -> list[Needing]:
        """What a person should look at: the most pressing needs first, of each the newest requests."""
        with self.access.reading() as connection:
            needs = list(activity.needs(connection, now=now, limit=limit))
            numbers = [number for _, number in needs]
            found = entries.entries(connection, numbers, now=now, veil=Veil(is_lifted=reveal))
        by_number = {entry.number: entry for entry in found}
        return [Needing(need=need, entry=by_number[number]) for need, number in needs if number in by_number]

    def changes(self, after: Mark | None) -> Changes:
        """What has changed since `after`; None: this is the first call."""
        return changes.changes(self.access, after)
