"""Turns the packets of a client into bytes; raises Unsendable for values that MQTT cannot express."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.protocol.packets import PacketKind, Version
from twilio_notifications.adapters.mqtt.protocol.properties import Property
from twilio_notifications.adapters.mqtt.protocol.wire import (
    LARGEST_NUMBER,
    LONGEST_NUMBER,
    Unsendable,
    binary,
    number,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_DO_NOT_SEND_RETAINED = 2 << 4
"""Retain handling of a subscription (MQTT 5, 3.8.3.1)."""

_CLEAN, _HAS_PASSWORD, _HAS_USER = 0x02, 0x40, 0x80
_HAS_WILL = 0x04 | 1 << 3 | 0x20
"""A will with QoS 1, retained (MQTT 5, 3.1.2.5 to 3.1.2.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Will:
    """The message that the broker publishes, retained, when the connection ends without a DISCONNECT."""

    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Introduction:
    """What the client says of itself in CONNECT."""

    client_id: str
    # Hidden in `repr` like the password: some brokers take a token as user name.
    username: str | None = field(default=None, repr=False)
    password: bytes | None = field(default=None, repr=False)
    keep_alive_seconds: int = 60
    session_expiry_seconds: int | None = None
    """How long the broker keeps the session after the connection ends; None: a new session for each
    connection."""
    receive_maximum: int = 100
    will: Will | None = None


def packet(kind: PacketKind, body: bytes, *, flags: int = 0) -> bytes:
    """A packet: the fixed header, then the body; raises Unsendable where the body is too long."""
    if len(body) > LARGEST_NUMBER:
        raise Unsendable(f"the packet has {len(body)} bytes, and MQTT allows {LARGEST_NUMBER}")
    return bytes((kind << 4 | flags,)) + number(len(body)) + body


def connect(introduction: Introduction, version: Version) -> bytes:
    """CONNECT (MQTT 5, 3.1)."""
    username, password = introduction.username, introduction.password
    flags = _CLEAN if introduction.session_expiry_seconds is None else 0
    flags |= (0 if username is None else _HAS_USER) | (0 if password is None else _HAS_PASSWORD)
    flags |= 0 if introduction.will is None else _HAS_WILL
    keep_alive = introduction.keep_alive_seconds.to_bytes(2)
    body = text("MQTT", "protocol name") + bytes((version, flags)) + keep_alive
    if version is Version.V5:
        properties = bytes((Property.RECEIVE_MAXIMUM,)) + introduction.receive_maximum.to_bytes(2)
        if introduction.session_expiry_seconds is not None:
            expiry = introduction.session_expiry_seconds.to_bytes(4)
            properties += bytes((Property.SESSION_EXPIRY,)) + expiry
        body += number(len(properties)) + properties
    body += text(introduction.client_id, "client identifier")
    if introduction.will is not None:
        body += b"\0" if version is Version.V5 else b""  # no properties
        body += text(introduction.will.topic, "topic of the will")
        body += binary(introduction.will.payload, "will")
    if username is not None:
        body += text(username, "user name")
    if password is not None:
        body += binary(password, "password")
    return packet(PacketKind.CONNECT, body)


def subscribe(packet_id: int, filters: Sequence[str], *, identifier: int | None, version: Version) -> bytes:
    """SUBSCRIBE with QoS 1 and, in MQTT 5, without retained messages.

    `identifier` marks the messages that match (MQTT 5 only); None marks none.
    """
    body, options = packet_id.to_bytes(2), b"\x01"
    if version is Version.V5:
        mark = bytes((Property.SUBSCRIPTION_IDENTIFIER,))
        properties = b"" if identifier is None else mark + number(identifier)
        body += number(len(properties)) + properties
        options = bytes((1 | _DO_NOT_SEND_RETAINED,))
    body += b"".join(text(each, "topic filter") + options for each in filters)
    return packet(PacketKind.SUBSCRIBE, body, flags=0b0010)


def unsubscribe(packet_id: int, filters: Sequence[str], *, version: Version) -> bytes:
    """UNSUBSCRIBE; the broker ignores a filter that the session does not have (MQTT 5, 3.10.4)."""
    properties = b"\0" if version is Version.V5 else b""
    body = packet_id.to_bytes(2) + properties + b"".join(text(each, "topic filter") for each in filters)
    return packet(PacketKind.UNSUBSCRIBE, body, flags=0b0010)


def publish(
    topic: bytes, payload: bytes, *, packet_id: int | None, properties: bytes, retained: bool = False
) -> bytes:
    """PUBLISH with QoS 1, or with QoS 0 if `packet_id` is None.

    `topic` is the encoded topic after its length, `properties` are those of `publish_properties`.
    """
    if packet_id is None:
        first, middle = PacketKind.PUBLISH << 4, properties
    else:
        first, middle = PacketKind.PUBLISH << 4 | 0b0010, packet_id.to_bytes(2) + properties
    first |= retained
    length = len(topic) + len(middle) + len(payload)
    return b"".join((bytes((first,)), number(length), topic, middle, payload))


def publish_properties(version: Version, *, correlation: bytes | None = None) -> bytes:
    """The properties of a PUBLISH, after their length: the correlation of an answer, or none.

    3.1.1 has no properties, and no length.
    """
    if version is not Version.V5:
        return b""
    if correlation is None:
        return b"\0"
    properties = bytes((Property.CORRELATION,)) + binary(correlation, "correlation")
    return number(len(properties)) + properties


def largest_payload(topic: bytes, *, maximum_packet_bytes: int, properties: bytes) -> int:
    """The largest payload in bytes of a PUBLISH with QoS 1; 0 where the topic itself is too long."""
    around = len(topic) + 2 + len(properties)
    for digits in range(LONGEST_NUMBER, 0, -1):
        length = min(maximum_packet_bytes - 1 - digits, (1 << 7 * digits) - 1)
        if length >= 0 and len(number(length)) == digits:
            return max(0, length - around)
    return 0


def answer(kind: PacketKind, packet_id: int, code: int = 0, *, version: Version) -> bytes:
    """PUBACK, PUBREC, PUBREL or PUBCOMP; 3.1.1 sends it without the code."""
    first = kind << 4 | (0b0010 if kind is PacketKind.PUBREL else 0)
    if code and version is Version.V5:
        return bytes((first, 3)) + packet_id.to_bytes(2) + bytes((code,))
    return bytes((first, 2)) + packet_id.to_bytes(2)


def disconnect(code: int, version: Version) -> bytes:
    """DISCONNECT; 3.1.1 sends it without the code."""
    return packet(PacketKind.DISCONNECT, bytes((code,)) if code and version is Version.V5 else b"")


PINGREQ = b"\xc0\0"
