"""Deliveries: what became of the texts and calls that Twilio accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.delivery import Change, Followed
    from twilio_notifications.ports.journal.outbox import Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What became of the changes of one call."""

    written: tuple[Unreported, ...]
    """The statuses that the same transaction put into the outbox, by position."""
    stale: frozenset[int]
    """Requests whose delivery has changed since it was read, or is not there: nothing was taken of them."""


class Deliveries(Protocol):
    """What the tracker needs of the journal. A delivery begins with the Finish of its request (Work).

    Each call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more. A failing disk is waited for.
    """

    async def due_deliveries(self, *, now: float, limit: int) -> list[Followed]:
        """Deliveries that are to be looked at by now, the longest due first; without those set aside."""

    async def next_look(self) -> float | None:
        """When a delivery is to be looked at next; None: none is followed any more."""

    async def delivery_of(self, sid: str) -> Followed | None:
        """The delivery with this SID, whether or not it is followed still; None: the journal has none."""

    async def delivery(self, request: int) -> Followed | None:
        """The delivery of this request, by its number; None: the journal has none."""

    async def change(self, changes: Sequence[Change]) -> Changed:
        """Takes the changes in one transaction, each with its entry of the time line and its status.

        A change that was concluded from an older version of its delivery is stale: nothing of it is taken.
        Raises ForbiddenTransition, and takes none, where one of the requests may have no follow-up.
        """

    async def callback_secret(self, fresh: bytes) -> bytes:
        """The secret of this journal, of which the keys of callbacks are made; the same after each start.

        `fresh` becomes the secret where the journal has none yet.
        """
