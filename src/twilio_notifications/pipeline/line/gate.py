"""What the intake needs of the dispatcher, so that what arrives may leave at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports.journal import Opening


class Gate(Protocol):
    """Lets requests that arrive leave at once: the dispatcher."""

    def opening(self, *, now: float) -> Opening | None:
        """Places for requests that arrive now, also where none is free; None while others wait for them."""

    def may_leave(self, request: Claimed, *, now: float) -> bool:
        """Whether the rules admit it without a look into the journal."""

    def reserve(self, count: int) -> None:
        """`count` of the places are about to be taken."""

    def begin(self, requests: Sequence[Claimed], *, reserved: int, left: int) -> None:
        """These have an attempt that is open; `left` others might have had one."""

    def wake(self) -> None:
        """A request waits in the journal."""
