"""Waits on SQLite: what lasts and keeps requests waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import paces
from twilio_notifications.adapters.journal.statements import waits as sql
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.pace import PacedSender
from twilio_notifications.ports.journal.waits import Pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal


class SqlWaits:
    """Implements ports.Waits."""

    _store: OpenJournal

    def watch_disk(self, *, on_fault: Callable[[str], None], on_recovery: Callable[[], None]) -> None:
        """From now on calls these in the running event loop when the disk fails, and when it works again."""
        self._store.disk.watch(on_fault=on_fault, on_recovery=on_recovery)

    async def keep_pauses(self, changed: Sequence[Pause]) -> None:
        """Writes pauses that began, changed or ended."""
        rows = [pause_row(one) for one in changed]

        def operation(connection: Connection) -> None:
            connection.executemany(sql.KEEP_PAUSE, rows)

        await self._store.writer.submit(operation)

    async def lasting_pauses(self) -> list[Pause]:
        """Those that have not ended, oldest first."""
        rows = await self._store.read(lambda connection: connection.execute(sql.LASTING).fetchall())
        return sorted((pause_of(row) for row in rows), key=lambda pause: pause.begun_at)

    async def stalled_senders(self, *, now: float) -> Mapping[PacedSender, float]:
        """The senders whose queue at Twilio is full, and until when."""
        rows = await self._store.read(lambda connection: connection.execute(paces.PAUSED, (now,)).fetchall())
        return {
            PacedSender(number=number, channel=Channel(channel)): until for number, channel, until in rows
        }

    async def rules(self) -> str | None:
        """The fingerprint that was kept last."""
        row = await self._store.read(lambda connection: connection.execute(sql.RULES).fetchone())
        return None if row is None else str(row[0])

    async def keep_rules(self, fingerprint: str) -> None:
        """Keeps it in place of the last one."""

        def operation(connection: Connection) -> None:
            connection.execute(sql.FORGET_RULES)
            connection.execute(sql.KEEP_RULES, (fingerprint,))

        await self._store.writer.submit(operation)


def pause_of(row: tuple[Any, ...]) -> Pause:
    """A row of LASTING."""
    reason, about, message, begun_at, until, ended_at = row
    return Pause(
        reason=WaitReason(reason),
        about=about,
        message=message,
        begun_at=begun_at,
        until=until,
        ended_at=ended_at,
    )


def pause_row(pause: Pause) -> tuple[Any, ...]:
    """The parameters of KEEP_PAUSE."""
    return (pause.reason, pause.about, pause.message, pause.begun_at, pause.until, pause.ended_at)
