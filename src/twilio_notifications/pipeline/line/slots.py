"""Counts the attempts: those that wait for a place, those that are made, and those that are being closed.

The next attempt may be made while the last one is being closed, so these are three counts of one object.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.steps import Claimed


class Slots:
    """At most `maximum` attempts are made at once; more may be open in the journal, and wait here."""

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._reserved = 0
        self._waiting: deque[Claimed] = deque()
        self._made = 0
        self._closing = 0
        self._idle = asyncio.Event()
        self._idle.set()

    def resize(self, maximum: int) -> None:
        """At most so many are made at once from now on; those that are made already go on."""
        self._maximum = maximum

    @property
    def in_flight(self) -> int:
        """Attempts that Twilio has not answered yet, and those about to be opened: what the pace bounds."""
        return self._reserved + len(self._waiting) + self._made

    @property
    def under_way(self) -> int:
        """Attempts that are not closed in the journal yet."""
        return self.in_flight + self._closing

    def reserve(self, count: int) -> None:
        """`count` attempts are about to be opened."""
        self._reserved += count
        self._idle.clear()

    def opened(self, requests: Sequence[Claimed], *, reserved: int) -> None:
        """These attempts are open in the journal now; the others of the `reserved` ones are not."""
        self._reserved -= reserved
        self._waiting.extend(requests)
        self._look()

    def next(self) -> Claimed | None:
        """The request whose attempt is to be made now; None while every place is taken."""
        if not self._waiting or self._made >= self._maximum:
            return None
        self._made += 1
        return self._waiting.popleft()

    def answered(self) -> None:
        """One attempt has its answer, and its place is free."""
        self._made -= 1
        self._closing += 1

    def closed(self, count: int = 1) -> None:
        """`count` attempts are closed in the journal, or set aside."""
        self._closing -= count
        self._look()

    async def idle(self) -> None:
        """Returns when no attempt is under way."""
        await self._idle.wait()

    def _look(self) -> None:
        if self.under_way == 0:
            self._idle.set()
