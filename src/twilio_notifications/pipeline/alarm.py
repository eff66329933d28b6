"""Wakes a stage: at once when rung, or at an instant. So no stage polls."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock


class Alarm:
    """An alarm for one waiter. Any number of rings before a wait wakes it once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, until: float | None = None) -> None:
        """Returns when the alarm is rung, or was rung since the last wait, or at `until`.

        None: no such instant.
        """
        if not self._rung.is_set():
            await self._sleep(until)
        self._rung.clear()

    async def _sleep(self, until: float | None) -> None:
        if until is None:
            await self._rung.wait()
            return
        rung = asyncio.ensure_future(self._rung.wait())
        slept = asyncio.ensure_future(self._clock.sleep(max(0.0, until - self._clock.now())))
        try:
            await asyncio.wait({rung, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
            slept.cancel()
