"""Counts what waits, with a connection and a thread of its own, so that the connector goes on meanwhile."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import backlog as sql
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.ports.figures import Backlog

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.access import Access


@dataclass(frozen=True, slots=True)
class SqlBacklog:
    """Implements ports.figures.BacklogSource, for a journal that is open."""

    access: Access

    async def backlog(self, *, now: float) -> Backlog:
        """Reads each waiting request once; while the database counts, the event loop turns."""
        return await asyncio.to_thread(self._count, now)

    def _count(self, now: float) -> Backlog:
        with self.access.reading(glance=True) as connection:
            row = connection.execute(sql.PAUSE_OF_ALL, {"now": now}).fetchone()
            pause = None if row is None else row[0]
            rows = connection.execute(sql.WAITING, {"now": now, "pause": pause}).fetchall()
            oldest = min((first for _, _, first in rows), default=None)
            accepted = None if oldest is None else connection.execute(sql.ACCEPTED_AT, (oldest,)).fetchone()
        waiting = {None if reason is None else WaitReason(reason): count for reason, count, _ in rows}
        return Backlog(waiting=waiting, oldest_at=None if accepted is None else accepted[0])
