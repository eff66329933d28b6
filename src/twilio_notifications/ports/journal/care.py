"""Care: what keeps the journal itself in order, at a start and while the connector runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.pace import PacedSender


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a start found of an earlier run, in requests."""

    waiting: int
    in_doubt: int
    unreported: int
    stalled: Mapping[PacedSender, float] = field(default_factory=dict)
    """Senders whose queue at Twilio is full, and until when nothing leaves from them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A request whose row cannot be read; `request_id` is `""` where that is what cannot be read."""

    id: int
    request_id: str | int | float
    channel: Channel
    error: Exception


class Care(Protocol):
    """What the connector and its sweeper need of the journal.

    Each coroutine raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more. The other methods raise nothing.
    """

    async def recover(self, *, now: float) -> Recovery:
        """At a start: attempts that an earlier run left open are in doubt, cut off by its end.

        A request on which that fails by a defect is set aside.
        """

    async def purge(self, *, finished_before: float, limit: int, rejections_only: bool = False) -> int:
        """Removes reported requests, at most `limit`, so that no purge holds up the line; how many."""

    async def pulse(self) -> None:
        """Returns when the journal has come round, also while it waits for a disk that fails."""

    async def broken_rows(self) -> list[BrokenRow]:
        """Requests whose rows could not be read since the last call; they are set aside already."""

    def set_aside(self, id_: int) -> None:
        """From now on until the next start, no call returns this request: a defect holds it up."""

    def by_state(self) -> Mapping[State, int]:
        """How many requests are in each state except REPORTED, as committed; from memory, at no cost."""
