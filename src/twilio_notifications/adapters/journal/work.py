"""Work on SQLite: claims, attempts and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.claims import Claims
from twilio_notifications.adapters.journal.lanes import NO_LANES, Lanes
from twilio_notifications.adapters.journal.rows import claimed
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.steps import Finish
from twilio_notifications.ports import NO_CHARGES, Agenda
from twilio_notifications.ports.events import Defect

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.core.errors import WaitReason
    from twilio_notifications.core.policy import Charge
    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.ports import Taken


class SqlWork:
    """Implements ports.Work."""

    _store: OpenJournal

    async def claim(
        self, *, due_before: float, limit: int, place: int = 0, pace_at: float | None = None
    ) -> list[Claimed]:
        """Due requests whose turn has come. The file lock is the lease: no other process can claim them."""
        store = self._store
        sharing = store.ledger.sharing
        if sharing.is_shared:

            def claim(connection: Connection) -> tuple[list[Claimed], frozenset[int]]:
                found = self._claims(connection).due(
                    due_before=due_before, limit=limit, place=place, pace_at=pace_at
                )
                return sharing.claimed(connection, found)

            own, others = await store.writer.submit(claim, lanes=NO_LANES)
            if others and not own:  # a look after them, rather than one after the other meanwhile
                own, _ = await store.writer.submit(claim, lanes=Lanes(requests=others))
            return own
        # Without ordering, what is still to be written may take the turn of what would be claimed: after it.
        read = store.writer.submit if store.taker.turns.overtaking else store.read
        return await read(
            lambda connection: self._claims(connection).due(
                due_before=due_before, limit=limit, place=place, pace_at=pace_at
            )
        )

    async def open_attempts(
        self,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]] = NO_CHARGES,
    ) -> list[int]:
        """Opens one attempt for each that still waits; on disk, with its charges, before any is made."""
        opener = self._store.opener
        return await self._store.writer.submit(
            lambda connection: opener.open(
                connection, ids, at=at, clock_offset=clock_offset, charges=charges
            ),
            lanes=opener.lanes(ids, charges),
        )

    async def release(self, ids: Sequence[int]) -> None:
        """Gives back the leases of claimed requests that do not leave now."""
        sharing = self._store.ledger.sharing
        if sharing.is_shared:
            await self._store.writer.submit(
                lambda connection: sharing.release(connection, ids), lanes=Lanes(requests=frozenset(ids))
            )

    def take(self, steps: Sequence[Step], *, leads: bool = False) -> asyncio.Future[Taken]:
        """Takes all steps in one transaction; those that fail by a defect stand in the result."""
        steps = tuple(steps)
        taker = self._store.settling if leads else self._store.taker
        taken = self._store.writer.give(taker, steps, members=len(steps))
        taken.add_done_callback(lambda done: self._let_go(steps, done))
        return taken

    def _let_go(self, steps: Sequence[Step], done: asyncio.Future[Taken]) -> None:
        if done.cancelled() or done.exception() is not None:
            return
        failed = done.result().failed
        for step in steps:
            if isinstance(step, Finish) and step.id not in failed:
                self._store.aside.discard(step.id)

    async def hasten(self, reason: WaitReason, *, now: float) -> None:
        """Makes due what waits for this reason, because the reason may be gone."""
        paces = self._store.ledger.paces

        def hasten(connection: Connection) -> None:
            connection.execute(sql.HASTEN, (now, now, reason, now))
            paces.wait_again()

        try:
            await self._store.writer.submit(hasten)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - they are due at their own time then
            self._store.events.tell(Defect(name="journal_step_failed", error=error))

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, wherever they stand in their recipient's order."""
        return await self._store.select(sql.OVERDUE, now, claimed, limit=limit)

    async def agenda(self) -> Agenda:
        """When something will be due next."""
        return await self._store.read(self._agenda)

    def _agenda(self, connection: Connection) -> Agenda:
        aside = self._store.aside
        count = (aside.limit(1),)
        return Agenda(
            next_due=self._claims(connection).next_due(),
            next_expiry=aside.earliest(connection.execute(sql.NEXT_EXPIRY, count)),
            next_settlement=aside.earliest(connection.execute(sql.NEXT_SETTLEMENT, count)),
        )

    def _claims(self, connection: Connection) -> Claims:
        store = self._store
        return Claims(connection=connection, aside=store.aside, allowances=store.ledger.paces.latest)
