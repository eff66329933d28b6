"""Twilio's callbacks: what an endpoint takes, and who it hands that to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """What one callback with a right signature says. None: it does not say."""

    sid: str
    query: str
    """Of the URL that Twilio called: it names the attempt."""
    state: str | None = None
    code: int | None = None
    answered_by: str | None = None
    key_pressed: bool = False
    sender_number: str | None = None
    phone_number: str | None = None


class CallbackTaker(Protocol):
    """Takes callbacks."""

    async def take(self, callback: Callback) -> None:
        """Returns when what it says is kept. Raises JournalError."""

    def forbidden(self) -> None:
        """A callback had a wrong signature."""

    def unreadable(self) -> None:
        """A request with a right signature was no callback."""
