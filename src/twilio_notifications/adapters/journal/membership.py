"""Membership on SQLite: the file lock is the lease, so its owner is alone and leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.ports import Beat

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.ports import LiveMember


class SqliteMembership:
    """Implements ports.Membership."""

    is_shared = False

    def watch_news(self, on_news: Callable[[], None]) -> None:
        """No other connector writes any."""

    async def beat(self, *, places: int, in_use: int) -> Beat:  # noqa: ARG002 - all places are its own
        """It leads, with all places."""
        return Beat(leads=True, members=1, share=places)

    async def leave(self) -> None:
        """The lock is given up when the journal is closed."""

    async def members(self) -> list[LiveMember]:
        """None that others would need to know."""
        return []
