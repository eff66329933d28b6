"""What a broker can say, made by hand and by hypothesis: packets as bytes, with what they mean.

Properties are written by paho-mqtt, so that no part of ours is its own judge.
"""

from __future__ import annotations

import struct
from typing import Any

from hypothesis import strategies as st
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.raw_broker import Kind, packet
from twilio_notifications.adapters.mqtt.protocol import Connack, Conversation, Introduction, Version

OF_PAHO = {
    Kind.CONNACK: PacketTypes.CONNACK,
    Kind.PUBLISH: PacketTypes.PUBLISH,
    Kind.PUBACK: PacketTypes.PUBACK,
    Kind.SUBACK: PacketTypes.SUBACK,
    Kind.DISCONNECT: PacketTypes.DISCONNECT,
}


def properties(kind: Kind, **values: Any) -> bytes:
    """Properties with their length in front, by paho's names, such as `ReasonString`."""
    made = Properties(OF_PAHO[kind])  # type: ignore[no-untyped-call]  # paho has no types here
    for name, value in values.items():
        setattr(made, name, value)
    return bytes(made.pack())  # type: ignore[no-untyped-call]  # as above


def text(value: str) -> bytes:
    encoded = value.encode()
    return struct.pack("!H", len(encoded)) + encoded


def connack(version: Version, *, code: int = 0, present: bool = False, after: bytes = b"\0") -> bytes:
    """`after` are the properties, which 3.1.1 has not."""
    return packet(Kind.CONNACK, bytes((present, code)) + (after if version is Version.V5 else b""))


def publish(
    topic: str,
    payload: bytes,
    *,
    version: Version,
    packet_id: int | None = 1,
    qos: int = 1,
    flags: int = 0,
    after: bytes = b"\0",
) -> bytes:
    """A PUBLISH; `flags` are those in addition to the QoS."""
    body = text(topic) + (b"" if packet_id is None else struct.pack("!H", packet_id))
    body += (after if version is Version.V5 else b"") + payload
    return packet(Kind.PUBLISH, body, flags=flags | (0 if packet_id is None else qos) << 1)


def answer(kind: Kind, packet_id: int, after: bytes = b"") -> bytes:
    """PUBACK and its kin; PUBREL has a flag of its own."""
    return packet(kind, struct.pack("!H", packet_id) + after, flags=0b0010 if kind is Kind.PUBREL else 0)


def opened(version: Version, after: bytes = b"\0") -> Conversation:
    """A conversation that the broker has let in; `after` are CONNACK's properties."""
    conversation = Conversation(version)
    conversation.connect(Introduction(client_id="client"))
    conversation.receive(connack(version, after=after))
    assert isinstance(conversation.next_event(), Connack)
    conversation.take()
    return conversation


VERSIONS = st.sampled_from(Version)
TOPICS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0#+"), min_size=1, max_size=40)
PACKET_IDS = st.integers(1, 65_535)


@st.composite
def publishes(draw: st.DrawFn, version: Version) -> bytes:
    """A PUBLISH of any QoS, with any properties that it may carry."""
    packet_id = draw(st.none() | PACKET_IDS)
    after = draw(st.sampled_from([b"\0", properties(Kind.PUBLISH, SubscriptionIdentifier=1)]))
    return publish(
        draw(TOPICS),
        draw(st.binary(max_size=300)),
        version=version,
        packet_id=packet_id,
        qos=draw(st.sampled_from([1, 2])),
        flags=draw(st.sampled_from([0, 0b1000, 0b0001, 0b1001]))
        if packet_id
        else draw(st.sampled_from([0, 1])),
        after=after,
    )


@st.composite
def streams(draw: st.DrawFn, version: Version) -> bytes:
    """What a broker may say after CONNACK, in one piece."""
    parts = st.one_of(
        publishes(version),
        st.builds(answer, st.sampled_from([Kind.PUBACK, Kind.PUBREC, Kind.PUBREL, Kind.PUBCOMP]), PACKET_IDS),
        st.just(packet(Kind.PINGRESP, b"")),
    )
    return b"".join(draw(st.lists(parts, max_size=8)))
