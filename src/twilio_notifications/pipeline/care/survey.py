"""Looks how things stand when a page of metrics is asked for, and not more often than it may cost.

Counting what waits reads each waiting request. So a look is taken at most every LEAST_SECONDS, and looks take
at most one part in MOST_SHARE of the time; in between, the last look is shown.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.policy import present_charge
from twilio_notifications.ports.figures import Figures, QuotaUse

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.policy import Limits
    from twilio_notifications.ports import Clock, Usage
    from twilio_notifications.ports.figures import BacklogSource

LEAST_SECONDS: Final = 2.0
MOST_SHARE: Final = 50


class Survey:
    """Takes looks, and keeps the last one."""

    def __init__(
        self, *, backlog: BacklogSource, usage: Usage, limits: Callable[[], Limits], clock: Clock
    ) -> None:
        """`limits` gives those in force, which a reload may change."""
        self._backlog = backlog
        self._usage = usage
        self._limits = limits
        self._clock = clock
        self._last: Figures | None = None
        self._not_before = 0.0
        self._looking = asyncio.Lock()

    async def look(self) -> Figures | None:
        """How things stand now or at the last look; None: the journal could not be read yet."""
        async with self._looking:
            began_at = self._clock.now()
            if began_at >= self._not_before:
                with suppress(JournalError):  # the journal tells of its fault; the last look is shown
                    self._last = await self._take(began_at)
                ended_at = self._clock.now()
                self._not_before = ended_at + max(LEAST_SECONDS, (ended_at - began_at) * MOST_SHARE)
        return self._last

    async def _take(self, now: float) -> Figures:
        backlog = await self._backlog.backlog(now=now)
        charges = [(quota, present_charge(quota, now=now)) for quota in self._limits().quotas]
        since = min((charge.since for _, charge in charges), default=now)
        used = await self._usage.usage([charge.scope for _, charge in charges], since=since)
        quotas = tuple(QuotaUse(quota=quota, used=used.of(charge)) for quota, charge in charges)
        return Figures(at=now, backlog=backlog, quotas=quotas)
