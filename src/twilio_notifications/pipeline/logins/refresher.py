"""Reads the secrets again on a period, so that a rotation is known before Twilio refuses the old token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.logins.credentials import Credentials
    from twilio_notifications.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Refreshes the credentials; 0 seconds: never."""

    credentials: Credentials
    clock: Clock
    period_seconds: float
    bell: Alarm
    """Rung when the secrets were read again."""

    async def run(self) -> None:
        """Refreshes until cancelled."""
        while self.period_seconds:
            await self.clock.sleep(self.period_seconds)
            await self.refresh()

    async def refresh(self) -> bool:
        """Reads the secrets now; False where they cannot be read, and what was read before stays in use."""
        complete = await self.credentials.refresh()
        self.bell.ring()
        return complete
