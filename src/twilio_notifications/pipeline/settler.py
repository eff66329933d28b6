"""Brings attempts in doubt to an end, by Twilio's own records.

Doubt is never guessed away: it ends with the record that was found, with its sure absence, or with a person.
Until then, its recipient's other requests wait, and no others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, assert_never

from twilio_notifications.core import settlement
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Accepted, Records, Unreadable
from twilio_notifications.core.waits import backoff_seconds
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.aside import PERHAPS_SENT, Aside
from twilio_notifications.ports import Doubt, Finish, Level, Postpone
from twilio_notifications.ports.events import (
    Defect,
    DoubtSettled,
    RecordsLookedUp,
    RecordsReadable,
    RecordsUnreadable,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.settlement import Settlement
    from twilio_notifications.pipeline.failures import Failures
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import (
        Clock,
        Doubtful,
        Events,
        Journal,
        Sender,
        Step,
    )

CONCURRENCY = 8
"""Look-ups at once: enough that one that hangs holds up few, little enough to leave the account's rate to the
sending."""

HIDDEN_SECONDS = 1.0
"""Between two looks at the agenda while its first entry is being looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlingTimes:
    """The durations of the configuration that the settler goes by, in seconds."""

    settle: float
    backoff_initial: float
    backoff_maximum: float


@dataclass(slots=True, kw_only=True)
class Settler:
    """Looks up attempts in doubt when they are due."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    statuses: StatusWriter
    failures: Failures
    times: SettlingTimes
    jitter: Callable[[], float]
    on_request: Callable[[], None]
    on_status: Callable[[], None]
    _alarm: Alarm = field(init=False)
    _aside: Aside = field(init=False)
    _looking: set[int] = field(init=False, default_factory=set)
    _unreadable: set[int] = field(init=False, default_factory=set)
    """Requests whose recipient's records could not be read at the last look."""

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)
        self._aside = Aside(
            journal=self.journal, statuses=self.statuses, clock=self.clock, events=self.events
        )

    def wake(self) -> None:
        """There may be an attempt in doubt."""
        self._alarm.ring()

    async def run(self) -> None:
        """Settles until cancelled."""
        async with asyncio.TaskGroup() as looks:
            while True:
                await self._look_at_due(looks)
                full = len(self._looking) >= CONCURRENCY
                agenda = await self.journal.agenda()
                # With every place taken, the next look to end wakes us.
                await self._alarm.wait(None if full else self._later(agenda.next_settlement))

    def _later(self, instant: float | None) -> float | None:
        """An instant that has passed belongs to a look under way, which may hide a later one's."""
        if instant is None or not self._looking:
            return instant
        return max(instant, self.clock.now() + HIDDEN_SECONDS)

    async def _look_at_due(self, looks: asyncio.TaskGroup) -> None:
        due = await self.journal.doubtful(now=self.clock.now(), limit=2 * CONCURRENCY)
        if await self._aside.answer_broken():
            self.on_status()
        for doubtful in due:
            if doubtful.request.id in self._looking or len(self._looking) >= CONCURRENCY:
                continue
            self._looking.add(doubtful.request.id)
            looks.create_task(self._look(doubtful), name=f"twilio_notifications.settle.{doubtful.request.id}")

    async def _look(self, doubtful: Doubtful) -> None:
        try:
            step = await self._aside.carry_out(doubtful.request, self._step(doubtful), sentence=PERHAPS_SENT)
        finally:
            self._looking.discard(doubtful.request.id)
            self._alarm.ring()
        if step is None:
            return
        self._tell(doubtful, step)
        if isinstance(step, Finish) and step.reason is not None:
            self.failures.failed(doubtful.request, step)
        self.on_request()
        self.on_status()

    async def _step(self, doubtful: Doubtful) -> Step:
        attempt = _attempt(doubtful)
        looked_at = self.clock.now()
        records = await self._records(attempt)
        self.events.tell(RecordsLookedUp(request=doubtful.request, records=records))
        match records:
            case Records():
                self._readable(doubtful.request.id)
                settled = await self._settlement(attempt, records, looked_at)
                return self._concluded(doubtful, settled)
            case Unreadable():
                return self._not_readable(doubtful, records)
            case _:
                assert_never(records)

    async def _records(self, attempt: settlement.Attempt) -> Records | Unreadable:
        """All records that matter, by the clock that their own answer tells."""
        since = settlement.since(attempt, clock_offset=self.sender.clock_offset)
        try:
            records = await self.sender.look_up(attempt.notification, since=since)
            if isinstance(records, Records):
                offset = records.clock_offset
                if not settlement.is_whole(attempt, since=since, clock_offset=offset):
                    since = settlement.since(attempt, clock_offset=offset)
                    records = await self.sender.look_up(attempt.notification, since=since)
        except Exception as error:  # noqa: BLE001 - a defect of ours: one list must not stop every request
            self.events.tell(Defect(name="look_up_failed", error=error))
            return Unreadable(detail=f"the connector failed: {type(error).__name__}")
        return records

    async def _settlement(
        self, attempt: settlement.Attempt, records: Records, looked_at: float
    ) -> Settlement:
        candidates = settlement.candidates(attempt, records)
        strangers = settlement.strangers(attempt, records)
        sids = [record.sid for record in (*candidates, *strangers)]
        return settlement.settle(
            attempt,
            records,
            known_sids=await self.journal.known_sids(sids),
            looked_at=looked_at,
            settle_seconds=self.times.settle,
        )

    def _concluded(self, doubtful: Doubtful, settled: Settlement) -> Step:
        request, now = doubtful.request, self.clock.now()
        match settled:
            case settlement.Found(record=record):
                accepted = Accepted(
                    sid=record.sid,
                    message_status=record.message_status,
                    sender_number=record.sender_number or request.notification.sender_number,
                    phone_number=record.phone_number,
                )
                return self.statuses.accepted(request, accepted, at=now)
            case settlement.Absent():
                return self._absent(doubtful, now)
            case settlement.LookAgain(at=at):
                return Doubt(id=request.id, at=now, settle_at=max(at, now), message=doubtful.message)
            case settlement.Undecidable(message=message):
                return self._unknown(doubtful, message, now)
            case _:
                assert_never(settled)

    def _absent(self, doubtful: Doubtful, now: float) -> Step:
        """The attempt failed and `retries` decide; but what our own end cut off costs the sender nothing."""
        request = doubtful.request
        message = f"{doubtful.message}; Twilio's records show that nothing was sent"
        if not doubtful.cut_off and request.attempts >= request.notification.retries:
            return self.statuses.failed(request, Reason.TWILIO_UNAVAILABLE, message, at=now, counted=True)
        pause = 0.0 if doubtful.cut_off else self._backoff(request.attempts + 1)
        return Postpone(
            id=request.id,
            at=now,
            due_at=min(now + pause, request.expires_at),
            reason=Reason.TWILIO_UNAVAILABLE,
            message=message,
            counted=not doubtful.cut_off,
        )

    def _backoff(self, count: int) -> float:
        return backoff_seconds(
            count=count,
            initial=self.times.backoff_initial,
            maximum=self.times.backoff_maximum,
            jitter=self.jitter(),
        )

    def _not_readable(self, doubtful: Doubtful, unreadable: Unreadable) -> Step:
        """Keeps looking, for as long as the request may live, and for a settling time even if it is over."""
        request, now = doubtful.request, self.clock.now()
        # At a start the lifetime may have ended while we were away, and the network comes up after us.
        end = max(request.expires_at, doubtful.doubt_at + self.times.settle)
        if now >= end:
            self._unreadable.discard(request.id)
            return self._unknown(doubtful, f"Twilio's records cannot be read: {unreadable.detail}", now)
        self._note_unreadable(request.id, unreadable)
        at = settlement.next_look(now=now, doubt_at=doubtful.doubt_at, settle_seconds=self.times.settle)
        at = max(at, now + (unreadable.retry_after or 0.0))
        return Doubt(id=request.id, at=now, settle_at=min(at, end), message=doubtful.message)

    def _note_unreadable(self, id_: int, unreadable: Unreadable) -> None:
        if not self._unreadable:
            self.events.tell(RecordsUnreadable(error=unreadable.detail))
        self._unreadable.add(id_)

    def _readable(self, id_: int) -> None:
        """One recipient's records may be readable while another's are not: told when all of them are."""
        if id_ in self._unreadable:
            self._unreadable.remove(id_)
            if not self._unreadable:
                self.events.tell(RecordsReadable())

    def _unknown(self, doubtful: Doubtful, message: str, now: float) -> Finish:
        command = f"twilio-notifications journal resolve {doubtful.request.id}"
        sentence = (
            f"{doubtful.message}; it may or may not have been sent, and is not sent again. {message}. "
            f"Look for it in Twilio's console, then settle it with: {command} --sent or {command} --not-sent"
        )
        return self.statuses.failed(doubtful.request, Reason.OUTCOME_UNKNOWN, sentence, at=now, counted=True)

    def _tell(self, doubtful: Doubtful, step: Step) -> None:
        match step:
            case Finish(reason=None):
                outcome: Literal["found", "absent", "unknown"] = "found"
            case Finish(reason=Reason.OUTCOME_UNKNOWN):
                outcome = "unknown"
            case Finish() | Postpone():
                outcome = "absent"
            case Doubt():
                return
            case _:
                assert_never(step)
        level = Level.ERROR if outcome == "unknown" else Level.INFO
        self.events.tell(
            DoubtSettled(
                level=level,
                request=doubtful.request,
                step=step,
                outcome=outcome,
                seconds=round(self.clock.now() - doubtful.opened_at, 3),
            )
        )


def _attempt(doubtful: Doubtful) -> settlement.Attempt:
    return settlement.Attempt(
        notification=doubtful.request.notification,
        opened_at=doubtful.opened_at,
        doubt_at=doubtful.doubt_at,
        clock_offset=doubtful.clock_offset,
        cut_off=doubtful.cut_off,
    )
