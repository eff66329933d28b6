"""Doubts: attempts whose answer is not known, to be settled by Twilio's own records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.steps import AttemptOutcome, Doubtful


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What Twilio answered to an attempt whose lease had ended when the answer came."""

    outcome: AttemptOutcome
    sid: str | None
    word: str | None
    """Twilio's word for the state; None: it gave none."""
    sender_number: str | None
    """Twilio's; None: the requested one."""
    phone_number: str | None
    """Twilio's; None: the requested one."""
    code: int | None
    at: float


class Doubts(Protocol):
    """What the settler needs of the journal; it takes its steps through Work.

    Each call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more.
    """

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are to be looked up by now, the longest due first."""

    async def doubt(self, request: int) -> Doubtful | None:
        """The attempt of this request that is in doubt, due or not; None: none is."""

    async def known_sids(self, sids: Sequence[str], *, settling: int | None = None) -> frozenset[str]:
        """Those of `sids` that belong to an attempt of the journal already.

        `settling` is the request that is settled: what came late for another one belongs to that one then.
        """

    async def evidence(self, request: int, *, attempt: int) -> Evidence | None:
        """What came too late from the connector that made this attempt; None: nothing did.

        A SID comes before all else, also that of an earlier attempt: it proves that the request was sent.
        """
