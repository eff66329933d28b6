"""Calls an address while the connector is well, so that its silence is noticed elsewhere.

Well is what /health/live and /health/ready call alive and ready. A connector that is not well sends nothing:
the service behind the address raises the alarm when calls stay away, whatever the reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.ports import Level
from twilio_notifications.ports.events import HeartbeatMissed, HeartbeatTaken, HeartbeatWithheld

if TYPE_CHECKING:
    from twilio_notifications.pipeline.care.health import Health
    from twilio_notifications.ports import Beacon, Clock, Event, Events


@dataclass(slots=True, kw_only=True)
class Heartbeat:
    """One heartbeat after another, each `every_seconds`."""

    beacon: Beacon
    health: Health
    clock: Clock
    events: Events
    every_seconds: float
    _last: str | None = field(init=False, default=None)
    """The trouble of the last one, "" for none; None before the first one."""

    async def run(self) -> None:
        """Sends heartbeats until cancelled. The first one leaves when the connector is ready."""
        while self.health.hindrances() and self._last is None:
            await self.clock.sleep(min(1.0, self.every_seconds))
        while True:
            self.events.tell(await self._beat())
            await self.clock.sleep(self.every_seconds)

    async def _beat(self) -> Event:
        """Sends one, or withholds it; the first of equal outcomes in a row is for the log."""
        host = self.beacon.host
        reasons = [*self.health.hindrances(), await self.health.stall()]
        withheld = "; ".join(reason for reason in reasons if reason is not None)
        if withheld:
            return HeartbeatWithheld(level=self._level(withheld), host=host, error=withheld)
        missed = await self.beacon.call()
        if missed is not None:
            return HeartbeatMissed(level=self._level(missed), host=host, error=missed)
        return HeartbeatTaken(level=self._level(""), host=host)

    def _level(self, trouble: str) -> Level:
        is_new, self._last = trouble != self._last, trouble
        if not is_new:
            return Level.DEBUG
        return Level.WARNING if trouble else Level.INFO
