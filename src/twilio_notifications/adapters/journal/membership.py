"""Membership: the connectors that share a journal, and which one of them leads."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.grouping import GroupRedelivery
from twilio_notifications.adapters.journal.lanes import MEMBERS, Lanes
from twilio_notifications.adapters.journal.sharing import Shared
from twilio_notifications.adapters.journal.statements import members as sql
from twilio_notifications.ports import Beat, LiveMember

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.adapters.journal.store import OpenJournal

RECOUNT_SHARE = 50
"""Counting what waits takes at most one part in so many of the time."""


class SqlMembership:
    """Implements ports.Members."""

    _store: OpenJournal
    _sharing: Sharing
    _recount_at: float = 0.0

    @property
    def is_shared(self) -> bool:
        """Whether other connectors may use the journal at the same time."""
        return self._sharing.is_shared

    def watch_news(self, on_news: Callable[[], None]) -> None:
        """Where the database tells of none, each beat looks for them."""

    async def beat(self, *, places: int, in_use: int, at: float) -> Beat:
        """Joins or stays a member, and takes or keeps the leadership."""
        sharing, memory = self._sharing, self._store.ledger.memory
        redelivery = self._store.ledger.redelivery
        if not isinstance(sharing, Shared):
            if isinstance(redelivery, GroupRedelivery):
                await self._store.writer.submit(redelivery.beat)
            return Beat(leads=True, members=1, share=places)

        def operation(connection: Connection) -> Beat:
            beat = sharing.beat(connection, places=places, in_use=in_use, at=at)
            redelivery.beat(connection)
            began_at = time.monotonic()
            if began_at >= self._recount_at:
                memory.count_again(connection)
                self._recount_at = time.monotonic() + (time.monotonic() - began_at) * RECOUNT_SHARE
            if connection.execute(sql.MAY_BE_CLAIMED).fetchone() is not None:
                memory.something_waits()
            return beat

        lanes = Lanes(names=frozenset({MEMBERS}))
        return await self._store.writer.submit(operation, lanes=lanes)

    async def leave(self, *, at: float) -> None:
        """Gives leadership and membership up."""
        sharing = self._sharing
        if isinstance(sharing, Shared):
            await self._store.writer.submit(lambda connection: sharing.leave(connection, at=at))

    async def members(self) -> list[LiveMember]:
        """The live connectors, the one that joined first first."""
        rows = await self._store.read(lambda connection: connection.execute(sql.MEMBERS).fetchall())
        return [
            LiveMember(name=name, since=since, beat_at=beat_at, leads=bool(leads), share=share)
            for _, name, since, beat_at, leads, share in rows
        ]
