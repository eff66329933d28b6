"""Brings attempts in doubt to an end, by Twilio's own records.

Doubt is never guessed away: it ends with the record that was found, with its sure absence, or with a person.
Until then, the other requests to its recipient wait, and no others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import settlement
from twilio_notifications.core.conclusions import PERHAPS_SENT, conclude_settlement, conclude_unreadable
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.model import Record, Records, Unreadable
from twilio_notifications.core.steps import SENT_NOTHING, AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports.events import (
    Defect,
    DoubtSettled,
    Level,
    RecordsLookedUp,
    RecordsReadable,
    RecordsUnreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Literal

    from twilio_notifications.core.conclusions import StatusWriter, Timing
    from twilio_notifications.core.settlement import Settlement
    from twilio_notifications.core.steps import Claimed, Doubtful, Step
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.aside import Aside
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.proofs import Proofs
    from twilio_notifications.pipeline.line.taking import StepTaker
    from twilio_notifications.ports import Clock, Sender
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Evidence, Journal

CONCURRENCY = 8
"""Look-ups at once: enough that one that hangs holds up few, little enough to leave the account's rate to the
sending."""

HIDDEN_SECONDS = 1.0
"""The pause between two looks at the agenda while its first entry is being looked at."""


@dataclass(slots=True, kw_only=True)
class Settler:
    """Looks up attempts in doubt when they are due."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    bells: Bells
    statuses: StatusWriter
    failures: Failures
    timing: Timing
    jitter: Callable[[], float]
    aside: Aside
    taker: StepTaker
    proofs: Proofs
    _looking: set[int] = field(init=False, default_factory=set)
    _looked: set[int] = field(init=False, default_factory=set)
    """Requests whose look has ended since the journal was asked what is due: its answer may be older."""
    _unreadable: dict[int, float] = field(init=False, default_factory=dict)
    """Requests whose recipient's records could not be read at the last look, and since when."""

    async def run(self) -> None:
        """Settles until cancelled. Raises what ends the journal."""
        async with asyncio.TaskGroup() as looks:
            while True:
                await self._look_at_due(looks)
                full = len(self._looking) >= CONCURRENCY
                agenda = await self.journal.agenda()
                # With every place taken, the next look to end wakes the settler.
                look = None if full else agenda.next_settlement
                if look is not None and self._looking:
                    # An instant that has passed belongs to a look under way, which may hide a later one's.
                    look = max(look, self.clock.now() + HIDDEN_SECONDS)
                await self.bells.doubts.wait(look)

    async def _look_at_due(self, looks: asyncio.TaskGroup) -> None:
        self._looked.clear()
        due = await self.journal.doubtful(now=self.clock.now(), limit=2 * CONCURRENCY)
        await self.aside.answer_broken()
        known = {doubtful.request.id for doubtful in due}
        proved = [await self.journal.doubt(request) for request in self.proofs.requests - known]
        for doubtful in (*(one for one in proved if one is not None), *due):
            under_way = doubtful.request.id in self._looking or doubtful.request.id in self._looked
            if under_way or len(self._looking) >= CONCURRENCY:
                continue
            self._looking.add(doubtful.request.id)
            looks.create_task(self._look(doubtful), name=f"twilio_notifications.settle.{doubtful.request.id}")

    async def _look(self, doubtful: Doubtful) -> None:
        try:
            await self._settle(doubtful)
        finally:
            self._looking.discard(doubtful.request.id)
            self._looked.add(doubtful.request.id)
            self.bells.doubts.ring()

    async def _settle(self, doubtful: Doubtful) -> None:
        """Takes the step that follows from Twilio's records. Raises JournalError."""
        request, outcome = doubtful.request, AttemptOutcome.IN_DOUBT

        def tell(_request: Claimed, step: Step) -> None:
            if not isinstance(step, Doubt):
                self._tell(doubtful, step)
                self.bells.work.ring()

        try:
            step = await self._conclude(doubtful)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this request alone
            finish = await self.aside.answer(
                request, error, sentence=PERHAPS_SENT, outcome=outcome, leads=True
            )
            if finish is not None:
                tell(request, finish)
            return
        await self.taker.take(
            [(request, step)], sentence=PERHAPS_SENT, outcome=outcome, tell=tell, leads=True
        )

    async def _conclude(self, doubtful: Doubtful) -> Step:
        request = doubtful.request
        proof = self.proofs.taken(request)
        if proof is not None:
            return self._conclude_settled(doubtful, settlement.Found(record=proof))
        evidence = await self.journal.evidence(request.id, attempt=request.attempt)
        proved = None if evidence is None else settled_by(evidence, request)
        if proved is not None:
            return self._conclude_settled(doubtful, proved)
        looked_at = self.clock.now()
        records = await self._records(doubtful)
        self.events.tell(RecordsLookedUp(request=doubtful.request, records=records))
        match records:
            case Records():
                self._note_readable(doubtful.request.id)
                settled = await self._compare(doubtful, records, looked_at)
                return self._conclude_settled(doubtful, settled)
            case Unreadable():
                now = self.clock.now()
                since = self._unreadable.get(doubtful.request.id, now)
                step = conclude_unreadable(
                    doubtful, records, statuses=self.statuses, timing=self.timing, since=since, now=now
                )
                self._note_unreadable(step, records, since=since)
                return step
            case _:
                assert_never(records)

    def _conclude_settled(self, doubtful: Doubtful, settled: Settlement) -> Step:
        return conclude_settlement(
            doubtful,
            settled,
            statuses=self.statuses,
            timing=self.timing,
            now=self.clock.now(),
            jitter=self.jitter(),
        )

    async def _records(self, doubtful: Doubtful) -> Records | Unreadable:
        """All records that matter, by the clock that their own answer tells."""
        since = settlement.since(doubtful, clock_offset=self.sender.clock_offset)
        notification = doubtful.request.notification
        try:
            records = await self.sender.look_up(notification, since=since)
            if isinstance(records, Records):
                offset = records.clock_offset
                if not settlement.is_whole(doubtful, since=since, clock_offset=offset):
                    since = settlement.since(doubtful, clock_offset=offset)
                    records = await self.sender.look_up(notification, since=since)
        except Exception as error:  # noqa: BLE001 - a defect of ours: one list must not stop every request
            self.events.tell(Defect(name="look_up_failed", error=error))
            return Unreadable(detail=f"the connector failed: {type(error).__name__}")
        return records

    async def _compare(self, doubtful: Doubtful, records: Records, looked_at: float) -> Settlement:
        candidates = settlement.candidates(doubtful, records)
        strangers = settlement.strangers(doubtful, records)
        sids = [record.sid for record in (*candidates, *strangers)]
        return settlement.settle(
            doubtful,
            records,
            known_sids=await self.journal.known_sids(sids, settling=doubtful.request.id),
            looked_at=looked_at,
            settle_seconds=self.timing.settle,
        )

    def _note_unreadable(self, step: Step, unreadable: Unreadable, *, since: float) -> None:
        """One line when the first list cannot be read; a request that ends so is not waited for."""
        if isinstance(step, Finish):
            self._unreadable.pop(step.id, None)
            return
        if not self._unreadable:
            self.events.tell(RecordsUnreadable(error=unreadable.detail))
        self._unreadable[step.id] = since

    def _note_readable(self, id_: int) -> None:
        """One line when all lists can be read: one recipient's may be readable while another's are not."""
        if id_ in self._unreadable:
            del self._unreadable[id_]
            if not self._unreadable:
                self.events.tell(RecordsReadable())

    def _tell(self, doubtful: Doubtful, step: Finish | Postpone) -> None:
        if isinstance(step, Finish) and step.reason is not None:
            self.failures.failed(doubtful.request, step)
        outcome = _word(step.outcome)
        self.events.tell(
            DoubtSettled(
                level=Level.ERROR if outcome == "unknown" else Level.INFO,
                request=doubtful.request,
                step=step,
                outcome=outcome,
                seconds=round(self.clock.now() - doubtful.opened_at, 3),
            )
        )


def _word(outcome: AttemptOutcome | None) -> Literal["found", "absent", "unknown"]:
    match outcome:
        case AttemptOutcome.ACCEPTED:
            return "found"
        case AttemptOutcome.FAILED:
            return "absent"
        case _:
            return "unknown"


def settled_by(evidence: Evidence, request: Claimed) -> settlement.Found | settlement.Absent | None:
    """What a late answer proves of the attempt; None: nothing."""
    if evidence.outcome in SENT_NOTHING:
        return settlement.Absent()
    if evidence.sid is None:
        return None
    recipient = request.notification.recipient
    record = Record(
        sid=evidence.sid,
        phone_number=evidence.phone_number or recipient.phone_number,
        sender_number=evidence.sender_number,
        message_status=evidence.word or "queued",
        created_at=evidence.at,
    )
    return settlement.Found(record=record)
