"""Bytes → request or rejection → journal → acknowledgement, in this order and no other.

What is acknowledged is on disk. What cannot be recorded is not acknowledged, so that the broker keeps it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import contract
from twilio_notifications.core.errors import JournalClosed, JournalError, JournalFull, JournalMoved, Reason
from twilio_notifications.core.model import Notification, Rejection
from twilio_notifications.pipeline.aside import NOT_SENT
from twilio_notifications.ports import Level, Mark, NewRejection, NewRequest, Recording
from twilio_notifications.ports.events import (
    Defect,
    DuplicateAnswered,
    RepeatedPublishIgnored,
    RequestAcknowledged,
    RequestLost,
    RequestReceived,
    RequestRecorded,
    RetainedDropped,
    UnknownTopicDropped,
    journals,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from twilio_notifications.core.model import Channel
    from twilio_notifications.pipeline.failures import Failures
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Clock, Events, Inbound, Journal

_DIGEST_BYTES = 16
_SECONDS_BETWEEN_LINES = 60.0


@dataclass(slots=True, kw_only=True)
class Intake:
    """Takes what the transport brings. `on_request` and `on_status` wake the stages that go on with it."""

    journal: Journal
    clock: Clock
    events: Events
    statuses: StatusWriter
    failures: Failures
    topics: contract.Topics
    default_sender_number: str | None
    lifetime_seconds: float
    on_request: Callable[[], None]
    on_status: Callable[[], None]
    _is_full: bool = field(init=False, default=False)
    _duplicates: int = field(init=False, default=0)
    """Those that no line of the log has counted yet."""
    _tell_duplicates_at: float = field(init=False, default=0.0)
    _tell_unknown_topic_at: float = field(init=False, default=0.0)

    def receive(self, inbound: Inbound) -> None:
        """Records a payload and acknowledges it after the commit; never raises."""
        try:
            channel = self.topics.channel_of(inbound.topic)
            if channel is None or inbound.retained:
                self._drop(inbound)
                return
            self.events.tell(RequestReceived(inbound=inbound))
            self._receive(inbound, channel)
        except Exception as error:  # noqa: BLE001 - the transport must live on; the broker keeps the payload
            self.events.tell(Defect(name="intake_failed", error=error))
            inbound.release()

    def _receive(self, inbound: Inbound, channel: Channel) -> None:
        try:
            arrival = self._arrival(inbound, channel)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this payload alone
            self.events.tell(Defect(name="intake_failed", error=error))
            self._record(inbound, self._defect("", inbound, channel), last=True)
        else:
            self._record(inbound, arrival)

    def _defect(self, request_id: str | float, inbound: Inbound, channel: Channel) -> NewRejection:
        """The answer to a request on which the connector itself fails."""
        rejection = Rejection(request_id=request_id, message=NOT_SENT)
        return self._rejection(inbound, rejection, Reason.INTERNAL_ERROR, channel=channel)

    def _drop(self, inbound: Inbound) -> None:
        """A retained payload would be executed again at every start (contract, section 2)."""
        if inbound.retained:
            self.events.tell(RetainedDropped(topic=inbound.topic))
        else:
            self._tell_unknown_topic(inbound.topic)
        inbound.acknowledge()

    def _tell_unknown_topic(self, topic: str) -> None:
        """One WARNING in a minute: an old subscription to everything could bring thousands of them."""
        now = self.clock.now()
        level = Level.DEBUG
        if now >= self._tell_unknown_topic_at:
            level, self._tell_unknown_topic_at = Level.WARNING, now + _SECONDS_BETWEEN_LINES
        self.events.tell(UnknownTopicDropped(level=level, topic=topic))

    def _arrival(self, inbound: Inbound, channel: Channel) -> NewRequest | NewRejection:
        now = self.clock.now()
        match self._parsed(inbound, channel):
            case Notification() as parsed:
                lifetime = parsed.valid_for_seconds or self.lifetime_seconds
                return NewRequest(
                    notification=parsed,
                    accepted_at=now,
                    expires_at=now + lifetime,
                    mark=_mark(inbound),
                    redelivered=inbound.redelivered,
                    origin=inbound.origin,
                )
            case Rejection() as rejection:
                return self._rejection(inbound, rejection, Reason.INVALID_PARAMETER, channel=channel)
            case never:
                assert_never(never)

    def _parsed(self, inbound: Inbound, channel: Channel) -> Notification | Rejection:
        if inbound.passed_over:
            return contract.too_large(inbound.passed_over)
        default = self.default_sender_number
        return contract.parse(inbound.payload, channel=channel, default_sender_number=default)

    def _rejection(
        self, inbound: Inbound, rejection: Rejection, reason: Reason, *, channel: Channel
    ) -> NewRejection:
        now = self.clock.now()
        return NewRejection(
            channel=channel,
            request_id=rejection.request_id,
            accepted_at=now,
            reason=reason,
            message=rejection.message,
            status=self.statuses.rejected(rejection, reason, channel=channel, at=now),
            mark=_mark(inbound),
            redelivered=inbound.redelivered,
            origin=inbound.origin,
        )

    def _record(self, inbound: Inbound, arrival: NewRequest | NewRejection, *, last: bool = False) -> None:
        """Where a defect keeps it from being recorded, an InternalError is, unless it is the `last` try."""

        def full() -> NewRejection:
            # In the same commit, so that acknowledgements leave in the order of arrival (MQTT 5, 4.6).
            return self._full(inbound, arrival)

        recording = self.journal.record(arrival, if_full=full)
        recording.add_done_callback(lambda done: self._recorded(inbound, arrival, done, last=last))

    def _recorded(
        self,
        inbound: Inbound,
        arrival: NewRequest | NewRejection,
        done: asyncio.Future[Recording],
        *,
        last: bool,
    ) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            self._not_recorded(inbound, arrival, error, last=last)
            return
        self.events.tell(RequestRecorded(inbound=inbound, arrival=arrival, recording=done.result()))
        if done.result() is Recording.FULL:
            self.failures.rejected(self._full(inbound, arrival))
        self._pass_on(arrival, done.result())
        inbound.acknowledge()
        self.events.tell(RequestAcknowledged(inbound=inbound))

    def _not_recorded(
        self, inbound: Inbound, arrival: NewRequest | NewRejection, error: BaseException, *, last: bool
    ) -> None:
        if isinstance(error, JournalClosed):  # at the end of a drain the broker simply keeps it
            inbound.release()
            return
        if isinstance(error, JournalFull):
            self._give_back(inbound)
            return
        if not isinstance(error, JournalMoved):  # which says by itself what to do, and ends the connector
            self.events.tell(Defect(name="record_failed", error=error))
        if last or isinstance(error, JournalError):
            inbound.release()
            self.on_request()  # a journal that is damaged ends the connector as soon as a stage needs it
            return
        answer = self._defect(_request_id(arrival), inbound, _channel(arrival))
        self._record(inbound, answer, last=True)

    def _give_back(self, inbound: Inbound) -> None:
        """Not even an answer fits into the journal, so the sender's side keeps the request a while longer."""
        self._tell_full()
        if inbound.give_back is not None and inbound.packet_id is not None:
            inbound.give_back()
            return
        inbound.release()
        self.events.tell(RequestLost(topic=inbound.topic))

    def _full(self, inbound: Inbound, arrival: NewRequest | NewRejection) -> NewRejection:
        match arrival:
            case NewRequest(notification=notification):
                rejection = Rejection(
                    request_id=notification.request_id,
                    message="The journal is full: too many requests wait already",
                )
                return self._rejection(inbound, rejection, Reason.QUEUE_FULL, channel=notification.channel)
            case NewRejection():  # there is always room for an answer
                return arrival
            case _:
                assert_never(arrival)

    def _pass_on(self, arrival: NewRequest | NewRejection, recording: Recording) -> None:
        match recording:
            case Recording.REPEATED:
                self.events.tell(RepeatedPublishIgnored())
            case Recording.DUPLICATE:
                self._tell_duplicate()
                self.on_status()
            case Recording.FULL:
                self._tell_full()
                self.on_status()
            case Recording.NEW:
                self._pass_on_new(arrival)
            case _:
                assert_never(recording)

    def _pass_on_new(self, arrival: NewRequest | NewRejection) -> None:
        match arrival:
            case NewRequest():
                self._is_full = False
                self.on_request()
            case NewRejection():
                self.failures.rejected(arrival)
                self.on_status()
            case _:
                assert_never(arrival)

    def _tell_duplicate(self) -> None:
        """One line in a minute: a sender could fill the log with its repetitions."""
        self._duplicates += 1
        if self.clock.now() >= self._tell_duplicates_at:
            self.events.tell(DuplicateAnswered(count=self._duplicates))
            self._duplicates = 0
            self._tell_duplicates_at = self.clock.now() + _SECONDS_BETWEEN_LINES

    def _tell_full(self) -> None:
        """Once, not for each request that finds no room."""
        if not self._is_full:
            self._is_full = True
            self.events.tell(journals.JournalFull())


def _request_id(arrival: NewRequest | NewRejection) -> str | int | float:
    return arrival.request_id if isinstance(arrival, NewRejection) else arrival.notification.request_id


def _channel(arrival: NewRequest | NewRejection) -> Channel:
    return arrival.channel if isinstance(arrival, NewRejection) else arrival.notification.channel


def _mark(inbound: Inbound) -> Mark | None:
    if inbound.packet_id is None:
        return None
    # Of a payload that was passed over, the size is all that is known.
    known = f"{inbound.topic}\0{inbound.passed_over or ''}\0".encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(known + inbound.payload, digest_size=_DIGEST_BYTES)
    return Mark(packet_id=inbound.packet_id, digest=digest.digest())
