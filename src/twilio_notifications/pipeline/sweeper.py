"""Removes requests that were reported longer ago than the retention time, a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Journal, Observer

BATCH = 200
"""Rows in one transaction: some milliseconds, so that nobody's request waits for it."""
PAUSE_SECONDS = 0.1
"""Between two batches, for others to use the journal."""
INTERVAL_SECONDS = 600.0
"""Between two looks when nothing was left to remove."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    journal: Journal
    clock: Clock
    observer: Observer
    retention_seconds: float

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            removed = await self.sweep()
            if removed:
                self.observer.event("journal_purged", requests=removed)
            await self.clock.sleep(INTERVAL_SECONDS)

    async def sweep(self) -> int:
        """Removes everything that is due, in batches; how many requests that were."""
        before = self.clock.now() - self.retention_seconds
        removed = batch = await self.journal.purge(finished_before=before, limit=BATCH)
        while batch == BATCH:
            await self.clock.sleep(PAUSE_SECONDS)
            batch = await self.journal.purge(finished_before=before, limit=BATCH)
            removed += batch
        return removed
