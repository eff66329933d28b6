"""One connection to a broker, from CONNECT to its end, on gmqtt.

gmqtt brings the packets; what it lacks stands here: an acknowledgement that the application gives when it is
ready, the packet identifier of what was received, an awaitable publish, and the reason in a PUBACK.
Rule 1: a Session is never reused. An acknowledgement that comes after its connection has ended goes nowhere;
sent on the next connection it could acknowledge another message under the same packet identifier.
Rule 2: reconnecting is not decided here.
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING, Any

import gmqtt

from twilio_notifications.adapters.mqtt import reasons
from twilio_notifications.adapters.mqtt.inflow import Inflow, Receipt
from twilio_notifications.adapters.mqtt.unacknowledged import Unacknowledged
from twilio_notifications.core.errors import BrokerRefused, NotAcknowledged, TransportError
from twilio_notifications.ports import Inbound

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Sequence

    from twilio_notifications.adapters.mqtt.packets import PassedOver
    from twilio_notifications.core.model import Secret


class Version(IntEnum):
    """The protocol level as it stands in CONNECT."""

    V311 = 4
    V5 = 5


class ConnectionEnded(TransportError):
    """The connection ended before the broker had answered CONNECT."""


_FAILURE = 0x80
"""From here up a reason code is a failure (MQTT 5, 2.4)."""

_DO_NOT_SEND_RETAINED = 2
"""Retain handling of a subscription (MQTT 5, 3.8.3.1)."""

_WINDOW = 1000
"""Messages that may be unacknowledged where the broker names no receive maximum, or a larger one."""

_PACKET_IDS = 65_535

FORGET_SECONDS = 2.0
"""How long a new session waits for the disk; even a slow card writes within this."""

_NEVER_RECONNECT = -2
"""gmqtt reconnects while its count of failures is not above this; -1 would mean "for ever"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where a broker is and how to introduce oneself."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: Secret | None = None
    keepalive_seconds: int = 60
    session_expiry_seconds: int | None = None
    """How long the broker keeps the session after the connection; None begins and ends a clean one."""
    receive_maximum: int = 100


class Session:
    """A connection. `ended` is done, with a sentence, when the connection is gone."""

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        version: Version,
        on_inbound: Callable[[Inbound], None],
        on_new_session: Callable[[], asyncio.Future[None] | None],
    ) -> None:
        self.version = version
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._endpoint = endpoint
        self._on_inbound = on_inbound
        self._on_new_session = on_new_session
        self._forgetting: asyncio.Future[None] | None = None
        self._unacknowledged = Unacknowledged(self._fill_window)
        self._outgoing: deque[tuple[str, bytes, asyncio.Future[None]]] = deque()
        self._subscribed: dict[int, asyncio.Future[Sequence[int]]] = {}
        self._refusal: BrokerRefused | None = None
        self._window = _WINDOW
        self._inflow = Inflow(most_unrecorded=endpoint.receive_maximum)
        self._client = self._new_client()

    def _new_client(self) -> Any:
        endpoint = self._endpoint
        properties: dict[str, int] = {"receive_maximum": endpoint.receive_maximum}
        if endpoint.session_expiry_seconds is not None:
            properties["session_expiry_interval"] = endpoint.session_expiry_seconds
        client = gmqtt.Client(
            endpoint.client_id.encode(),  # gmqtt counts characters where MQTT counts bytes
            clean_session=endpoint.session_expiry_seconds is None,
            optimistic_acknowledgement=False,
            persistent_storage=self._unacknowledged,
            **properties,
        )
        client.set_config({"reconnect_retries": _NEVER_RECONNECT})
        if endpoint.username is not None:
            password = None if endpoint.password is None else endpoint.password.reveal()
            client.set_auth_credentials(endpoint.username, password)
        client.on_connect = self._accepted
        client.on_message = self._qos_0_received
        client.on_disconnect = self._disconnected
        client.on_subscribe = self._subscription_answered
        self._extend(client)
        return client

    def _extend(self, client: Any) -> None:
        """Takes over the three packets of which gmqtt shows too little. This is why its version is held."""
        packets = client._package_handler  # noqa: SLF001 - gmqtt has no public way to either
        packets._handle_qos_1_publish_packet = self._qos_1_received  # noqa: SLF001
        packets._handle_puback_packet = self._puback_received  # noqa: SLF001
        self._accept = packets._handle_connack_packet  # noqa: SLF001
        packets._handle_connack_packet = self._connack_received  # noqa: SLF001
        self._send_puback = packets._send_puback  # noqa: SLF001
        self._packets = packets

    # Opening and closing.

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Connects and waits for the broker's CONNACK.

        Raises OSError when there is no connection, BrokerRefused when the broker says no, and
        ConnectionEnded when it hangs up without an answer.
        """
        endpoint = self._endpoint
        connecting = asyncio.ensure_future(
            self._client.connect(
                endpoint.host,
                port=endpoint.port,
                ssl=tls or False,
                keepalive=endpoint.keepalive_seconds,
                version=int(self.version),
            )
        )
        try:
            await asyncio.wait({connecting, self.ended}, return_when=asyncio.FIRST_COMPLETED)
            if self._refusal is not None:
                raise self._refusal
            if not connecting.done():
                raise ConnectionEnded("the broker closed the connection without an answer")
            connecting.result()
        except gmqtt.mqtt.handler.MQTTConnectError as error:
            raise reasons.refusal(error._code) from error  # noqa: SLF001 - kept nowhere else
        except UnicodeError as error:
            raise TransportError(f"{endpoint.host!r} cannot be the name of a host: {error}") from error
        finally:
            await _cancelled(connecting)

    async def subscribe(self, topics: Sequence[str]) -> None:
        """Subscribes with QoS 1 and waits for SUBACK; raises BrokerRefused when a topic is not granted."""
        await self._forgotten()
        retain_handling = _DO_NOT_SEND_RETAINED if self.version is Version.V5 else 0
        mid = self._client.subscribe(
            [gmqtt.Subscription(topic, qos=1, retain_handling_options=retain_handling) for topic in topics]
        )
        answer = asyncio.get_running_loop().create_future()
        self._subscribed[mid] = answer
        await asyncio.wait({answer, self.ended}, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            raise ConnectionEnded(f"the connection ended while subscribing: {self.ended.result()}")
        granted = answer.result()
        if len(granted) != len(topics):
            raise ConnectionEnded(f"the broker granted {len(granted)} subscriptions of {len(topics)}")
        refused = [topic for topic, code in zip(topics, granted, strict=True) if code >= _FAILURE]
        if refused:
            raise BrokerRefused(
                f"the broker does not let {self._endpoint.client_id} subscribe to {', '.join(refused)}: "
                "allow it in the broker's access list"
            )

    async def _forgotten(self) -> None:
        """A crash before the last session's packets are forgotten would have new ones taken for them.

        Without a subscription nothing arrives. But a disk that fails must not keep the broker from collecting
        what it can, so this wait has a limit.
        """
        if self._forgetting is not None:
            await asyncio.wait({self._forgetting}, timeout=FORGET_SECONDS)

    async def close(self) -> None:
        """Says DISCONNECT and closes the connection, however far it got; cancelled, it does not wait."""
        self._end("closed by the connector")
        connection = self._client._connection  # noqa: SLF001 - disconnect() would fail without one
        if connection is None:
            return
        try:
            await self._client.disconnect()
        finally:
            # What cannot be written to a peer that is gone would keep the connection open for ever.
            abort(connection._transport)  # noqa: SLF001 - gmqtt has no public way to it

    def _connack_received(self, command: int, packet: bytes) -> None:
        """A refusal ends the session here: gmqtt would try again by itself, in a version of its choice."""
        code = packet[1]
        if code == 0:
            self._accept(command, packet)
            self._take_window()
            self._watch_silence()
            self._inflow.regulate(
                self._client._connection,  # noqa: SLF001 - gmqtt has no public way to it
                has_properties=self.version is Version.V5,
                on_oversized=self._oversized_received,
            )
            return
        self._refusal = reasons.refusal(code)
        self._end(str(self._refusal))

    def _watch_silence(self) -> None:
        """Ends the session when gmqtt gives the broker up for its silence.

        gmqtt then waits until everything is written; a broker that does not even read would be waited for.
        """
        connection = self._client._connection  # noqa: SLF001
        close = connection.close

        def give_up() -> Awaitable[None]:
            self._end("the broker did not answer for too long (keep alive)")
            return close()  # type: ignore[no-any-return]

        connection.close = give_up

    def _take_window(self) -> None:
        """The broker's receive maximum (MQTT 5, 3.2.2.3.3).

        gmqtt keeps to it by having one packet identifier fewer than that, and so not at all where it is 1.
        """
        (maximum,) = self._packets._connack_properties.get("receive_maximum", (_WINDOW,))  # noqa: SLF001
        self._window = min(maximum, _WINDOW)
        self._packets.id_generator._max = _PACKET_IDS  # noqa: SLF001 - see above

    def _accepted(self, _client: Any, session_present: int, _code: int, _properties: object) -> None:
        # At once: what arrives from here on has packet identifiers of the new session.
        if not session_present:
            self._forgetting = self._on_new_session()

    def _disconnected(self, _client: Any, packet: bytes, _error: object = None) -> None:
        self._end(reasons.of_end(packet[0] if packet else None))

    def _end(self, reason: str) -> None:
        if self.ended.done():
            return
        self.ended.set_result(reason)
        waiting = [future for _, _, future in self._outgoing]
        self._outgoing.clear()
        for future in [*waiting, *self._unacknowledged.abandon()]:
            if not future.done():
                future.set_exception(NotAcknowledged(reason))

    # Receiving.

    def _qos_1_received(self, mid: int, payload: bytes, topic: str, properties: dict[str, Any]) -> None:
        receipt = self._receipt(len(payload), mid)
        self._on_inbound(
            Inbound(
                topic=topic,
                payload=bytes(payload),
                acknowledge=receipt.acknowledge,
                release=receipt.release,
                retained=bool(properties["retain"]),
                redelivered=bool(properties["dup"]),
                packet_id=mid,
            )
        )

    def _qos_0_received(
        self, _client: Any, topic: str, payload: bytes, _qos: int, properties: dict[str, Any]
    ) -> None:
        receipt = self._receipt(len(payload), None)
        self._on_inbound(
            Inbound(
                topic=topic,
                payload=bytes(payload),
                acknowledge=receipt.acknowledge,
                release=receipt.release,
                retained=bool(properties["retain"]),
            )
        )

    def _oversized_received(self, packet: PassedOver) -> None:
        receipt = self._receipt(0, packet.packet_id)
        self._on_inbound(
            Inbound(
                topic=packet.topic,
                payload=b"",
                passed_over=packet.size,
                acknowledge=receipt.acknowledge,
                release=receipt.release,
                retained=packet.retained,
                redelivered=packet.redelivered,
                packet_id=packet.packet_id,
            )
        )

    def _receipt(self, size: int, mid: int | None) -> Receipt:
        """QoS 0 has no packet identifier: the broker has forgotten it already."""
        acknowledge = _nothing_to_acknowledge if mid is None else partial(self._acknowledge, mid)
        return Receipt(self._inflow, size, acknowledge)

    def _acknowledge(self, mid: int) -> None:
        if not self.ended.done():
            self._send_puback(mid)

    def _subscription_answered(
        self, _client: Any, mid: int, granted: Sequence[int], _properties: object
    ) -> None:
        answer = self._subscribed.pop(mid, None)
        if answer is not None and not answer.done():
            answer.set_result(granted)

    # Publishing.

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Done with the broker's PUBACK; fails with NotAcknowledged when it refuses or hangs up."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.ended.done():
            future.set_exception(NotAcknowledged(self.ended.result()))
        else:
            self._outgoing.append((topic, payload, future))
            self._fill_window()
        return future

    def _fill_window(self) -> None:
        """Each PUBACK comes back here."""
        while self._outgoing and self._unacknowledged.count < self._window:
            topic, payload, self._unacknowledged.next_future = self._outgoing.popleft()
            self._client.publish(topic, payload, qos=1)

    def _puback_received(self, _command: int, packet: bytes) -> None:
        (mid,) = struct.unpack("!H", packet[:2])
        reason = packet[2] if len(packet) > 2 else 0  # noqa: PLR2004 - identifier (2 bytes), then the reason
        self._packets.id_generator.free_id(mid)
        if reason >= _FAILURE:
            self._unacknowledged.refuse(mid, reason)
        else:
            self._unacknowledged.remove_message_by_mid(mid)


def _nothing_to_acknowledge() -> None:
    """QoS 0: the broker has forgotten it already."""


def abort(transport: Any) -> None:
    """Closes it without a goodbye.

    asyncio's TLS transport forgets its protocol when it is closed a second time, which gmqtt does. There is
    nothing to abort then: asyncio ends the connection itself within its time-out for TLS. To try it raises
    AttributeError in early Python 3.11, such as Debian 12's 3.11.2, and would end the connector.
    """
    if getattr(transport, "_ssl_protocol", transport) is not None:
        transport.abort()


async def _cancelled(connecting: asyncio.Future[Any]) -> None:
    """Ends what we began and takes its result, so that nothing is left to complain about."""
    connecting.cancel()
    await asyncio.wait({connecting})
    if not connecting.cancelled():
        connecting.exception()
