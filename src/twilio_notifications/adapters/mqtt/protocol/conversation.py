"""One conversation with a broker, from CONNECT to its end, without any I/O.

The caller passes the broker's bytes to `receive` and fetches the events in them one by one with `next_event`.
Commands are methods. `take` returns the bytes that commands and events add for the broker. Two tables hold
the rules of a session: which packets may come in which phase, and what happens to a message of QoS 2 (MQTT
5, 4.3.3).
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.adapters.mqtt.protocol import decoding, encoding
from twilio_notifications.adapters.mqtt.protocol.packets import (
    LARGEST_WINDOW,
    Broken,
    BrokerLimits,
    Connack,
    Disconnect,
    PacketKind,
    Pingresp,
    Puback,
    Pubcomp,
    Publish,
    Pubrec,
    Pubrel,
    Suback,
    Unsuback,
    Version,
)
from twilio_notifications.adapters.mqtt.protocol.stream import PacketStream
from twilio_notifications.adapters.mqtt.protocol.wire import PROTOCOL_ERROR, Malformed, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.mqtt.protocol.encoding import Introduction
    from twilio_notifications.adapters.mqtt.protocol.packets import Event, Packet

LARGEST_PACKET_HELD: Final = 256 * 1024
"""Bytes: room for the largest request (128 KiB), the longest topic (64 KiB) and properties. MQTT allows
256 MiB."""

PACKET_TOO_LARGE: Final = 0x95
NOT_FOUND: Final = 0x92
"""Packet identifier not found (MQTT 5, 3.6.2.1)."""


class Phase(Enum):
    """How far the conversation has come."""

    NEW = auto()
    CONNECTING = auto()
    """CONNECT is sent, and the broker has not answered it."""
    OPEN = auto()
    OVER = auto()


EXPECTED: Final[Mapping[Phase, frozenset[PacketKind]]] = MappingProxyType(
    {
        Phase.NEW: frozenset(),
        Phase.CONNECTING: frozenset({PacketKind.CONNACK}),
        Phase.OPEN: frozenset(
            {
                PacketKind.PUBLISH,
                PacketKind.PUBACK,
                PacketKind.PUBREC,
                PacketKind.PUBREL,
                PacketKind.PUBCOMP,
                PacketKind.SUBACK,
                PacketKind.UNSUBACK,
                PacketKind.PINGRESP,
                PacketKind.DISCONNECT,
            }
        ),
        Phase.OVER: frozenset(),
    }
)
"""The packets that a broker may send in each phase. AUTH is in none: we name no authentication method
(MQTT 5, 4.12)."""


class Stage(Enum):
    """Where a message of QoS 2 stands on this connection."""

    UNKNOWN = auto()
    """The message has not come, or is completed, or came on an earlier connection."""
    TAKEN = auto()
    """`next_event` returned the message, and the application has not acknowledged it."""
    RECORDED = auto()
    """Our PUBREC is sent."""


class Reaction(Enum):
    """What the conversation does next with a message of QoS 2."""

    BRING_UP = auto()
    NOTHING = auto()
    PUBREC = auto()
    PUBCOMP = auto()
    PUBCOMP_NOT_FOUND = auto()


class Trigger(Enum):
    """The packet or command that moves a message of QoS 2 to its next stage."""

    PUBLISH = auto()
    ACKNOWLEDGED = auto()
    PUBREL = auto()


EXACTLY_ONCE: Final[Mapping[tuple[Stage, Trigger], tuple[Reaction, Stage]]] = MappingProxyType(
    {
        (Stage.UNKNOWN, Trigger.PUBLISH): (Reaction.BRING_UP, Stage.TAKEN),
        (Stage.TAKEN, Trigger.PUBLISH): (Reaction.NOTHING, Stage.TAKEN),
        (Stage.RECORDED, Trigger.PUBLISH): (Reaction.PUBREC, Stage.RECORDED),
        (Stage.UNKNOWN, Trigger.ACKNOWLEDGED): (Reaction.NOTHING, Stage.UNKNOWN),
        (Stage.TAKEN, Trigger.ACKNOWLEDGED): (Reaction.PUBREC, Stage.RECORDED),
        (Stage.RECORDED, Trigger.ACKNOWLEDGED): (Reaction.NOTHING, Stage.RECORDED),
        (Stage.UNKNOWN, Trigger.PUBREL): (Reaction.PUBCOMP_NOT_FOUND, Stage.UNKNOWN),
        (Stage.TAKEN, Trigger.PUBREL): (Reaction.PUBCOMP_NOT_FOUND, Stage.TAKEN),
        (Stage.RECORDED, Trigger.PUBREL): (Reaction.PUBCOMP, Stage.UNKNOWN),
    }
)
"""PUBREC says "the message is on disk". Without it, the broker repeats the message after a new connection,
and the journal recognises the repetition. With it, the broker only asks for PUBCOMP, so the conversation
keeps nothing."""


class OutOfTurn(Exception):
    """The caller gave a command that this phase does not allow: a defect of the caller."""


class Conversation:
    """The client's side of one connection to one broker, in one version of MQTT; it is used once."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.limits = BrokerLimits()
        self._has_properties = version is Version.V5
        self._phase = Phase.NEW
        self._stream = PacketStream(limit=LARGEST_PACKET_HELD)
        self._passed_over: Publish | None = None
        self._out: list[bytes] = []
        self._stages: dict[int, Stage] = {}
        self._used: set[int] = set()
        """Our packet identifiers that the broker has not answered."""
        self._last_id = 0

    @property
    def is_open(self) -> bool:
        return self._phase is Phase.OPEN

    def take(self) -> bytes:
        """The bytes to write to the broker, in order; the conversation forgets them."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    # Commands raise OutOfTurn in the wrong phase, and Unsendable for values that MQTT cannot express.

    def connect(self, introduction: Introduction) -> None:
        self._require(Phase.NEW)
        self._out.append(encoding.connect(introduction, self.version))
        self._phase = Phase.CONNECTING

    def subscribe(self, filters: Sequence[str], *, identifier: int | None) -> int:
        """Asks for QoS 1; returns the packet identifier that SUBACK will carry.

        `identifier` marks the messages that match; None, or a broker without such identifiers, marks none.
        """
        self._require(Phase.OPEN)
        packet_id = self._next_id()
        marked = identifier if self.limits.subscription_identifiers else None
        self._out.append(encoding.subscribe(packet_id, filters, identifier=marked, version=self.version))
        self._used.add(packet_id)
        return packet_id

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ends these subscriptions of the session; filters that the session does not have are allowed."""
        self._require(Phase.OPEN)
        packet_id = self._next_id()
        self._out.append(encoding.unsubscribe(packet_id, filters, version=self.version))
        self._used.add(packet_id)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int,
        correlation: bytes | None = None,
        retained: bool = False,
    ) -> int | None:
        """Publishes with QoS 1 or 0; returns the packet identifier that PUBACK will carry, None for QoS 0.

        `correlation` tells its receiver which request is answered (MQTT 5 only).
        """
        self._require(Phase.OPEN)
        name = text(topic, "topic")
        packet_id = self._next_id() if qos else None
        properties = encoding.publish_properties(self.version, correlation=correlation)
        self._out.append(
            encoding.publish(name, payload, packet_id=packet_id, properties=properties, retained=retained)
        )
        if packet_id is not None:
            self._used.add(packet_id)
        return packet_id

    def acknowledge(self, message: Publish) -> None:
        """Tells the broker that the message is on disk; does nothing for QoS 0."""
        self._require(Phase.OPEN)
        if message.packet_id is None:
            return
        if message.qos == 1:
            self._answer(PacketKind.PUBACK, message.packet_id)
        else:
            self._advance(message.packet_id, Trigger.ACKNOWLEDGED)

    def ping(self) -> None:
        self._require(Phase.OPEN)
        self._out.append(encoding.PINGREQ)

    def disconnect(self, code: int = 0) -> None:
        """Ends the conversation, in any phase; sends DISCONNECT only after CONNECT."""
        if self._phase in {Phase.CONNECTING, Phase.OPEN}:
            self._out.append(encoding.disconnect(code, self.version))
        self._phase = Phase.OVER

    def largest_payload(self, topic: str, *, correlation: bytes | None = None) -> int:
        """The largest payload in bytes that the broker takes on this topic, with this correlation.

        0 where the topic itself is too long.
        """
        return encoding.largest_payload(
            text(topic, "topic"),
            maximum_packet_bytes=self.limits.maximum_packet_bytes,
            properties=encoding.publish_properties(self.version, correlation=correlation),
        )

    # Bytes and events from the broker.

    def receive(self, received: bytes) -> None:
        """Takes the bytes that were read next; `next_event` returns the events in them."""
        if self._phase is not Phase.OVER:
            self._stream.add(received)

    def next_event(self) -> Event | None:
        """The next event from the broker.

        None until `receive` brings more. None follows Broken and Disconnect.
        """
        try:
            while self._phase is not Phase.OVER:
                packet = self._next_packet()
                if packet is None:
                    return None
                event = self._handle(packet)
                if event is not None:
                    return event
        except Malformed as broken:
            code = broken.code
            self.disconnect(code)
            return Broken(code=code, sentence=str(broken))
        return None

    def _next_packet(self) -> Packet | None:
        if self._passed_over is not None:
            if self._stream.is_passing_over:
                return None
            passed_over, self._passed_over = self._passed_over, None
            return passed_over
        extent = self._stream.next()
        if extent is None:
            return None
        first, held = extent.first, self._stream.held
        kind = first >> 4
        if kind not in EXPECTED[self._phase]:
            name = PacketKind(kind).name if kind else "a packet of kind 0"
            raise Malformed(f"the broker sent {name} out of turn", code=PROTOCOL_ERROR)
        if extent.is_whole:
            return decoding.read(first, held, extent.start, extent.end, version=self.version)
        if kind != PacketKind.PUBLISH:
            raise Malformed(
                f"the broker sent a packet other than PUBLISH with more than {LARGEST_PACKET_HELD} bytes",
                code=PACKET_TOO_LARGE,
            )
        size = extent.end - extent.start
        has_properties = self._has_properties
        self._passed_over = decoding.begin(first, held, extent.start, size, has_properties=has_properties)
        return self._next_packet()

    def _handle(self, packet: Packet) -> Event | None:
        """The event for the caller; None where the conversation answers the packet itself or ignores it."""
        match packet:
            case Publish(qos=2, packet_id=int(packet_id)):
                return packet if self._advance(packet_id, Trigger.PUBLISH) is Reaction.BRING_UP else None
            case Puback(packet_id=packet_id) | Suback(packet_id=packet_id):
                self._used.discard(packet_id)
            case Pubrel(packet_id=packet_id):
                self._advance(packet_id, Trigger.PUBREL)
                return None
            case Pubrec(packet_id=packet_id):
                # It answers an earlier client with our client identifier: we publish nothing with QoS 2.
                self._answer(PacketKind.PUBREL, packet_id, NOT_FOUND)
                return None
            case Pubcomp():
                return None
            case Unsuback(packet_id=packet_id):
                self._used.discard(packet_id)
                return None
            case Connack(said=said, limits=limits):
                self._phase = Phase.OVER if said.code else Phase.OPEN
                self.limits = limits
            case Disconnect():
                self._phase = Phase.OVER
            case Publish() | Pingresp():
                pass
            case _:
                assert_never(packet)
        return packet

    def _advance(self, packet_id: int, trigger: Trigger) -> Reaction:
        reaction, stage = EXACTLY_ONCE[self._stages.get(packet_id, Stage.UNKNOWN), trigger]
        if stage is Stage.UNKNOWN:
            self._stages.pop(packet_id, None)
        else:
            self._stages[packet_id] = stage
        match reaction:
            case Reaction.PUBREC:
                self._answer(PacketKind.PUBREC, packet_id)
            case Reaction.PUBCOMP:
                self._answer(PacketKind.PUBCOMP, packet_id)
            case Reaction.PUBCOMP_NOT_FOUND:
                self._answer(PacketKind.PUBCOMP, packet_id, NOT_FOUND)
            case Reaction.BRING_UP | Reaction.NOTHING:
                pass
            case _:
                assert_never(reaction)
        return reaction

    def _answer(self, kind: PacketKind, packet_id: int, code: int = 0) -> None:
        self._out.append(encoding.answer(kind, packet_id, code, version=self.version))

    def _require(self, phase: Phase) -> None:
        if self._phase is not phase:
            raise OutOfTurn(f"the conversation is {self._phase.name}, not {phase.name}")

    def _next_id(self) -> int:
        """A packet identifier that is not in use. Callers stay far below the number of identifiers."""
        if len(self._used) >= LARGEST_WINDOW:
            raise OutOfTurn("all packet identifiers are in use")
        while True:
            self._last_id = self._last_id % LARGEST_WINDOW + 1
            if self._last_id not in self._used:
                return self._last_id
