"""Counts the attempts of the dispatcher: those that wait for Twilio's answer, and those that are not closed.

Two counts, because the next attempt may open while the last one is being closed, and a drain waits for both.
"""

from __future__ import annotations

import asyncio


class Slots:
    """At most `maximum` attempts are made at once; more may be open, and wait for a place."""

    def __init__(self, maximum: int) -> None:
        self.place = asyncio.Semaphore(maximum)
        """Held while an attempt is made."""
        self.in_flight = 0
        """Attempts that Twilio has not answered yet: what the pace bounds."""
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def take(self, count: int) -> None:
        """`count` attempts are about to be opened."""
        self.in_flight += count
        self._under_way += count
        self._idle.clear()

    def answered(self, count: int = 1) -> None:
        """`count` attempts have their answer, or were not made after all."""
        self.in_flight -= count

    def closed(self, count: int = 1) -> None:
        """`count` attempts are closed in the journal, or were not opened after all."""
        self._under_way -= count
        if self._under_way == 0:
            self._idle.set()

    async def idle(self) -> None:
        """Returns when no attempt is under way."""
        await self._idle.wait()
