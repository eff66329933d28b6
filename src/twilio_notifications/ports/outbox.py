"""The outbox: the part of the journal that holds the statuses which are not reported yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.ports.transport import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreported:
    """A status in the outbox. `position` grows with every status written."""

    position: int
    id: int
    status: bytes
    origin: Origin | None = None
    suspicion: int = 0
    """Points against it, because connections ended while it was on its way (core/suspicion.py)."""


class Outbox(Protocol):
    """What the reporter needs of the journal. A call that changes something returns when it is on disk."""

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """Statuses beyond that position, in the order in which they were written; without the suspects."""

    async def suspects(self, *, limit: int) -> list[Unreported]:
        """Statuses that a broker may not take: by their points, then by their size, the lowest first."""

    async def suspect(self, points: Mapping[int, int]) -> None:
        """Adds points against these statuses."""

    async def remark(self, id_: int, remark: str) -> None:
        """Notes for people what became of this status."""

    async def report(self, ids: Sequence[int], *, at: float) -> None:
        """The broker has acknowledged these statuses."""

    async def too_large(self, *, since: float) -> int | None:
        """The smallest size, in bytes, over which the broker ended connections; None: not since then."""

    async def note_too_large(self, size: int, *, at: float) -> None:
        """Remembers that size, also for the next start."""
