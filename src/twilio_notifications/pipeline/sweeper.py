"""Removes requests that were reported longer ago than the retention time, a few at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import JournalError
from twilio_notifications.ports.events import Defect, JournalPurged

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Events, Journal

BATCH = 200
"""Rows in one transaction, which takes a few milliseconds, so that no request waits noticeably."""
PAUSE_SECONDS = 0.1
"""The pause between two batches, in which the stages use the journal."""
INTERVAL_SECONDS = 600.0
"""From the end of a sweep to the next one."""

REJECTION_SECONDS = 86_400.0
"""The longest time for which a rejection is kept: each client that may publish can cause many of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweeper:
    journal: Journal
    clock: Clock
    events: Events
    retention_seconds: float

    async def run(self) -> None:
        """Sweeps until cancelled."""
        while True:
            try:
                removed = await self.sweep()
            except JournalError:
                raise
            except Exception as error:  # noqa: BLE001 - a row that cannot be removed must not end the connector
                self.events.tell(Defect(name="journal_step_failed", error=error))
            else:
                if removed:
                    self.events.tell(JournalPurged(requests=removed))
            await self.clock.sleep(INTERVAL_SECONDS)

    async def sweep(self) -> int:
        """Removes all requests and rejections that are due, in batches; returns their number."""
        now = self.clock.now()
        await self.journal.forget_usage(now=now)
        rejections_before = now - min(self.retention_seconds, REJECTION_SECONDS)
        removed = await self._purge(finished_before=rejections_before, rejections_only=True)
        return removed + await self._purge(finished_before=now - self.retention_seconds)

    async def _purge(self, *, finished_before: float, rejections_only: bool = False) -> int:
        removed = 0
        while batch := await self.journal.purge(
            finished_before=finished_before, limit=BATCH, rejections_only=rejections_only
        ):
            removed += batch
            if batch < BATCH:
                break
            await self.clock.sleep(PAUSE_SECONDS)
        return removed
