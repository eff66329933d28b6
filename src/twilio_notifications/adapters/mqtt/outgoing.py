"""Publishes over one connection, within the broker's limits, and limits the wait for acknowledgements.

This module stores nothing: after the connection, the reporter publishes unacknowledged statuses again,
from the journal.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt import reasons
from twilio_notifications.adapters.mqtt.protocol import FAILURE, Unsendable
from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.mqtt.connection import BrokerConnection
    from twilio_notifications.adapters.mqtt.protocol import Conversation, Puback

MOST_UNACKNOWLEDGED = 1000
"""The most unacknowledged messages, where the broker names no receive maximum or a larger one."""

Future = asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class _SentMessage:
    future: Future
    at: float
    """The instant of sending, by the loop's clock."""


@dataclass(frozen=True, slots=True)
class _Message:
    """A message that waits for its sending."""

    topic: str
    payload: bytes
    correlation: bytes | None
    retained: bool
    future: Future


class Outgoing:
    """Publishes in the order of the calls.

    It calls `on_silence`, with a sentence, when acknowledgements stay away.
    """

    def __init__(
        self,
        conversation: Conversation,
        connection: BrokerConnection,
        *,
        limit_seconds: float,
        on_silence: Callable[[str], None],
    ) -> None:
        """`limit_seconds`: the time within which the broker must acknowledge a message."""
        self._conversation = conversation
        self._connection = connection
        connection.on_writable = self.fill
        self._limit_seconds = limit_seconds
        self._on_silence = on_silence
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[_Message] = deque()
        self._sent: dict[int, _SentMessage] = {}
        self._answered_at = self._loop.time()
        self._overtaken: int | None = None
        """The message that was the oldest when the broker acknowledged a later one; None: no such message."""
        self._look: asyncio.TimerHandle | None = None
        self.qos = 1

    @property
    def _window(self) -> int:
        return min(self._conversation.limits.receive_maximum, MOST_UNACKNOWLEDGED)

    @property
    def is_busy(self) -> bool:
        """Whether a message is not acknowledged yet."""
        return bool(self._sent or self._waiting)

    def publish(
        self, topic: str, payload: bytes, *, correlation: bytes | None = None, retained: bool = False
    ) -> Future:
        """A future that is done with the PUBACK, or fails with NotAcknowledged.

        It fails at once where the broker cannot take the message.
        """
        future: Future = self._loop.create_future()
        try:
            largest = self._conversation.largest_payload(topic, correlation=correlation)
        except Unsendable as error:
            future.set_exception(NotAcknowledged(str(error), refused=True))
            return future
        if len(payload) > largest:
            future.set_exception(
                NotAcknowledged(
                    f"the broker takes packets of {self._conversation.limits.maximum_packet_bytes} bytes, so "
                    f"messages of {largest} bytes on this topic, but this message has {len(payload)} bytes: "
                    "raise that limit at the broker (Mosquitto: max_packet_size)",
                    refused=True,
                    largest=largest,
                )
            )
            return future
        self._waiting.append(_Message(topic, payload, correlation, retained, future))
        self.fill()
        return future

    def fill(self) -> None:
        """Sends as many waiting messages as the broker takes now.

        Each acknowledgement leads to another call.
        """
        while self._waiting and len(self._sent) < self._window and self._connection.is_writable:
            message = self._waiting.popleft()
            packet_id = self._conversation.publish(
                message.topic,
                message.payload,
                qos=min(self.qos, self._conversation.limits.maximum_qos),
                correlation=message.correlation,
                retained=message.retained,
            )
            if packet_id is not None:
                self._sent[packet_id] = _SentMessage(message.future, self._loop.time())
            elif not message.future.done():
                message.future.set_result(None)  # QoS 0 has no acknowledgement
        if self._sent and self._look is None:
            self._look = self._loop.call_later(self._limit_seconds, self._check)
        self._connection.flush_soon()

    def handle(self, puback: Puback) -> None:
        """Resolves the future of the message that the broker answers.

        Ignores an unknown packet identifier.
        """
        oldest = next(iter(self._sent), None)
        sent = self._sent.pop(puback.packet_id, None)
        if sent is None:
            return
        self._answered_at = self._loop.time()
        if oldest != puback.packet_id:
            self._overtaken = oldest
        if not sent.future.done():
            if puback.said.code >= FAILURE:
                sent.future.set_exception(reasons.not_acknowledged(puback.said))
            else:
                sent.future.set_result(None)
        if self._waiting:
            self.fill()

    def _check(self) -> None:
        """Ends the session if the oldest message has waited for too long.

        Acknowledgements come in order (MQTT 5, 4.6). A slow link may need longer than the limit for many
        messages, so the time counts from the last acknowledgement. For a message that a later one has
        overtaken it counts from its sending, because the broker will not acknowledge it any more.
        """
        self._look = None
        oldest = next(iter(self._sent), None)
        if oldest is None:
            return
        since = max(self._sent[oldest].at, self._connection.reading_since)
        if oldest != self._overtaken:
            since = max(since, self._answered_at)
        # While we do not read the connection, we cannot see acknowledgements.
        waited = self._loop.time() - since if self._connection.is_reading else 0.0
        if waited < self._limit_seconds:
            self._look = self._loop.call_later(self._limit_seconds - waited, self._check)
            return
        self._on_silence(
            f"the broker did not acknowledge a message within {self._limit_seconds:g} s "
            "([transport] acknowledge_seconds); the connector publishes unacknowledged statuses again"
        )

    def fail(self, sentence: str) -> None:
        """Fails all futures with NotAcknowledged and this sentence: the connection has ended."""
        if self._look is not None:
            self._look.cancel()
            self._look = None
        unanswered = [sent.future for sent in self._sent.values()]
        unsent = [message.future for message in self._waiting]
        self._sent.clear()
        self._waiting.clear()
        for future in (*unanswered, *unsent):
            if not future.done():
                future.set_exception(NotAcknowledged(sentence))
