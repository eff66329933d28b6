"""Bytes → request or rejection → journal → acknowledgement, in this order and no other.

What is acknowledged is on disk. What cannot be recorded is not acknowledged, so that the broker keeps it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import contract
from twilio_notifications.core.errors import JournalClosed, Reason
from twilio_notifications.core.model import Notification, Rejection
from twilio_notifications.ports import Level, Mark, Milestone, NewRejection, NewRequest, Recording

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from twilio_notifications.core.model import Channel
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Clock, Inbound, Journal, Milestones, Observer

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """Takes what the transport brings. `on_request` and `on_status` wake the stages that go on with it."""

    journal: Journal
    clock: Clock
    observer: Observer
    milestones: Milestones
    statuses: StatusWriter
    topics: contract.Topics
    default_sender_number: str | None
    lifetime_seconds: float
    on_request: Callable[[], None]
    on_status: Callable[[], None]

    def receive(self, inbound: Inbound) -> None:
        """Records a payload and acknowledges it after the commit; never raises."""
        try:
            self._receive(inbound)
        except Exception as error:  # noqa: BLE001 - the transport must live on; the broker keeps the payload
            self.observer.defect("intake_failed", error)

    def _receive(self, inbound: Inbound) -> None:
        channel = self.topics.channel_of(inbound.topic)
        if channel is None or inbound.retained:
            self._drop(inbound)
            return
        self.milestones.passed(Milestone.RECEIVED)
        self._record(inbound, self._arrival(inbound, channel))

    def _drop(self, inbound: Inbound) -> None:
        """A retained payload would be executed again at every start (contract, section 2)."""
        event = "retained_dropped" if inbound.retained else "unknown_topic_dropped"
        self.observer.event(event, level=Level.WARNING, topic=inbound.topic)
        inbound.acknowledge()

    def _arrival(self, inbound: Inbound, channel: Channel) -> NewRequest | NewRejection:
        now = self.clock.now()
        parsed = contract.parse(
            inbound.payload, channel=channel, default_sender_number=self.default_sender_number
        )
        match parsed:
            case Notification():
                lifetime = parsed.valid_for_seconds or self.lifetime_seconds
                return NewRequest(
                    notification=parsed,
                    accepted_at=now,
                    expires_at=now + lifetime,
                    mark=_mark(inbound),
                    redelivered=inbound.redelivered,
                )
            case Rejection():
                return self._rejection(
                    inbound, channel, parsed.request_id, Reason.INVALID_PARAMETER, parsed.message
                )
            case _:
                assert_never(parsed)

    def _rejection(
        self, inbound: Inbound, channel: Channel, request_id: str | float, reason: Reason, message: str
    ) -> NewRejection:
        now = self.clock.now()
        self.observer.event("request_rejected", reason=reason, topic=inbound.topic)
        return NewRejection(
            channel=channel,
            request_id=request_id,
            accepted_at=now,
            reason=reason,
            message=message,
            status=self.statuses.rejected(request_id, reason, message, at=now),
            mark=_mark(inbound),
            redelivered=inbound.redelivered,
        )

    def _record(self, inbound: Inbound, arrival: NewRequest | NewRejection) -> None:
        recording = self.journal.record(arrival)
        recording.add_done_callback(lambda done: self._recorded(inbound, arrival, done))

    def _recorded(
        self, inbound: Inbound, arrival: NewRequest | NewRejection, done: asyncio.Future[Recording]
    ) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None:
            if not isinstance(error, JournalClosed):  # at the end of a drain the broker simply keeps it
                self.observer.defect("record_failed", error)
                self.on_request()  # a journal that is damaged ends the connector as soon as a stage needs it
            return
        if done.result() is Recording.FULL and isinstance(arrival, NewRequest):
            self._record(inbound, self._full(inbound, arrival.notification))
            return
        self.milestones.passed(Milestone.RECORDED)
        self._pass_on(arrival, done.result())
        inbound.acknowledge()
        self.milestones.passed(Milestone.ACKNOWLEDGED)

    def _full(self, inbound: Inbound, notification: Notification) -> NewRejection:
        message = "The journal is full: too many requests wait already"
        return self._rejection(
            inbound, notification.channel, notification.request_id, Reason.QUEUE_FULL, message
        )

    def _pass_on(self, arrival: NewRequest | NewRejection, recording: Recording) -> None:
        if recording is Recording.REPEATED:
            self.observer.event("repeated_publish_ignored")
        elif recording is Recording.DUPLICATE:
            self.observer.event("duplicate_id_ignored")
        elif isinstance(arrival, NewRequest):
            self.on_request()
        else:
            self.on_status()


def _mark(inbound: Inbound) -> Mark | None:
    if inbound.packet_id is None:
        return None
    digest = hashlib.blake2b(inbound.topic.encode() + b"\0" + inbound.payload, digest_size=_DIGEST_BYTES)
    return Mark(packet_id=inbound.packet_id, digest=digest.digest())
