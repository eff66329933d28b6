"""What a broker can tell a client, as values: one for each kind of packet, and two that no packet is."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from twilio_notifications.adapters.mqtt.protocol.wire import LARGEST_NUMBER, LONGEST_NUMBER


class Version(IntEnum):
    """The protocol level as it stands in CONNECT."""

    V311 = 4
    V5 = 5


class Kind(IntEnum):
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
"""From here up a reason code is a failure (MQTT 5, 2.4)."""

LARGEST_PACKET = 1 + LONGEST_NUMBER + LARGEST_NUMBER
LARGEST_WINDOW = 65_535


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the broker grants in CONNACK; the defaults are those of MQTT 5 (3.2.2.3), and all of 3.1.1."""

    maximum_packet_bytes: int = LARGEST_PACKET
    maximum_qos: int = 2
    receive_maximum: int = LARGEST_WINDOW
    retain_available: bool = True
    subscription_identifiers: bool = True
    """3.1.1 has none."""
    keep_alive_seconds: int | None = None
    """None: the one that we asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reason code with what the broker says about it; the texts are untrusted and may be of any length."""

    code: int
    reason: str = ""
    elsewhere: str = ""
    """Server Reference: another broker that the client should use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Connack:
    """The answer to CONNECT; the connection stands where the code is 0."""

    said: Said
    session_present: bool = False
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """A message. `packet_id` is None with QoS 0."""

    topic: str
    payload: bytes = field(repr=False)
    qos: int
    packet_id: int | None
    redelivered: bool
    """The flag DUP."""
    retained: bool
    identifiers: tuple[int, ...] | None = ()
    """Those of the subscriptions that it matches; None where its properties cannot be read."""
    passed_over: int = 0
    """Bytes of a payload that was too large to be held; `payload` is empty then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Puback:
    """The answer to a message of ours with QoS 1."""

    packet_id: int
    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Suback:
    """The answer to SUBSCRIBE: one reason code for each filter, up to 2 the QoS that is granted."""

    packet_id: int
    codes: tuple[int, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuback:
    """The answer to UNSUBSCRIBE. What it says of each filter changes nothing for us."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pingresp:
    """The answer to PINGREQ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnect:
    """The broker's last word on this connection."""

    said: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """The broker broke the protocol, and nothing that it sends from here on is read.

    `code` is the reason for our DISCONNECT.
    """

    code: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubrec:
    """The first answer to a message of ours with QoS 2. We send none; an earlier client may have."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubrel:
    """The broker has our PUBREC for a message of its own, and will not repeat that message."""

    packet_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pubcomp:
    """The last answer to a message of ours with QoS 2."""

    packet_id: int


Packet = Connack | Publish | Puback | Pubrec | Pubrel | Pubcomp | Suback | Unsuback | Pingresp | Disconnect
Event = Connack | Publish | Puback | Suback | Pingresp | Disconnect | Broken
"""What a conversation brings up; it deals with the packets that are left out here by itself."""
