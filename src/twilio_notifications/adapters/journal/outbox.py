"""Outbox on SQLite: the statuses that the broker has not acknowledged yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.lanes import NO_LANES
from twilio_notifications.adapters.journal.reporting import ReportCall
from twilio_notifications.adapters.journal.rows import unreported
from twilio_notifications.adapters.journal.statements import outbox as sql
from twilio_notifications.core.suspicion import SUSPECT

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.ports import Unreported


class SqlOutbox:
    """Implements ports.Outbox."""

    _store: OpenJournal

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """The outbox beyond position `after`, in the order in which the statuses were written."""
        return await self._store.select(sql.UNREPORTED, after, unreported, limit=limit)

    async def suspects(self, *, limit: int) -> list[Unreported]:
        """Statuses that a broker may not take: by their points, then by their size, the lowest first."""
        return await self._store.select(sql.SUSPECTS, SUSPECT, unreported, limit=limit)

    async def suspect(self, points: Mapping[int, int]) -> None:
        """Adds points against these statuses."""

        def operation(connection: Connection, some: Sequence[int]) -> None:
            connection.executemany(sql.SUSPECT, [(points[position], position) for position in some])

        await self._store.each(list(points), operation, leave=self._store.leave_status)

    async def remark(self, position: int, remark: str) -> None:
        """Notes for people what became of this status."""
        await self._store.each(
            [position],
            lambda connection, _: connection.execute(sql.REMARK, (remark, position)),
            leave=self._store.leave_status,
        )

    def report(self, positions: Sequence[int], *, at: float) -> asyncio.Future[None]:
        """Notes that the broker has acknowledged these statuses, with another call or after a while."""
        report = ReportCall(positions=tuple(positions), at=at, now=self._store.monotonic())
        return self._store.writer.give(self._store.reports, report, members=len(positions), rides=True)

    async def flush(self) -> None:
        """Returns when all that was given to `report` is on disk."""
        await self._store.writer.submit(lambda _connection: None, lanes=NO_LANES)

    async def too_large(self, *, since: float) -> int | None:
        """The smallest size over which the broker ended connections; None: not since then."""
        row = await self._store.read(
            lambda connection: connection.execute(sql.TOO_LARGE, (since,)).fetchone()
        )
        return None if row is None else int(row[0])

    async def note_too_large(self, size: int, *, at: float) -> None:
        """Remembers that size, also for the next start."""
        values = (size, at)
        await self._store.writer.submit(
            lambda connection: connection.execute(sql.NOTE_TOO_LARGE, values).rowcount
        )
