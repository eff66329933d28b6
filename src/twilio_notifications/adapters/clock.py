"""The system's clock, as the pipeline needs it: instants that never run backwards."""

from __future__ import annotations

import asyncio
import time


class SystemClock:
    """Wall clock time at the start plus elapsed monotonic time.

    A clock that is set while the connector runs (NTP after boot, a person) moves neither due times nor
    time-outs; the next start takes the new time.
    """

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def now(self) -> float:
        return self._start + time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
