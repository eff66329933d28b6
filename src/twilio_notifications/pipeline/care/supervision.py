"""Keeps the supervisor of the process informed: that it is ready, that it stops, and that it is alive.

A sign of life is given only when the event loop turns and the journal's writer has come round, because a
connector that lacks either looks alive and does nothing. No sign is ever given on a timer alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Pulse, Supervisor

SIGNS_IN_A_LIMIT = 2
"""So that one late sign is no reason to end the connector; sd_watchdog_enabled(3) recommends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """What the connector lets its supervisor know."""

    supervisor: Supervisor
    journal: Pulse
    clock: Clock

    def ready(self) -> None:
        self.supervisor.ready()

    def reloading(self) -> None:
        self.supervisor.reloading()

    def stopping(self) -> None:
        self.supervisor.stopping()

    async def run(self) -> None:
        """Gives signs of life until cancelled, if the supervisor minds."""
        limit = self.supervisor.watchdog_seconds
        while limit is not None:
            await self.journal.pulse()
            self.supervisor.alive()
            await self.clock.sleep(limit / SIGNS_IN_A_LIMIT)
