"""Bytes → request or rejection → journal → acknowledgement, in this order and no other.

What is acknowledged is on disk. What cannot be recorded is not acknowledged, so that the broker keeps it.
What one read from the socket brings is recorded in one transaction; a request that need not wait has its
attempt opened in the same one.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import errors
from twilio_notifications.core.escalation import Door, EndKind
from twilio_notifications.core.model import Acknowledgement, Rejection
from twilio_notifications.core.steps import Claimed
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.pipeline.line.undecided import Undecided
from twilio_notifications.ports import events
from twilio_notifications.ports.journal import NewRejection, NewRequest, NewWish, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core.contract import Topics
    from twilio_notifications.core.model import Channel
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.gate import Gate
    from twilio_notifications.pipeline.line.reception import Reception
    from twilio_notifications.ports import Clock, Inbound
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import (
        Arrival,
        Arrivals,
        Ended,
        Opening,
        Recorded,
        Recordings,
        Unreported,
    )

LOOK_SECONDS = 0.002
HOLD_SECONDS = 0.05
"""How often a request looks for a free place, and how long, before it is recorded as one that waits.

Under load a place is nearly always free by then, and a request that need not wait in the journal costs a
third less. The broker keeps it meanwhile."""


EXPECTED = (
    errors.JournalFull | errors.JournalMoved | errors.JournalClosed | errors.NotLeading | errors.LeaseEnded
)


@dataclass(frozen=True, slots=True)
class _Arrived:
    """A payload and what is recorded of it; `last`: there is no other try."""

    inbound: Inbound
    arrival: Arrival
    last: bool = False


@dataclass(slots=True, kw_only=True)
class Intake:
    """Takes what the transport brings."""

    journal: Arrivals
    clock: Clock
    events: Events
    reception: Reception
    failures: Failures
    topics: Topics
    gate: Gate
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""
    on_chain: Callable[[], None] = lambda: None
    """Hears that a chain has begun, or that chains may have ended."""
    hold_seconds: float = HOLD_SECONDS
    _arrived: list[_Arrived] = field(init=False, default_factory=list)
    """What came in this turn of the event loop, and what looks for a place."""
    _unrecorded: int = field(init=False, default=0)
    """Payloads that the journal has not recorded yet."""
    _undecided: Undecided[_Arrived] = field(init=False)
    _is_full: bool = field(init=False, default=False)
    _duplicates: Limiter = field(init=False)
    _unknown_topics: Limiter = field(init=False)
    _wrong_wishes: Limiter = field(init=False)

    def __post_init__(self) -> None:
        self._undecided = Undecided(put=self._put)
        self._duplicates = Limiter(clock=self.clock, most=1)
        self._unknown_topics = Limiter(clock=self.clock, most=1)
        self._wrong_wishes = Limiter(clock=self.clock, most=1)

    def receive(self, inbound: Inbound) -> None:
        """Records a payload and acknowledges it after the commit; never raises."""
        try:
            channel, topics = self.topics.channel_of(inbound.topic), self.topics
            wishes = {topics.cancel, topics.acknowledge}
            if (channel is None and inbound.topic not in wishes) or inbound.retained:
                self._drop(inbound)
                return
            self.events.tell(events.RequestReceived(inbound=inbound))
            if channel is None:
                self._receive_wish(inbound)
            else:
                self._put(self._read(inbound, channel))
        except Exception as error:  # noqa: BLE001 - the transport must live on; the broker keeps the payload
            self.events.tell(events.Defect(name="intake_failed", error=error))
            inbound.release()

    def connection_ended(self) -> None:
        """The connection to the broker has ended.

        What came over it is recorded first: the journal notes over which connection a request came, and by
        that it knows a repeated PUBLISH.
        """
        self._record(may_hold=False)
        self.journal.connection_ended()
        for one in self._undecided.connection_ended():
            one.inbound.release()

    def _receive_wish(self, inbound: Inbound) -> None:
        wish = self.reception.wish(inbound, cancels=inbound.topic == self.topics.cancel)
        if isinstance(wish, Rejection):
            admitted = self._wrong_wishes.admits()
            level = events.Level.WARNING if admitted else events.Level.DEBUG
            count = 1 + self._wrong_wishes.take_count() if admitted else 0
            self.events.tell(
                events.WishDropped(level=level, topic=inbound.topic, error=wish.message, count=count)
            )
            inbound.acknowledge()
            return
        self._put(_Arrived(inbound, wish, last=isinstance(wish, NewWish)))

    def _drop(self, inbound: Inbound) -> None:
        """A retained payload would be executed again at every start (contract, section 2)."""
        if inbound.retained:
            self.events.tell(events.RetainedDropped(topic=inbound.topic))
        else:
            # An old subscription to everything could bring thousands of them.
            level = events.Level.WARNING if self._unknown_topics.admits() else events.Level.DEBUG
            self.events.tell(events.UnknownTopicDropped(level=level, topic=inbound.topic))
        inbound.acknowledge()

    def _read(self, inbound: Inbound, channel: Channel) -> _Arrived:
        try:
            return _Arrived(inbound, self.reception.arrival(inbound, channel, admits=self._admits))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this payload alone
            self.events.tell(events.Defect(name="intake_failed", error=error))
            return _Arrived(inbound, self.reception.defect(inbound, channel), last=True)

    # What came in one turn of the event loop is recorded together.

    def _put(self, arrived: _Arrived) -> None:
        if not self._arrived:
            asyncio.get_running_loop().call_soon(self._record)
        self._arrived.append(arrived)
        self._unrecorded += 1

    def _record(self, *, may_hold: bool = True) -> None:
        now = self.clock.now()
        opening = self.gate.opening(now=now)
        arrived = self._take(opening, now=now if may_hold else math.inf)
        if self._arrived:
            asyncio.get_running_loop().call_later(LOOK_SECONDS, self._record)
        if not arrived:
            return
        if not self.journal.is_roomy(self._unrecorded):
            arrived = [self._prepared(one) for one in arrived]
        reserved = 0
        if opening is not None:
            leaving = [
                one for one in arrived if isinstance(one.arrival, NewRequest) and one.arrival.may_leave
            ]
            reserved = min(opening.places, len(leaving))
            self.gate.reserve(reserved)
        recording = self.journal.record([one.arrival for one in arrived], opening=opening)
        recording.add_done_callback(
            partial(self._end_recording, arrived, reserved, self._undecided.connection)
        )

    def _take(self, opening: Opening | None, *, now: float) -> list[_Arrived]:
        """What is recorded now: all but what looks for a place a while longer, with everything after that."""
        places = len(self._arrived) if opening is None else opening.places
        for at, one in enumerate(self._arrived):
            if not (isinstance(one.arrival, NewRequest) and one.arrival.may_leave):
                continue
            places -= 1
            if places < 0 and now < one.arrival.accepted_at + self.hold_seconds:
                taken, self._arrived = self._arrived[:at], self._arrived[at:]
                return taken
        taken, self._arrived = self._arrived, []
        return taken

    def _prepared(self, one: _Arrived) -> _Arrived:
        """The journal is nearly full: the answer to a request that finds no room is made beforehand."""
        if not isinstance(one.arrival, NewRequest):
            return one
        try:
            return replace(one, arrival=self.reception.with_refusal(one.inbound, one.arrival))
        except Exception as error:  # noqa: BLE001 - without its answer, it is given back where there is no room
            self.events.tell(events.Defect(name="intake_failed", error=error))
            return one

    def _admits(self, request: Claimed) -> bool:
        try:
            return self.gate.may_leave(request, now=request.accepted_at)
        except Exception as error:  # noqa: BLE001 - it waits for the dispatcher, where a defect costs it alone
            self.events.tell(events.Defect(name="intake_failed", error=error))
            return False

    def _end_recording(
        self, arrived: Sequence[_Arrived], reserved: int, over: int, done: asyncio.Future[Recordings]
    ) -> None:
        self._unrecorded -= len(arrived)
        error = None if done.cancelled() else done.exception()
        if done.cancelled() or error is not None:
            self.gate.begin([], reserved=reserved, left=0)
            if error is not None:
                self._fail(arrived, error)
            return
        recordings = done.result()
        for one, recorded in zip(arrived, recordings.recorded, strict=True):
            if recorded.recording is Recording.UNDECIDED:
                if not self._undecided.keep(one, over=over):
                    one.inbound.release()
                continue
            try:
                self._pass_on(one, recorded)
            except Exception as defect:  # noqa: BLE001 - what is on disk is carried out, acknowledged or not
                self.events.tell(events.Defect(name="intake_failed", error=defect))
        self.on_written(recordings.written)
        self._go_on(arrived, recordings.recorded, reserved)

    def _go_on(self, arrived: Sequence[_Arrived], recorded: Sequence[Recorded], reserved: int) -> None:
        """Attempts that are open are made; the other requests wait for the dispatcher."""
        opened: list[Claimed] = []
        left = waiting = 0
        for one, result in zip(arrived, recorded, strict=True):
            if not isinstance(one.arrival, NewRequest) or result.recording is not Recording.NEW:
                continue
            if result.opened and result.id is not None:
                opened.append(_claimed(result.id, one.arrival))
            else:
                waiting += 1
                left += one.arrival.may_leave
        self.gate.begin(opened, reserved=reserved, left=left)
        if waiting:
            self.gate.wake()

    def _pass_on(self, one: _Arrived, recorded: Recorded) -> None:
        """Acknowledges what is on disk, and says what became of it."""
        match recorded.recording:
            case Recording.FAILED | Recording.UNDECIDED:  # what is undecided was kept before
                self._fail([one], recorded.error or RuntimeError("the journal gave no error"))
                return
            case Recording.FULL if recorded.id is None:
                self._give_back(one.inbound)
                return
            case Recording.FULL:
                self._tell_full()
                if isinstance(one.arrival, NewRequest) and one.arrival.if_full is not None:
                    self.failures.rejected(one.arrival.if_full)
            case Recording.REPEATED:
                self.events.tell(events.RepeatedPublishIgnored())
            case Recording.DUPLICATE:
                if self._duplicates.admits():  # a sender could fill the log with its repetitions
                    self.events.tell(events.DuplicateAnswered(count=1 + self._duplicates.take_count()))
            case Recording.NEW:
                self._tell_new(one.arrival, recorded)
            case _:
                assert_never(recorded.recording)
        if not isinstance(one.arrival, NewWish):
            self.events.tell(
                events.RequestRecorded(
                    inbound=one.inbound,
                    arrival=one.arrival,
                    recording=recorded.recording,
                    number=recorded.id,
                )
            )
        one.inbound.acknowledge()
        self.events.tell(events.RequestAcknowledged(inbound=one.inbound))

    def _tell_new(self, arrival: Arrival, recorded: Recorded) -> None:
        match arrival:
            case NewRejection():
                self.failures.rejected(arrival)
            case NewRequest():
                self._is_full = False
                if recorded.id is not None and arrival.notification.escalation is not None:
                    self.on_chain()
            case NewWish():
                progress = recorded.progress
                if progress is not None and not progress.unfinished:
                    self.events.tell(
                        events.WishCarriedOut(
                            wish=progress.name, chains=progress.chains, requests=progress.requests
                        )
                    )
                self.on_chain()  # which also goes on with a wish that is not carried out to its end
                self.gate.wake()  # there may be texts for others, and turns have passed on
            case _:
                assert_never(arrival)
        if recorded.ended is not None:
            self._tell_ended(arrival, recorded.ended)

    def _tell_ended(self, arrival: Arrival, ended: Ended) -> None:
        how: Door | None = None
        match arrival:
            case NewWish(wish=Acknowledgement()):
                kind = EndKind.ACKNOWLEDGED
                how = Door.TOPIC
            case NewWish():
                kind = EndKind.CANCELLED
            case _:
                kind = EndKind.SUPERSEDED
        for chain, seconds in zip(ended.chains, ended.lasted, strict=True):
            self.events.tell(
                events.ChainEnded(
                    level=events.Level.INFO, number=chain, ending=kind, how=how, seconds=seconds
                )
            )
        for request in ended.requests:
            self.events.tell(events.WaitingRequestEnded(number=request))
        for why in ended.unsuccessful:
            self.failures.failed(why.request, why)

    def _fail(self, arrived: Sequence[_Arrived], error: BaseException) -> None:
        """Nothing of these is on disk."""
        if not isinstance(error, errors.JournalError):
            self.events.tell(events.Defect(name="record_failed", error=error))
            for one in arrived:
                self._try_again(one)
            return
        # JournalMoved says by itself what to do, JournalClosed comes at the end of each drain, and after
        # NotLeading the broker delivers to the connector that leads.
        if not isinstance(error, EXPECTED):
            self.events.tell(events.Defect(name="record_failed", error=error))
        for one in arrived:
            if isinstance(error, errors.JournalFull):
                self._give_back(one.inbound)
            elif isinstance(error, errors.LeaseEnded) and one.inbound.give_back is not None:
                one.inbound.give_back()  # over a new connection, which begins under a new lease
            else:
                one.inbound.release()
        self.gate.wake()  # a journal that is damaged ends the connector as soon as a stage needs it

    def _try_again(self, one: _Arrived) -> None:
        """A defect keeps it from being recorded: an InternalError is, unless this was the last try."""
        if one.last:
            one.inbound.release()
            return
        match one.arrival:
            case NewRequest(notification=notification):
                request_id, channel = notification.request_id, notification.channel
            case NewRejection(request_id=request_id, channel=channel):
                pass
            case NewWish():
                one.inbound.release()
                return
            case _:
                assert_never(one.arrival)
        answer = self.reception.defect(one.inbound, channel, request_id=request_id)
        self._put(_Arrived(one.inbound, answer, last=True))

    def _give_back(self, inbound: Inbound) -> None:
        """Not even an answer fits into the journal, so the sender's side keeps the request a while longer."""
        self._tell_full()
        if inbound.give_back is not None and inbound.packet_id is not None:
            inbound.give_back()
            return
        inbound.release()
        self.events.tell(events.RequestLost(topic=inbound.topic))

    def _tell_full(self) -> None:
        """Once, not for each request that finds no room."""
        if not self._is_full:
            self._is_full = True
            self.events.tell(events.JournalFull())


def _claimed(id_: int, request: NewRequest) -> Claimed:
    return Claimed(
        id=id_,
        notification=request.notification,
        accepted_at=request.accepted_at,
        expires_at=request.expires_at,
        due_at=request.accepted_at,
        traceparent=None if request.envelope is None else request.envelope.traceparent,
    )
