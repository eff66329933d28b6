"""Brings in what other connectors have written into the journal that they share with this one.

The database tells of news at once where it can. This looks in any case with every beat, so that news that was
not told costs a second, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.line.reporter import Reporter
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.journal import Waits


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What they share: the pauses of the account, the requests that wait, and the statuses to report."""

    journal: Waits
    pacing: Pacing
    bells: Bells
    reporter: Reporter
    clock: Clock

    async def look(self, leads: bool) -> None:  # noqa: FBT001 - the one argument of a callback
        """Takes over the pauses, and wakes the stages that may have something to do. Raises JournalError."""
        stalled = await self.journal.stalled_senders(now=self.clock.now())
        self.pacing.adopt(await self.journal.lasting_pauses(), stalled=stalled)
        self.wake(leads=leads)

    def wake(self, *, leads: bool) -> None:
        """Has each stage look into the journal; those that only the leader has are asked where this leads."""
        self.bells.work.ring()
        if leads:
            self.bells.doubts.ring()
            self.bells.deliveries.ring()
            self.bells.chains.ring()
            self.reporter.look()
