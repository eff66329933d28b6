"""Doubts: attempts whose answer is not known, to be settled by Twilio's own records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.steps import Doubtful


class Doubts(Protocol):
    """What the settler needs of the journal; it takes its steps through Work.

    Each call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more.
    """

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are to be looked up by now, the longest due first."""

    async def doubt(self, request: int) -> Doubtful | None:
        """The attempt of this request that is in doubt, due or not; None: none is."""

    async def known_sids(self, sids: Sequence[str]) -> frozenset[str]:
        """Those of `sids` that belong to an attempt of the journal already."""
