"""The packets that a broker sends, one value for each kind, and the values around them.

`BrokerLimits` come with CONNACK; `Broken` stands for bytes that are no valid packet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from twilio_notifications.adapters.mqtt.protocol.wire import LARGEST_NUMBER, LONGEST_NUMBER


class Version(IntEnum):
    """The protocol level as it stands in CONNECT."""

    V311 = 4
    V5 = 5


class PacketKind(IntEnum):
    """The kinds of packets (MQTT 5, 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


FAILURE = 0x80
"""Reason codes from this one on mean failure (MQTT 5, 2.4)."""

LARGEST_PACKET = 1 + LONGEST_NUMBER + LARGEST_NUMBER
LARGEST_WINDOW = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLimits:
    """What the broker grants in CONNACK. MQTT 5 has these defaults (3.2.2.3); 3.1.1 has no other values."""

    maximum_packet_bytes: int = LARGEST_PACKET
    maximum_qos: int = 2
    receive_maximum: int = LARGEST_WINDOW
    retain_available: bool = True
    subscription_identifiers: bool = True
    """Whether the broker marks messages with the identifier of their subscription; 3.1.1 has no
    identifiers."""
    keep_alive_seconds: int | None = None
    """None: the broker accepts the value that our CONNECT asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reason code and the broker's texts about it. The texts are untrusted and may have any length."""

    code: int
    reason: str = ""
    elsewhere: str = ""
    """Server Reference: another broker that the client should use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connack:
    """The answer to CONNECT; the code 0 accepts the connection."""

    said: Said
    session_present: bool = False
    limits: BrokerLimits = field(default_factory=BrokerLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestProperties:
    """The properties by which a client says where it wants the answer, and names its trace."""

    response_topic: str | None = None
    correlation: bytes | None = field(default=None, repr=False)
    traceparent: str | None = None
    """A user property."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A message from the broker. `packet_id` is None with QoS 0."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int
    packet_id: int | None
    redelivered: bool
    """The flag DUP: the broker may have sent the message before."""
    retained: bool
    identifiers: tuple[int, ...] | None = ()
    """The identifiers of the subscriptions that the message matches; None: its properties cannot be read."""
    passed_over: int = 0
    """The bytes of a payload that was too large to be held; `payload` is then empty. 0: `payload` is
    whole."""
    asked: RequestProperties | None = None
    """None: it says nothing of this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Puback:
    """The answer to a message that we published with QoS 1."""

    packet_id: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Suback:
    """The answer to SUBSCRIBE: one reason code for each filter. The codes 0 to 2 are the granted QoS."""

    packet_id: int
    codes: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuback:
    """The answer to UNSUBSCRIBE. Its codes are left out: they change nothing for us."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pingresp:
    """The answer to PINGREQ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """The broker ends the connection, and says why."""

    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The broker broke the protocol. The conversation reads no more of its bytes.

    `code` is the reason code of our DISCONNECT; `sentence` says what is wrong.
    """

    code: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubrec:
    """The first answer to a message with QoS 2.

    We publish none; an earlier client of this session may have.
    """

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubrel:
    """The broker has our PUBREC for one of its messages, and will not repeat that message."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubcomp:
    """The last answer to a message with QoS 2.

    We publish none; an earlier client of this session may have.
    """

    packet_id: int


Packet = Connack | Publish | Puback | Pubrec | Pubrel | Pubcomp | Suback | Unsuback | Pingresp | Disconnect
Event = Connack | Publish | Puback | Suback | Pingresp | Disconnect | Broken
"""What `Conversation.next_event` returns. The conversation answers the other packets itself."""
