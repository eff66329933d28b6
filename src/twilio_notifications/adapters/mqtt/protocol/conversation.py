"""One conversation with a broker, from CONNECT to its end, without any I/O.

Bytes of the broker go in by `receive` and come up as events, one for each `next_event`. Commands are methods;
what they and the events bring about to be sent is fetched by `take`. The rules of a session are two tables:
which packets may come when, and what becomes of a message of QoS 2 (MQTT 5, 4.3.3).
"""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, assert_never

from twilio_notifications.adapters.mqtt.protocol import decoding, encoding
from twilio_notifications.adapters.mqtt.protocol.packets import (
    LARGEST_WINDOW,
    Broken,
    Connack,
    Disconnect,
    Kind,
    Limits,
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
from twilio_notifications.adapters.mqtt.protocol.stream import Stream
from twilio_notifications.adapters.mqtt.protocol.wire import PROTOCOL_ERROR, Malformed, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.mqtt.protocol.encoding import Introduction
    from twilio_notifications.adapters.mqtt.protocol.packets import Event, Packet

LARGEST_PACKET_HELD: Final = 256 * 1024
"""Room for the largest request (128 KiB), the longest topic (64 KiB) and properties; MQTT allows 256 MiB."""

PACKET_TOO_LARGE: Final = 0x95
NOT_FOUND: Final = 0x92
"""Packet identifier not found (MQTT 5, 3.6.2.1)."""


class Phase(Enum):
    """How far the conversation has come."""

    NEW = auto()
    CONNECTING = auto()
    """CONNECT is sent and not answered."""
    OPEN = auto()
    OVER = auto()


EXPECTED: Final[Mapping[Phase, frozenset[Kind]]] = MappingProxyType(
    {
        Phase.NEW: frozenset(),
        Phase.CONNECTING: frozenset({Kind.CONNACK}),
        Phase.OPEN: frozenset(
            {
                Kind.PUBLISH,
                Kind.PUBACK,
                Kind.PUBREC,
                Kind.PUBREL,
                Kind.PUBCOMP,
                Kind.SUBACK,
                Kind.UNSUBACK,
                Kind.PINGRESP,
                Kind.DISCONNECT,
            }
        ),
        Phase.OVER: frozenset(),
    }
)
"""What a broker may send when. AUTH never: we name no authentication method (MQTT 5, 4.12)."""


class Stage(Enum):
    """Where a message of QoS 2 stands on this connection."""

    UNKNOWN = auto()
    """It has not come, or is done, or came on an earlier connection."""
    TAKEN = auto()
    """It was brought up, and the application has not acknowledged it."""
    RECORDED = auto()
    """Our PUBREC is sent."""


class Reaction(Enum):
    """What follows."""

    BRING_UP = auto()
    NOTHING = auto()
    PUBREC = auto()
    PUBCOMP = auto()
    PUBCOMP_NOT_FOUND = auto()


class Cause(Enum):
    """What happens to a message of QoS 2."""

    PUBLISH = auto()
    ACKNOWLEDGED = auto()
    PUBREL = auto()


EXACTLY_ONCE: Final[Mapping[tuple[Stage, Cause], tuple[Reaction, Stage]]] = MappingProxyType(
    {
        (Stage.UNKNOWN, Cause.PUBLISH): (Reaction.BRING_UP, Stage.TAKEN),
        (Stage.TAKEN, Cause.PUBLISH): (Reaction.NOTHING, Stage.TAKEN),
        (Stage.RECORDED, Cause.PUBLISH): (Reaction.PUBREC, Stage.RECORDED),
        (Stage.UNKNOWN, Cause.ACKNOWLEDGED): (Reaction.NOTHING, Stage.UNKNOWN),
        (Stage.TAKEN, Cause.ACKNOWLEDGED): (Reaction.PUBREC, Stage.RECORDED),
        (Stage.RECORDED, Cause.ACKNOWLEDGED): (Reaction.NOTHING, Stage.RECORDED),
        (Stage.UNKNOWN, Cause.PUBREL): (Reaction.PUBCOMP_NOT_FOUND, Stage.UNKNOWN),
        (Stage.TAKEN, Cause.PUBREL): (Reaction.PUBCOMP_NOT_FOUND, Stage.TAKEN),
        (Stage.RECORDED, Cause.PUBREL): (Reaction.PUBCOMP, Stage.UNKNOWN),
    }
)
"""PUBREC says "it is on disk". Until then the broker repeats the message after a new connection, and the
journal knows it again; from then on the broker only asks for PUBCOMP, and nothing has to be remembered."""


class OutOfTurn(Exception):
    """A command that has no place in this phase: a defect of the caller."""


class Conversation:
    """With one broker, in one version, over one connection; never used again."""

    def __init__(self, version: Version) -> None:
        self.version = version
        self.limits = Limits()
        self._has_properties = version is Version.V5
        self._phase = Phase.NEW
        self._stream = Stream(limit=LARGEST_PACKET_HELD)
        self._passed_over: Publish | None = None
        self._out: list[bytes] = []
        self._stages: dict[int, Stage] = {}
        self._used: set[int] = set()
        """Packet identifiers of ours that are not answered."""
        self._last_id = 0

    @property
    def is_open(self) -> bool:
        return self._phase is Phase.OPEN

    def take(self) -> bytes:
        """All that is to be written, in its order; nothing of it is kept."""
        out = b"".join(self._out)
        self._out.clear()
        return out

    # Commands. They raise OutOfTurn in the wrong phase, and Unsendable for what MQTT cannot express.

    def connect(self, introduction: Introduction) -> None:
        self._require(Phase.NEW)
        self._out.append(encoding.connect(introduction, self.version))
        self._phase = Phase.CONNECTING

    def subscribe(self, filters: Sequence[str], *, identifier: int | None) -> int:
        """Asks for QoS 1; the packet identifier of the answer that will come."""
        self._require(Phase.OPEN)
        packet_id = self._next_id()
        marked = identifier if self.limits.subscription_identifiers else None
        self._out.append(encoding.subscribe(packet_id, filters, identifier=marked, version=self.version))
        self._used.add(packet_id)
        return packet_id

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Ends these subscriptions of the session, where there are such."""
        self._require(Phase.OPEN)
        packet_id = self._next_id()
        self._out.append(encoding.unsubscribe(packet_id, filters, version=self.version))
        self._used.add(packet_id)

    def publish(self, topic: str, payload: bytes, *, qos: int) -> int | None:
        """QoS 1 or 0; the packet identifier, by which its PUBACK is known, or None."""
        self._require(Phase.OPEN)
        name = text(topic, "topic")
        packet_id = self._next_id() if qos else None
        self._out.append(
            encoding.publish(name, payload, packet_id=packet_id, has_properties=self._has_properties)
        )
        if packet_id is not None:
            self._used.add(packet_id)
        return packet_id

    def acknowledge(self, message: Publish) -> None:
        """The application has the message on disk; nothing happens with QoS 0."""
        self._require(Phase.OPEN)
        if message.packet_id is None:
            return
        if message.qos == 1:
            self._answer(Kind.PUBACK, message.packet_id)
        else:
            self._go_on(message.packet_id, Cause.ACKNOWLEDGED)

    def ping(self) -> None:
        self._require(Phase.OPEN)
        self._out.append(encoding.PINGREQ)

    def disconnect(self, code: int = 0) -> None:
        """Our last word; possible in each phase, and nothing is sent where there was no CONNECT."""
        if self._phase in {Phase.CONNECTING, Phase.OPEN}:
            self._out.append(encoding.disconnect(code, self.version))
        self._phase = Phase.OVER

    def largest_payload(self, topic: str) -> int:
        """Bytes of payload that the broker takes on this topic; 0 where not even the topic fits."""
        return encoding.largest_payload(
            text(topic, "topic"),
            maximum_packet_bytes=self.limits.maximum_packet_bytes,
            has_properties=self._has_properties,
        )

    # What the broker sends.

    def receive(self, received: bytes) -> None:
        """What was read next; `next_event` tells what it is."""
        if self._phase is not Phase.OVER:
            self._stream.add(received)

    def next_event(self) -> Event | None:
        """What the broker said next; None until more is read. Nothing comes after Broken and Disconnect."""
        try:
            while self._phase is not Phase.OVER:
                packet = self._next_packet()
                if packet is None:
                    return None
                event = self._understood(packet)
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
        self._expect(first >> 4)
        if extent.is_whole:
            return decoding.read(first, held, extent.start, extent.end, version=self.version)
        if first >> 4 != Kind.PUBLISH:
            raise Malformed("a packet that is no PUBLISH is too large", code=PACKET_TOO_LARGE)
        size = extent.end - extent.start
        has_properties = self._has_properties
        self._passed_over = decoding.begin(first, held, extent.start, size, has_properties=has_properties)
        return self._next_packet()

    def _expect(self, kind: int) -> None:
        if kind not in EXPECTED[self._phase]:
            name = Kind(kind).name if kind else "a packet of kind 0"
            raise Malformed(f"the broker sent {name} out of turn", code=PROTOCOL_ERROR)

    def _understood(self, packet: Packet) -> Event | None:
        """The event that a packet is, or None where it is answered here, or says nothing."""
        match packet:
            case Publish(qos=2, packet_id=int(packet_id)):
                return packet if self._go_on(packet_id, Cause.PUBLISH) is Reaction.BRING_UP else None
            case Puback(packet_id=packet_id) | Suback(packet_id=packet_id):
                self._used.discard(packet_id)
            case Pubrel(packet_id=packet_id):
                self._go_on(packet_id, Cause.PUBREL)
                return None
            case Pubrec(packet_id=packet_id):
                # Of an earlier client with our identifier; we publish nothing with QoS 2.
                self._answer(Kind.PUBREL, packet_id, NOT_FOUND)
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

    def _go_on(self, packet_id: int, cause: Cause) -> Reaction:
        reaction, stage = EXACTLY_ONCE[self._stages.get(packet_id, Stage.UNKNOWN), cause]
        if stage is Stage.UNKNOWN:
            self._stages.pop(packet_id, None)
        else:
            self._stages[packet_id] = stage
        match reaction:
            case Reaction.PUBREC:
                self._answer(Kind.PUBREC, packet_id)
            case Reaction.PUBCOMP:
                self._answer(Kind.PUBCOMP, packet_id)
            case Reaction.PUBCOMP_NOT_FOUND:
                self._answer(Kind.PUBCOMP, packet_id, NOT_FOUND)
            case Reaction.BRING_UP | Reaction.NOTHING:
                pass
            case _:
                assert_never(reaction)
        return reaction

    def _answer(self, kind: Kind, packet_id: int, code: int = 0) -> None:
        self._out.append(encoding.answer(kind, packet_id, code, version=self.version))

    def _require(self, phase: Phase) -> None:
        if self._phase is not phase:
            raise OutOfTurn(f"the conversation is {self._phase.name}, not {phase.name}")

    def _next_id(self) -> int:
        """A packet identifier that is not in use; the window keeps the caller far below their number."""
        if len(self._used) >= LARGEST_WINDOW:
            raise OutOfTurn("all packet identifiers are in use")
        while True:
            self._last_id = self._last_id % LARGEST_WINDOW + 1
            if self._last_id not in self._used:
                return self._last_id
