"""Reads the secrets again on a period: a new token must be known before Twilio refuses the old one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.pipeline.credentials import Credentials
    from twilio_notifications.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Refreshes the credentials every `period_seconds`; 0: never."""

    credentials: Credentials
    clock: Clock
    period_seconds: float
    on_refreshed: Callable[[], None]

    async def run(self) -> None:
        """Refreshes until cancelled."""
        while self.period_seconds:
            await self.clock.sleep(self.period_seconds)
            await self.credentials.refresh()
            self.on_refreshed()
