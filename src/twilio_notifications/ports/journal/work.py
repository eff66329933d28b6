"""Work: the requests that wait for an attempt, and the steps of their lives."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from twilio_notifications.core.errors import WaitReason
    from twilio_notifications.core.policy import Charge
    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.ports.journal.outbox import Unreported

NO_CHARGES: Mapping[int, Sequence[Charge]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """When the journal has something to do next, as seconds since the epoch; None: nothing waits for that."""

    next_due: float | None
    """When a request may leave: it is due, and its sender has room."""
    next_expiry: float | None
    next_settlement: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of the steps of one call."""

    written: tuple[Unreported, ...]
    """The statuses that the same transaction put into the outbox, by position; among them those of
    duplicates that waited for the same request."""
    failed: Mapping[int, Exception]
    """The steps that failed by a defect of their own, by the number of their request."""
    stale: frozenset[int] = frozenset()
    """Requests that were cancelled or superseded before the step: nothing was taken of them."""
    lapsed: frozenset[int] = frozenset()
    """Requests whose step was not taken: the lease had ended before it, or evidence says otherwise. What
    Twilio answered to such an attempt is kept as evidence (Doubts)."""


class Work(Protocol):
    """What the dispatcher needs of the journal.

    Each coroutine, and the future of `take`, raises JournalClosed where the journal was closed first, and
    JournalDamaged or JournalMoved where its files cannot be used any more. A failing disk is waited for.
    """

    async def claim(
        self, *, due_before: float, limit: int, place: int = 0, pace_at: float | None = None
    ) -> list[Claimed]:
        """Due requests whose turn has come: by priority, then the one that is due first.

        Where connectors share the journal, this one has a lease of each from now on, which lasts as long as
        its membership: no other one claims it.

        `place` is the number of the first place: in each ten some belong to normal and low requests
        (core/policy/places.py). `pace_at`: of a sender with a pace of its own, only what it may send at that
        instant; None: whatever its pace.
        """

    async def open_attempts(
        self,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]] = NO_CHARGES,
    ) -> list[int]:
        """Opens one attempt for each request and charges it, all in one transaction; those that have one now.

        A request that was cancelled or superseded since its claim gets none, nor does one whose paced
        sender has no room at `at`, nor, where connectors share the journal, one whose lease has ended since.
        What is opened uses up the rate of its sender. The charges of an
        attempt that sends nothing are paid back when it is closed.
        Raises ForbiddenTransition, and opens none, where one of the requests may not have an attempt now.
        """

    async def release(self, ids: Sequence[int]) -> None:
        """Gives back the leases of claimed requests that do not leave now."""

    def take(self, steps: Sequence[Step], *, leads: bool = False) -> asyncio.Future[Taken]:
        """Takes all steps in one transaction, each with its attempt, its status and the turn it passes on.

        Steps of attempts in doubt are the leader's (`leads`): the future raises NotLeading, and nothing
        is taken, where another connector leads.

        A step that fails by a defect of its own (ForbiddenTransition, for example) stands in `failed`, and
        the others are taken. At most one step for each request.
        """

    async def hasten(self, reason: WaitReason, *, now: float) -> None:
        """Makes due what waits for this reason, because the reason may be gone."""

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, whether or not their turn has come."""

    async def agenda(self) -> Agenda:
        """When something will be due next."""
