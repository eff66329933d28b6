"""Outbox: the statuses that the broker has not acknowledged yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from twilio_notifications.ports.transport import Envelope, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreported:
    """A status in the outbox."""

    position: int
    """Names the status: it grows with each status that is written. A request may have several statuses."""
    request: int
    """The journal's number of the request that the status belongs to."""
    status: bytes
    origin: Origin | None = None
    envelope: Envelope | None = None
    suspicion: int = 0
    """Points against it, because connections ended while it was on its way (core/suspicion.py)."""


class Outbox(Protocol):
    """What the reporter needs of the journal.

    Each coroutine, and the future of `report`, returns when its change is on disk. It raises JournalClosed
    where the journal was closed first, and JournalDamaged or JournalMoved where its files cannot be used any
    more. A status on which a call fails by a defect is left alone until the next start (Care.set_aside).
    """

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """Statuses beyond that position, in the order in which they were written; without the suspects."""

    async def suspects(self, *, limit: int) -> list[Unreported]:
        """Statuses that a broker may not take: by their points, then by their size, the lowest first."""

    async def suspect(self, points: Mapping[int, int]) -> None:
        """Adds points against these statuses, by position."""

    async def remark(self, position: int, remark: str) -> None:
        """Notes for people what became of this status."""

    def report(self, positions: Sequence[int], *, at: float) -> asyncio.Future[None]:
        """Notes that the broker has acknowledged these statuses.

        The note is written in the next transaction of another call, at the latest a second later, or when the
        journal closes or is flushed. A crash before that publishes these statuses once more.
        """

    async def flush(self) -> None:
        """Returns when all that was given to `report` is on disk."""

    async def too_large(self, *, since: float) -> int | None:
        """The smallest size, in bytes, over which the broker ended connections; None: not since then."""

    async def note_too_large(self, size: int, *, at: float) -> None:
        """Remembers that size, also for the next start."""
