"""Usage: what was used of the operator's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.policy import Tally


class Usage(Protocol):
    """What the limits need of the journal; attempts are charged when they are opened (Work).

    Each call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more.
    """

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What was used of these scopes in windows that began at or after `since`."""

    async def forget_usage(self, *, now: float) -> None:
        """Removes what was used in windows that no limit looks at any more."""
