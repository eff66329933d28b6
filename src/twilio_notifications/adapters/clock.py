"""The system's clock for the pipeline: its instants never go backwards."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Wall-clock time at the start plus elapsed monotonic time.

    If NTP or a person sets the system's clock while the connector runs, due times and time-outs do not
    move; the next start takes the new time.
    """

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def now(self) -> float:
        return self._start + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
