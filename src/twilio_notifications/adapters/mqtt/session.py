"""One session with a broker over one connection, from CONNECT to its end.

It turns the events of the conversation into requests, acknowledgements and futures.
Rule 1: a Session is never reused. It drops an acknowledgement that comes after the end of its connection,
because on the next connection the same packet identifier may mean another message. Rule 2: this module
does not decide when to reconnect.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import TYPE_CHECKING, Any, assert_never

from twilio_notifications.adapters.mqtt import reasons
from twilio_notifications.adapters.mqtt.connection import CLOSED_BY_BROKER, BrokerConnection
from twilio_notifications.adapters.mqtt.copies import OURS, Copies, Neighbours, filters_with_wildcards
from twilio_notifications.adapters.mqtt.inflow import Inflow, Receipts
from twilio_notifications.adapters.mqtt.outgoing import Outgoing
from twilio_notifications.adapters.mqtt.protocol import (
    FAILURE,
    Broken,
    Connack,
    Conversation,
    Disconnect,
    Pingresp,
    Puback,
    Publish,
    Suback,
)
from twilio_notifications.core.errors import NotAcknowledged, TransportError
from twilio_notifications.ports import Inbound, Level
from twilio_notifications.ports.events import CopyDropped, CopySuspected

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.mqtt.opening import Client
    from twilio_notifications.adapters.mqtt.protocol import BrokerLimits, Event, Version

FORGET_SECONDS = 2.0
"""The most seconds for which a new session waits for the disk; even a slow memory card writes within this
time."""

GIVE_BACK_SECONDS = 0.25
GIVE_BACK_LOOKS = 40
QUIET_LOOKS = 4
"""A session that gives requests back checks every GIVE_BACK_SECONDS, at most GIVE_BACK_LOOKS times,
whether its statuses are acknowledged. It ends after QUIET_LOOKS such checks in a row without an
unacknowledged status."""


def _probe_of(client_id: str) -> bytes:
    """The payload of a probe: short, and no request. Connectors of one group hear each other's probes."""
    return json.dumps({"client": client_id}).encode()


CLOSED_BY_US = "closed by the connector"


class ConnectionEnded(TransportError):
    """The connection ended before the broker had answered CONNECT or SUBSCRIBE."""


class Session:
    """A session for one connection. The future `ended` holds a sentence when the connection is gone."""

    def __init__(self, client: Client, version: Version) -> None:
        self.version = version
        loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = loop.create_future()
        self._gives_back = False
        self.granted_qos: int | None = None
        """The lowest QoS of our subscriptions; None before there are any."""
        self.left_unacknowledged = False
        """Whether a message that we published was unacknowledged at the end of the session."""
        self._client = client
        self._events = client.events
        self._accepted: asyncio.Future[None] = loop.create_future()
        self._subscribing: dict[int, asyncio.Future[Suback]] = {}
        self._forgetting: asyncio.Future[None] | None = None
        self._probe: tuple[str, asyncio.Future[None]] | None = None
        """The topic of the probe, and the future that is done when the probe comes back."""
        self._copies = Copies()
        self._neighbours: Neighbours | None = None
        self._copied: set[str] = set()
        """The topics on which copies came."""
        self._conversation = Conversation(version)
        self._inflow = Inflow(most_unrecorded=client.introduction.receive_maximum)
        self._receipts = Receipts(self._inflow)
        self._connection = BrokerConnection(
            self._conversation, inflow=self._inflow, on_event=self._handle, on_end=self._end
        )
        self._outgoing = Outgoing(
            self._conversation,
            self._connection,
            limit_seconds=client.acknowledge_seconds,
            on_silence=self._end,
        )

    @property
    def is_probing(self) -> bool:
        """Whether a probe is under way."""
        return self._probe is not None and not self._probe[1].done()

    @property
    def limits(self) -> BrokerLimits:
        """What the broker granted in CONNACK."""
        return self._conversation.limits

    # Opening and closing.

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Connects and waits for the broker's CONNACK.

        Raises OSError when there is no connection, TransportError when the name of the host is not valid,
        BrokerRefused when the broker refuses, and ConnectionEnded when it closes the connection without an
        answer.
        """
        client = self._client
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: self._connection, client.host, client.port, ssl=tls
            )
        except UnicodeError as error:
            raise TransportError(f"{client.host!r} cannot be the name of a host: {error}") from error
        self._conversation.connect(client.introduction)
        self._connection.flush_soon()
        await self._until(self._accepted)
        if not self._accepted.done():
            why = self.ended.result()
            if why.startswith(CLOSED_BY_BROKER):  # one sentence for one cause: the socket's reasons vary
                raise ConnectionEnded("the broker closed the connection without an answer")
            raise ConnectionEnded(f"the broker gave no answer to CONNECT: {why}")
        self._accepted.result()

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribes with QoS 1 and waits for SUBACK.

        Raises BrokerRefused when the broker refuses a topic, ConnectionEnded when the connection ends.
        """
        if self._forgetting is not None:
            # No message arrives without a subscription. If the program crashed before the journal forgot the
            # last session's packets, it would take new packets for old ones. The wait has a limit, because a
            # failing disk must not keep the connector away from the broker.
            await asyncio.wait({self._forgetting}, timeout=FORGET_SECONDS)
        if self.ended.done():
            raise ConnectionEnded(f"the connection ended: {self.ended.result()}")
        answer = self._subscribe(topics)
        await self._until(answer)
        if not answer.done():
            raise ConnectionEnded(f"the connection ended while subscribing: {self.ended.result()}")
        granted = answer.result()
        if len(granted.codes) != len(topics):
            raise ConnectionEnded(
                f"the broker granted {len(granted.codes)} subscriptions, but the connector asked for "
                f"{len(topics)}"
            )
        codes = dict(zip(topics, granted.codes, strict=True))
        refused = {topic: code for topic, code in codes.items() if code >= FAILURE}
        if refused:
            raise reasons.not_granted(self._client.introduction.client_id, refused, granted.reason)
        earlier = [] if self.granted_qos is None else [self.granted_qos]
        self.granted_qos = min([*earlier, *granted.codes])

    def _subscribe(self, topics: Sequence[str]) -> asyncio.Future[Suback]:
        packet_id = self._conversation.subscribe(topics, identifier=OURS)
        self._connection.flush_soon()
        answer = self._subscribing[packet_id] = asyncio.get_running_loop().create_future()
        return answer

    async def _until(self, answer: asyncio.Future[Any]) -> None:
        """Returns when the broker has answered, or the connection has ended."""
        awaited: set[asyncio.Future[Any]] = {answer, self.ended}
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)

    async def close(self) -> None:
        """Sends DISCONNECT and closes the connection in any phase, within two seconds."""
        self._end(CLOSED_BY_US)
        await self._connection.close()

    def _end(self, sentence: str) -> None:
        if not self.ended.done():
            self.ended.set_result(sentence)
            self.left_unacknowledged = self._outgoing.is_busy
            self._outgoing.fail(sentence)

    # Events from the broker.

    def _handle(self, event: Event) -> None:
        match event:
            case Publish():
                self._handle_message(event)
            case Puback():
                self._outgoing.handle(event)
            case Connack():
                self._handle_connack(event)
            case Suback(packet_id=packet_id):
                answer = self._subscribing.pop(packet_id, None)
                if answer is not None and not answer.done():
                    answer.set_result(event)
            case Pingresp():
                pass  # the connection has already noted that the broker answers
            case Disconnect(said=said):
                self._end(reasons.of_end(said))
            case Broken(code=code, sentence=sentence):
                self._end(f"the broker broke the protocol (we answered with code {code}): {sentence}")
            case _:
                assert_never(event)

    def _handle_connack(self, connack: Connack) -> None:
        if self._accepted.done():
            return
        if connack.said.code:
            self._accepted.set_exception(reasons.refusal(connack.said, self.version))
            return
        granted = connack.limits.keep_alive_seconds
        asked = self._client.introduction.keep_alive_seconds
        self._connection.keep_alive(asked if granted is None else granted)
        if connack.session_present and not connack.limits.subscription_identifiers:
            self._neighbours = Neighbours()
        # This comes before all messages: they have packet identifiers of the new session.
        if not connack.session_present:
            self._forgetting = self._client.on_new_session()
        self._accepted.set_result(None)

    def _handle_message(self, message: Publish) -> None:
        if self._gives_back:
            return  # it is not acknowledged, so the next connection brings it again, in its order
        acknowledge = partial(self._acknowledge, message)
        receipt = self._receipts.new(len(message.payload), acknowledge)
        if self._is_for_us_alone(message):
            receipt.acknowledge()
            return
        self._client.on_inbound(
            Inbound(
                topic=message.topic,
                payload=message.payload,
                passed_over=message.passed_over,
                acknowledge=receipt.acknowledge,
                release=receipt.release,
                give_back=partial(self._give_back, receipt.release),
                retained=message.retained,
                redelivered=message.redelivered,
                packet_id=message.packet_id,
                envelope=None if message.asked is None else self._client.envelope(message.asked),
            )
        )

    def _give_back(self, release: Callable[[], None]) -> None:
        """Makes the broker deliver the message again: it does so only on a new connection (MQTT 5, 4.4).

        This connection stays for a while, because acknowledged statuses make room in the journal.
        """
        release()
        if not self._gives_back:
            self._gives_back = True
            self._end_when_quiet(looks=GIVE_BACK_LOOKS, quiet=0)

    def _end_when_quiet(self, *, looks: int, quiet: int) -> None:
        # No status leaves before the subscriptions are acknowledged, so that time does not count.
        quiet = 0 if self._outgoing.is_busy or self.granted_qos is None else quiet + 1
        if looks and quiet < QUIET_LOOKS:
            again = partial(self._end_when_quiet, looks=looks - 1, quiet=quiet)
            asyncio.get_running_loop().call_later(GIVE_BACK_SECONDS, again)
        else:
            self._end("the journal takes no request now, so the broker must deliver them again later")

    def _is_for_us_alone(self, message: Publish) -> bool:
        """Whether the message is a probe or a copy, so that it goes no further."""
        if self._probe is not None and message.topic == self._probe[0]:
            is_ours = message.payload == _probe_of(self._client.introduction.client_id)
            if is_ours and not self._probe[1].done():
                self._probe[1].set_result(None)
            return True
        if self._neighbours is not None:
            self._suspect_copy(self._neighbours, message)
        is_copy = self.limits.subscription_identifiers and self._copies.is_copy(message)
        if is_copy:
            # Only the first copy on a connection is a warning: a line for each would fill the log.
            level = Level.DEBUG if self._copied else Level.WARNING
            self._events.tell(CopyDropped(level=level, topic=message.topic))
            self._end_old_subscriptions(message.topic)
        return is_copy

    def _suspect_copy(self, neighbours: Neighbours, message: Publish) -> None:
        if neighbours.is_suspect(message, read_at=self._connection.heard_at):
            self._neighbours = None  # one warning for each connection
            self._end_old_subscriptions(message.topic)
            self._events.tell(CopySuspected(topic=message.topic))

    def _end_old_subscriptions(self, topic: str) -> None:
        """Ends the subscriptions that make copies: a copy that is delivered again looks like a request.

        A broker does not list the subscriptions of a session, so this ends all filters that may be there.
        """
        if topic not in self._copied and self._conversation.is_open:
            self._copied.add(topic)
            for filters in filters_with_wildcards(topic):
                self._conversation.unsubscribe(filters)
            self._connection.flush_soon()

    def _acknowledge(self, message: Publish) -> None:
        if self._conversation.is_open and not self.ended.done():
            self._conversation.acknowledge(message)
            self._connection.flush_soon()

    # Publishing.

    def probe(self, topic: str) -> asyncio.Future[None]:
        """Publishes a probe on this topic; returns a future that is done when the probe comes back.

        The future fails with BrokerRefused where the broker refuses the subscription. It is never done
        where the broker refuses the message, or the connection ends. A probe has QoS 0, because it is of
        no use later.
        """
        back: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._probe = topic, back
        if not self.ended.done():
            self._subscribe([topic]).add_done_callback(partial(self._probe_granted, topic, back))
            self._conversation.publish(topic, _probe_of(self._client.introduction.client_id), qos=0)
        return back

    def _probe_granted(self, topic: str, back: asyncio.Future[None], granted: asyncio.Future[Suback]) -> None:
        answer = granted.result()
        if answer.codes and answer.codes[0] >= FAILURE and not back.done():
            client_id = self._client.introduction.client_id
            refused = {topic: answer.codes[0]}
            back.set_exception(reasons.not_granted(client_id, refused, answer.reason))

    def publish_without_acknowledgement(self) -> None:
        """Publishes with QoS 0 from now on, for a broker that ends the connection because of QoS 1."""
        self._outgoing.qos = 0

    def say(self, topic: str, payload: bytes) -> None:
        """Publishes with QoS 0, retained, ahead of all that waits; nothing where the connection is closed."""
        if self._conversation.is_open:
            self._conversation.publish(topic, payload, qos=0, retained=True)
            self._connection.flush_soon()

    def publish(
        self, topic: str, payload: bytes, *, correlation: bytes | None = None, retained: bool = False
    ) -> asyncio.Future[None]:
        """A future that is done with the broker's PUBACK.

        It fails with NotAcknowledged when the broker refuses the message, or the connection ends.
        """
        if self.ended.done():
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.set_exception(NotAcknowledged(self.ended.result()))
            return future
        return self._outgoing.publish(topic, payload, correlation=correlation, retained=retained)
