"""Turns one whole packet of a broker into its value, or raises Malformed; keeps nothing between packets.

A PUBLISH is read leniently: a message with a readable topic and payload is a request, even if its properties
are broken. Some brokers pass on user properties that are not UTF-8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.adapters.mqtt.protocol.packets import (
    FAILURE,
    LARGEST_WINDOW,
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
    RequestProperties,
    Said,
    Suback,
    Unsuback,
    Version,
)
from twilio_notifications.adapters.mqtt.protocol.properties import (
    FORMS,
    NONE,
    OF_ACKNOWLEDGEMENT,
    OF_CONNACK,
    OF_DISCONNECT,
    Property,
    read_properties,
    read_value,
)
from twilio_notifications.adapters.mqtt.protocol.wire import (
    PROTOCOL_ERROR,
    Malformed,
    Reader,
    number_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.mqtt.protocol.packets import Packet
    from twilio_notifications.adapters.mqtt.protocol.properties import Value

TOPIC_ALIAS_INVALID: Final = 0x94
_HIGHEST_QOS: Final = 2
_TRACEPARENT: Final = b"traceparent"
_FLAGS_OF_PUBREL: Final = 0b0010


def read(first: int, packet: bytes, start: int, end: int, *, version: Version) -> Packet:
    """The packet between `start` and `end`; `first` is the first byte of its fixed header.

    Raises Malformed where the packet breaks the protocol.
    """
    kind, flags = PacketKind(first >> 4), first & 0x0F
    if kind is PacketKind.PUBLISH:
        return publish(first, packet, start, end, has_properties=version is Version.V5)
    if flags != (_FLAGS_OF_PUBREL if kind is PacketKind.PUBREL else 0):  # MQTT 5, 2.1.3
        raise Malformed(f"the flags of a {kind.name} are {flags:04b}")
    reader = Reader(packet, start, end)
    value = _read(kind, reader, version)
    if reader.left:
        raise Malformed(f"a {kind.name} has {reader.left} bytes after its last field")
    return value


def _read(kind: PacketKind, reader: Reader, version: Version) -> Packet:
    match kind:
        case PacketKind.CONNACK:
            return _connack(reader, version)
        case PacketKind.PUBACK:
            return Puback(packet_id=_packet_id(reader), said=_said(reader, OF_ACKNOWLEDGEMENT, version))
        case PacketKind.PUBREC:
            packet_id, _ = _packet_id(reader), _said(reader, OF_ACKNOWLEDGEMENT, version)
            return Pubrec(packet_id=packet_id)
        case PacketKind.PUBREL:
            packet_id, _ = _packet_id(reader), _said(reader, OF_ACKNOWLEDGEMENT, version)
            return Pubrel(packet_id=packet_id)
        case PacketKind.PUBCOMP:
            packet_id, _ = _packet_id(reader), _said(reader, OF_ACKNOWLEDGEMENT, version)
            return Pubcomp(packet_id=packet_id)
        case PacketKind.SUBACK:
            return _suback(reader, version)
        case PacketKind.UNSUBACK:
            packet_id, _ = _packet_id(reader), reader.take(reader.left)
            return Unsuback(packet_id=packet_id)
        case PacketKind.PINGRESP:
            return Pingresp()
        case PacketKind.DISCONNECT if version is Version.V5:
            return Disconnect(said=_said(reader, OF_DISCONNECT, version))
        case _:
            raise Malformed(f"a broker does not send {kind.name} here", code=PROTOCOL_ERROR)


def _packet_id(reader: Reader) -> int:
    packet_id = reader.integer(2)
    if not packet_id:
        raise Malformed("a packet has the identifier 0", code=PROTOCOL_ERROR)
    return packet_id


def _said(reader: Reader, allowed: frozenset[int], version: Version) -> Said:
    """The reason code and the texts of its properties; both may be absent (MQTT 5, 3.4.2.1)."""
    if version is not Version.V5 or not reader.left:
        return Said(code=0)
    code = reader.integer(1)
    return _explained(code, read_properties(reader, allowed) if reader.left else NONE)


def _explained(code: int, properties: Mapping[int, Value]) -> Said:
    reason = properties.get(Property.REASON_STRING, "")
    elsewhere = properties.get(Property.SERVER_REFERENCE, "")
    return Said(code=code, reason=str(reason), elsewhere=str(elsewhere))


def _connack(reader: Reader, version: Version) -> Connack:
    flags, code = reader.integer(1), reader.integer(1)
    if flags > 1:
        raise Malformed(f"the flags in a CONNACK are {flags:08b}")
    if version is not Version.V5:
        return Connack(
            said=Said(code=code),
            session_present=bool(flags),
            limits=BrokerLimits(subscription_identifiers=False),
        )
    if code and not reader.left:  # a broker that speaks only 3.1.1 refuses MQTT 5 in the form of 3.1.1
        return Connack(said=Said(code=code))
    properties = read_properties(reader, OF_CONNACK)
    said = _explained(code, properties)
    return Connack(said=said, session_present=bool(flags), limits=_limits(properties))


def _limits(properties: Mapping[int, Value]) -> BrokerLimits:
    """The limits in a CONNACK; raises Malformed for a value that MQTT does not allow."""

    def of(which: Property, default: int, allowed: range) -> int:
        value = properties.get(which, default)
        if not isinstance(value, int) or value not in allowed:
            name = which.name.lower().replace("_", " ")
            raise Malformed(f"the {name} in a CONNACK is {value!r}", code=PROTOCOL_ERROR)
        return value

    switch, default = range(2), BrokerLimits()
    largest = default.maximum_packet_bytes
    return BrokerLimits(
        maximum_packet_bytes=min(largest, of(Property.MAXIMUM_PACKET_SIZE, largest, range(1, 2**32))),
        maximum_qos=of(Property.MAXIMUM_QOS, _HIGHEST_QOS, range(_HIGHEST_QOS + 1)),
        receive_maximum=of(Property.RECEIVE_MAXIMUM, LARGEST_WINDOW, range(1, LARGEST_WINDOW + 1)),
        retain_available=bool(of(Property.RETAIN_AVAILABLE, 1, switch)),
        subscription_identifiers=bool(of(Property.SUBSCRIPTION_IDENTIFIERS, 1, switch)),
        keep_alive_seconds=(
            of(Property.SERVER_KEEP_ALIVE, 0, range(65_536))
            if Property.SERVER_KEEP_ALIVE in properties
            else None
        ),
    )


def _suback(reader: Reader, version: Version) -> Suback:
    packet_id = _packet_id(reader)
    properties = read_properties(reader, OF_ACKNOWLEDGEMENT) if version is Version.V5 else NONE
    codes = tuple(reader.take(reader.left))
    unknown = [code for code in codes if _HIGHEST_QOS < code < FAILURE]
    if unknown:
        raise Malformed(f"a SUBACK holds the code {unknown[0]}", code=PROTOCOL_ERROR)
    return Suback(packet_id=packet_id, codes=codes, reason=_explained(0, properties).reason)


def publish(first: int, packet: bytes, start: int, end: int, *, has_properties: bool) -> Publish:
    """A PUBLISH; raises Malformed where its topic or its payload cannot be read."""
    qos = first >> 1 & 3
    at = start + 2
    if qos > _HIGHEST_QOS or at > end:
        raise Malformed("a PUBLISH has no topic" if at > end else "a PUBLISH has QoS 3")
    topic_end = at + (packet[start] << 8 | packet[start + 1])
    after = topic_end + 2 if qos else topic_end
    if after > end:
        raise Malformed("the topic of a PUBLISH is longer than its packet")
    topic = _topic(packet[at:topic_end])
    packet_id = packet[topic_end] << 8 | packet[topic_end + 1] if qos else None
    if packet_id == 0:
        raise Malformed("a PUBLISH has the identifier 0", code=PROTOCOL_ERROR)
    identifiers: tuple[int, ...] | None = ()
    asked: RequestProperties | None = None
    if has_properties:
        if after < end and not packet[after]:  # the short way: most messages have no properties
            after += 1
        else:
            (identifiers, asked), after = _properties(packet, after, end)
    return Publish(
        topic=topic,
        payload=packet[after:end],
        qos=qos,
        packet_id=packet_id,
        redelivered=bool(first & 0b1000),
        retained=bool(first & 0b0001),
        identifiers=identifiers,
        asked=asked,
    )


def _topic(name: bytes) -> str:
    try:
        topic = name.decode()
    except UnicodeDecodeError:
        raise Malformed("the topic of a PUBLISH is not UTF-8") from None
    if not topic:
        raise Malformed("a PUBLISH has no topic, and we allow no topic alias", code=PROTOCOL_ERROR)
    if "\0" in topic or "#" in topic or "+" in topic:
        raise Malformed("the topic of a PUBLISH holds a wildcard or U+0000")
    return topic


_Read = tuple[tuple[int, ...] | None, RequestProperties | None]
"""The subscription identifiers (None: unreadable), and what the message says about its answer."""


def _properties(packet: bytes, start: int, end: int) -> tuple[_Read, int]:
    """The properties, and the place where the payload begins.

    Raises Malformed where the properties are longer than the packet.
    """
    found = number_at(packet, start, end)
    if found is None or found[1] + found[0] > end:
        raise Malformed("the properties of a PUBLISH are longer than its packet")
    length, start = found
    return _read_publish_properties(Reader(packet, start, start + length)), start + length


def _read_publish_properties(reader: Reader) -> _Read:
    """The properties before the first unreadable one.

    A defect of the properties is no reason to lose the message. Raises Malformed for a topic alias.
    """
    identifiers: list[int] = []
    asked: dict[str, Any] = {}
    while reader.left:
        try:
            identifier = reader.number()
            if identifier == Property.USER_PROPERTY:
                name, text = reader.binary(), reader.binary()
                if name == _TRACEPARENT:  # of several, the first one
                    asked.setdefault("traceparent", text.decode("ascii", "replace"))
                continue
            value = read_value(reader, FORMS[identifier])
        except (Malformed, KeyError):
            return tuple(identifiers) or None, RequestProperties(**asked) if asked else None
        if identifier == Property.TOPIC_ALIAS:
            raise Malformed("a PUBLISH has a topic alias, and we allow none", code=TOPIC_ALIAS_INVALID)
        if identifier == Property.SUBSCRIPTION_IDENTIFIER and isinstance(value, int):
            identifiers.append(value)
        elif identifier == Property.RESPONSE_TOPIC:
            asked.setdefault("response_topic", value)
        elif identifier == Property.CORRELATION:
            asked.setdefault("correlation", value)
    return tuple(identifiers), RequestProperties(**asked) if asked else None


def begin(first: int, packet: bytes, start: int, size: int, *, has_properties: bool) -> Publish:
    """A PUBLISH of `size` bytes of which only the beginning is held: its payload is left out.

    `packet` reaches at least to the end of the topic, the packet identifier and the length of the properties.
    Raises Malformed where the topic cannot be read.
    """
    topic_end = start + 2 + int.from_bytes(packet[start : start + 2])
    packet_id = packet[topic_end : topic_end + 2]
    after = topic_end + 2 if first >> 1 & 3 else topic_end
    head = packet[:after]
    identifiers: tuple[int, ...] | None = ()
    asked: RequestProperties | None = None
    if has_properties:
        length, after = number_at(packet, after, len(packet)) or (0, after)
        identifiers = None
        if after + length <= len(packet):
            identifiers, asked = _read_publish_properties(Reader(packet, after, after + length))
        after += length
    known = publish(first, head, start, len(head), has_properties=False)
    return Publish(
        topic=known.topic,
        payload=b"",
        qos=known.qos,
        packet_id=int.from_bytes(packet_id) if known.qos else None,
        redelivered=known.redelivered,
        retained=known.retained,
        identifiers=identifiers,
        asked=asked,
        passed_over=max(1, size - (after - start)),
    )
