"""Reports to the supervisor of the process: that the connector is ready, that it stops, and that it is alive.

It gives a sign of life only after the event loop has turned and the journal's writer has answered: a
connector without one of the two looks alive but does no work. A timer alone never gives a sign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Pulse, Supervisor

SIGNS_IN_A_LIMIT = 2
"""Signs of life within the supervisor's limit, so that one late sign does not end the connector.
sd_watchdog_enabled(3) recommends two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Supervision:
    """The connector's reports to its supervisor."""

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
        """Gives signs of life until cancelled, if the supervisor has a limit for them."""
        limit = self.supervisor.watchdog_seconds
        while limit is not None:
            await self.journal.pulse()
            self.supervisor.alive()
            await self.clock.sleep(limit / SIGNS_IN_A_LIMIT)
