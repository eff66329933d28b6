"""A clock that a test turns by hand, so that hours pass in no time and in a known order.

It implements the port `Clock`. Nothing in it ever waits for real time.
"""

from __future__ import annotations

import asyncio
import heapq
from itertools import count

SETTLE_TURNS = 50
"""Turns of the event loop granted to those who woke; the longest chain of awaits takes about ten."""


class HandClock:
    """Stands still at `now` until a test advances or sets it."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self._now = now
        self._elapsed = 0.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        """Sleep until the test has advanced the clock by so much."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        woken = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._elapsed + seconds, next(self._order), woken))
        await woken

    @property
    def sleeping(self) -> int:
        """How many are asleep now; a cancelled sleeper is none."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    async def advance(self, seconds: float) -> None:
        """Let time pass: sleepers wake in order, each at its own instant, and may go to sleep again."""
        await self.settle()
        end = self._elapsed + seconds
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, woken = heapq.heappop(self._sleepers)
            if not woken.done():
                self._pass(due - self._elapsed)
                woken.set_result(None)
                await self.settle()
        self._pass(end - self._elapsed)
        await self.settle()

    def set(self, now: float) -> None:
        """Correct the clock, as a time server does: no sleeper wakes earlier or later for it."""
        self._now = now

    async def settle(self) -> None:
        """Lets all coroutines run until each of them waits."""
        for _ in range(SETTLE_TURNS):
            await asyncio.sleep(0)

    def _pass(self, seconds: float) -> None:
        self._elapsed += seconds
        self._now += seconds
