"""What recording does to the rows: runs in the writer's thread, inside its transaction."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.envelopes import encoded_envelope
from twilio_notifications.adapters.journal.inserts import Inserts
from twilio_notifications.adapters.journal.lanes import Lanes, joined, of_recipient, of_sender
from twilio_notifications.adapters.journal.memory import Standing
from twilio_notifications.adapters.journal.room import NoRoom
from twilio_notifications.adapters.journal.statements import arrivals as sql
from twilio_notifications.adapters.journal.statements.paces import HAS_WAITING
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.ports import (
    NewRejection,
    NewRequest,
    NewWish,
    Recorded,
    Recording,
    Recordings,
    Unreported,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.chaining import Chaining
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.duplicates import Duplicates
    from twilio_notifications.adapters.journal.grouping import AnyRedelivery
    from twilio_notifications.adapters.journal.memory import Memory, Recipient
    from twilio_notifications.adapters.journal.paces import Paces
    from twilio_notifications.adapters.journal.room import Fitting
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.adapters.journal.turns import Turns
    from twilio_notifications.adapters.journal.wishing import Wishing
    from twilio_notifications.ports import Arrival, Ended, Opening


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordCall:
    """One call of the intake."""

    arrivals: tuple[Arrival, ...]
    sizes: tuple[int, ...]
    """Bytes of each (rows.size_of)."""
    opening: Opening | None
    now: float
    """The instant of the call, by the monotonic clock."""


@dataclass(slots=True)
class _Batch:
    """What the calls of one transaction have added so far."""

    connection: Connection
    used: int
    """Bytes that the journal takes with what was added."""
    inserts: Inserts = field(default_factory=Inserts)
    recipients: set[Recipient] = field(default_factory=set)
    read: dict[Recipient, bool] = field(default_factory=dict)
    """Whether something of a recipient was unfinished before."""
    free_senders: set[int] = field(default_factory=set)
    """Paced senders for which no request waited before."""
    ended_others: bool = False
    """Something of these calls has ended other requests."""
    senders: set[int] = field(default_factory=set)
    """Paced senders for which requests of these calls wait."""
    waiting: int = 0
    latest: int = 0
    opening: Opening | None = None
    """The opening of the call under way."""
    places: int = 0
    """The places of that call that are left."""
    written: list[Unreported] = field(default_factory=list)

    def flush(self) -> None:
        self.inserts.flush(self.connection)

    def read_busy(self, recipients: Sequence[Recipient]) -> None:
        """Reads for whom something is unfinished."""
        if recipients:
            busy = set(self.connection.execute(sql.BUSY, {"recipients": json.dumps(recipients)}))
            self.read.update((recipient, recipient in busy) for recipient in recipients)

    def forget(self) -> None:
        """Other requests end: the rows are read again for what comes after that."""
        self.flush()
        self.ended_others = True
        self.recipients.clear()
        self.read.clear()
        self.senders.clear()
        self.free_senders.clear()


def _recipient(arrival: NewRequest) -> Recipient:
    notification = arrival.notification
    return notification.channel, notification.recipient.phone_number


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorder:
    """A kind of calls (kinds.py): records arrivals and opens the attempts of those that may leave."""

    memory: Memory
    duplicates: Duplicates
    redelivery: AnyRedelivery
    turns: Turns
    fitting: Fitting
    paces: Paces
    chaining: Chaining
    wishing: Wishing
    sharing: Sharing
    maximum_waiting: int
    deduplicate_seconds: float
    first: bool = False

    def lanes(self, call: RecordCall) -> Lanes | None:
        return joined(self._lanes(arrival) for arrival in call.arrivals)

    def _lanes(self, arrival: Arrival) -> Lanes | None:
        if arrival.redelivered or isinstance(arrival, NewWish):
            return None
        delivery = self.redelivery.lanes_of(arrival.mark)
        if isinstance(arrival, NewRejection):
            return Lanes(names=delivery)
        notification = arrival.notification
        if notification.about is not None or notification.escalation is not None:
            return None
        names = {*delivery, of_recipient(notification.channel, notification.recipient.phone_number)}
        if self.paces.are_any:
            names.add(of_sender(notification.channel, notification.sender_number))
        return Lanes(names=frozenset(names))

    def together(self, connection: Connection, calls: Sequence[RecordCall]) -> list[Recordings]:
        self.redelivery.require(connection)
        batch = _Batch(connection, used=self.fitting.used(connection))
        new = [one for call in calls for one in call.arrivals if not one.redelivered]
        self.memory.numbers.expect("requests", sum(not isinstance(one, NewWish) for one in new))
        self.memory.numbers.expect("statuses", sum(isinstance(one, NewRejection) for one in new))
        if not self.memory.knows_all(more=0):
            asked = {_recipient(one) for one in new if isinstance(one, NewRequest)}
            batch.read_busy([recipient for recipient in asked if not self.memory.knows_busy(recipient)])
        results = [self._record_all(batch, call) for call in calls]
        batch.flush()
        self.paces.write(connection)
        if batch.waiting or batch.written:
            self.sharing.tell_news()
        if batch.latest:
            self.redelivery.recorded(batch.latest)
        return results

    def parts(self, call: RecordCall) -> list[RecordCall]:
        # No part knows how many places the others leave, so none of them opens an attempt.
        return [
            RecordCall(arrivals=(arrival,), sizes=(size,), opening=None, now=call.now)
            for arrival, size in zip(call.arrivals, call.sizes, strict=True)
        ]

    def joined(self, call: RecordCall, outcomes: Sequence[Recordings | Exception]) -> Recordings:  # noqa: ARG002
        recorded: list[Recorded] = []
        written: list[Unreported] = []
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                recorded.append(Recorded(recording=Recording.FAILED, id=None, error=outcome))
            else:
                recorded += outcome.recorded
                written += outcome.written
        return Recordings(recorded=tuple(recorded), written=tuple(written))

    def _record_all(self, batch: _Batch, call: RecordCall) -> Recordings:
        self.redelivery.raise_watermark(batch.connection, now=call.now)
        batch.opening, batch.places = call.opening, 0 if call.opening is None else call.opening.places
        batch.written = []
        recorded = tuple(
            [
                self._record(batch, arrival, size)
                for arrival, size in zip(call.arrivals, call.sizes, strict=True)
            ]
        )
        return Recordings(recorded=recorded, written=tuple(batch.written))

    def _record(self, batch: _Batch, arrival: Arrival, size: int) -> Recorded:
        if arrival.mark is not None:
            if arrival.redelivered:
                batch.flush()  # what it repeats may have come with it
            judged = self.redelivery.judge(batch.connection, arrival.mark, redelivered=arrival.redelivered)
            if judged is not Recording.NEW:
                return Recorded(recording=judged, id=None)
        match arrival:
            case NewRejection():
                return Recorded(recording=Recording.NEW, id=self._reject(batch, arrival))
            case NewRequest():
                return self._record_request(batch, arrival, size)
            case NewWish():
                return self._carry_out(batch, arrival)
            case _:
                assert_never(arrival)

    def _record_request(self, batch: _Batch, arrival: NewRequest, size: int) -> Recorded:
        if self.deduplicate_seconds:
            answered = self._record_duplicate(batch, arrival)
            if answered is not None:
                return answered
        unfinished = self.memory.unfinished + self.duplicates.count
        if unfinished >= self.maximum_waiting or not self.fitting.fits(
            size, used=batch.used, unfinished=unfinished
        ):
            return self._full(batch, arrival)
        batch.used += size
        return self._insert(batch, arrival)

    def _carry_out(self, batch: _Batch, wish: NewWish) -> Recorded:
        batch.forget()
        up_to, over = self.memory.numbers.latest_request(), self.redelivery.connection
        progress = self.wishing.begin(batch.connection, wish, up_to=up_to, delivered=over)
        batch.written += progress.ended.written
        return Recorded(recording=Recording.NEW, id=None, ended=progress.ended, progress=progress)

    def _full(self, batch: _Batch, arrival: NewRequest) -> Recorded:
        id_ = None if arrival.if_full is None else self._reject(batch, arrival.if_full)
        return Recorded(recording=Recording.FULL, id=id_)

    def _record_duplicate(self, batch: _Batch, arrival: NewRequest) -> Recorded | None:
        """None where it repeats no other request, by the word of the operator that ids are unique."""
        batch.flush()
        key = rows.original_key(arrival.notification, since=arrival.accepted_at - self.deduplicate_seconds)
        row = batch.connection.execute(sql.ORIGINAL, key).fetchone()
        if row is None:
            return None
        original, state = row
        over = self.redelivery.connection
        if State(state) in UNFINISHED:
            if not self.duplicates.keep(batch.connection, arrival, original, delivered=over):
                return self._full(batch, arrival)
            return Recorded(recording=Recording.DUPLICATE, id=None)
        answer = self.duplicates.answer_now(
            batch.connection, arrival, original, inserts=batch.inserts, delivered=over
        )
        batch.latest = answer.request
        batch.written.append(answer)
        return Recorded(recording=Recording.DUPLICATE, id=answer.request)

    def _insert(self, batch: _Batch, arrival: NewRequest) -> Recorded:
        notification, recipient = arrival.notification, _recipient(arrival)
        busy = self._is_busy(batch, recipient)
        id_ = batch.latest = self.memory.next_request()
        request_id = rows.encoded_id(notification.request_id)
        hint = chain = None
        if notification.escalation is not None:
            batch.flush()
            chain, hint = id_, self.chaining.hint(batch.connection, id_, notification, arrival.hint)
        batch.inserts.requests.append(
            rows.request_row(id_, arrival, request_id=request_id, chain=chain, hint=hint)
        )
        # What the rules do not admit is looked at first whatever the pace, as its answer may be due now.
        sender = self.paces.sender_of(notification) if arrival.may_leave else None
        units = 1 if sender is None else rows.amount_of(notification, hint=hint)
        row = rows.state_row(id_, arrival, connection=self.redelivery.connection, sender=sender, units=units)
        batch.recipients.add(recipient)
        opening = batch.opening
        if (
            opening is not None
            and batch.places > 0
            and arrival.may_leave
            and not busy
            and (sender is None or self._has_room(batch, sender, units, at=opening.at))
        ):
            batch.places -= 1
            if sender is not None:
                self.paces.leave(sender, units, notification.priority, at=opening.at)
            lease = self.sharing.token
            batch.inserts.opened.append((*row, opening.at, opening.clock_offset, lease))
            standing = Standing(
                State.OPEN,
                *recipient,
                request_id,
                arrival.origin,
                1,
                opening.at,
                envelope=encoded_envelope(arrival.envelope),
                lease=lease,
            )
            self.memory.opened(id_, standing)
            self.memory.change(was=None, now=State.OPEN)
            ended = self._end_older(batch, id_, arrival)
            return Recorded(recording=Recording.NEW, id=id_, opened=True, ended=ended)
        batch.waiting += 1
        if sender is not None:
            batch.senders.add(sender)
            self.paces.wait(sender)
        batch.inserts.waiting.append((*row, arrival.accepted_at, arrival.accepted_at, not busy))
        self.memory.change(was=None, now=State.WAITING)
        if busy and self.turns.overtaking:
            batch.flush()
            self.turns.pass_on(batch.connection, [recipient])
        return Recorded(recording=Recording.NEW, id=id_, ended=self._end_older(batch, id_, arrival))

    def _has_room(self, batch: _Batch, sender: int, units: int, *, at: float) -> bool:
        """Whether a paced sender has room for so many units, and no other request waits for that room."""
        if sender in batch.senders or not self.paces.has_room(sender, units, at=at):
            return False
        if sender not in batch.free_senders:
            (waits,) = batch.connection.execute(HAS_WAITING, (sender,)).fetchone()
            (batch.senders if waits else batch.free_senders).add(sender)
        return sender in batch.free_senders

    def _end_older(self, batch: _Batch, id_: int, arrival: NewRequest) -> Ended | None:
        """Begins the chain of a new request; it takes the place of older requests about the same."""
        notification, writer = arrival.notification, arrival.writer
        if notification.about is None and notification.escalation is None:
            return None
        batch.forget()
        if notification.escalation is not None:
            self.chaining.begin(batch.connection, id_, arrival)
        if notification.about is None or writer is None:
            return None
        ended = self.wishing.supersede(batch.connection, id_, arrival, writer)
        batch.written += ended.written
        return ended

    def _is_busy(self, batch: _Batch, recipient: Recipient) -> bool:
        """Whether something of this recipient is unfinished; from memory where that says everything."""
        if recipient in batch.recipients or self.memory.knows_busy(recipient):
            return True
        if not batch.ended_others and self.memory.knows_all(more=batch.waiting):
            return False
        if recipient not in batch.read:
            batch.read_busy([recipient])
        return batch.read[recipient]

    def _reject(self, batch: _Batch, rejection: NewRejection) -> int:
        size = rows.size_of(rejection)
        if not self.fitting.fits_answer(size, used=batch.used):
            raise NoRoom(
                "the journal is as large as it may be (journal.maximum_bytes, and half of what was free on "
                "its disk), and holds nothing but requests that wait and statuses that are not reported yet"
            )
        batch.used += size
        id_, position = self.memory.next_request(), self.memory.next_position()
        batch.latest = id_
        mark, at = rejection.mark, rejection.accepted_at
        packet_id, digest = (None, None) if mark is None else (mark.packet_id, mark.digest)
        request_id = rows.encoded_id(rejection.request_id)
        batch.inserts.requests.append(
            rows.answered_row(
                id_,
                request_id,
                rejection.channel,
                accepted_at=at,
                origin=rejection.origin,
                digest=digest,
                envelope=encoded_envelope(rejection.envelope),
            )
        )
        batch.inserts.finished.append((id_, rejection.channel, packet_id, self.redelivery.connection, at))
        kept = rows.kept_status(rejection.status, request_id)
        batch.inserts.statuses.append(
            (position, id_, kept, rejection.reason, rejection.message, None, None, at, None)
        )
        self.memory.change(was=None, now=State.FINISHED)
        batch.written.append(
            Unreported(
                position=position,
                request=id_,
                status=rejection.status,
                origin=rejection.origin,
                envelope=rejection.envelope,
            )
        )
        return id_
