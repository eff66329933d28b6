"""Membership: the connectors that share a journal, and which one of them leads.

Exactly one leads at any time: it takes requests in, reports statuses, and does what is for the account as a
whole. All of them send. A member's lease lasts from beat to beat, by the clock of the database. What a member
whose lease has ended still wants to write is not written: each of its transactions names its lease.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveMember:
    """A connector, as the others see it."""

    name: str
    since: float
    """When it joined, in seconds since the epoch by the clock of the database."""
    beat_at: float
    """Its latest beat, by the same clock."""
    leads: bool
    share: int
    """The attempts that it may make at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """How this connector stands after a beat."""

    leads: bool
    members: int
    """Number of live connectors, this one included."""
    share: int
    """The attempts that it may make at once."""
    leader: str | None = None
    """The name of the one that leads; None: none does."""
    joined: bool = False
    """It is a member since this beat. What it had claimed or opened before has lapsed."""
    removed: tuple[str, ...] = ()
    """Members whose leases have ended, and which this beat has removed; only the leader removes any."""
    doubts: int = 0
    """Open attempts of removed members, which are in doubt since this beat."""


class Members(Protocol):
    """What a connector needs to be one of several.

    Each coroutine raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more, and JournalTooNew where a connector of a later version has
    migrated the journal. A failing disk or database is waited for.
    """

    @property
    def is_shared(self) -> bool:
        """Whether other connectors may use the journal at the same time."""

    def watch_news(self, on_news: Callable[[], None]) -> None:
        """From now on calls this in the running event loop when another connector has written something.

        It may not be called for every change: what depends on one looks again by itself.
        """

    async def beat(self, *, places: int, in_use: int, at: float) -> Beat:
        """Joins or stays a member, and takes or keeps the leadership where no other connector has it.

        `places` is how many attempts the account may make at once, `in_use` how many this one makes, `at`
        is now by the connector's clock.
        The leader also removes members whose leases have ended: what they had claimed waits again, and what
        they had opened is in doubt, cut off.
        """

    async def leave(self, *, at: float) -> None:
        """Gives the leadership up, and ends the membership as if its lease had ended."""

    async def members(self) -> list[LiveMember]:
        """The live connectors, the one that joined first first."""
