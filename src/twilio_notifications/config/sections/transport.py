"""[transport]: where requests come from and statuses go to, with a class for each transport."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.config.keys import Key, Section, key, keys_of, made
from twilio_notifications.config.kinds import (
    Choice,
    FilePath,
    Seconds,
    Text,
    TextList,
    WholeNumber,
    WholeSeconds,
    Written,
)
from twilio_notifications.config.urls import read_broker_url
from twilio_notifications.core.contract import Topics

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.config.keys import Values
    from twilio_notifications.config.urls import BrokerAddress

_SHARED = ("$share/", "$queue/", "$exclusive/")
"""Shared and exclusive subscriptions (MQTT 5, 4.8.2, and EMQX): messages arrive on the name behind the group
or the prefix. Connectors that share a topic cannot keep the order of a recipient's requests."""

# Wildcards belong to filters; a status is published on a topic (MQTT 5, 4.7.1).
_TOPIC = Text(without="+#", not_beginning=_SHARED)
_TOPIC_OR_NONE = Text(may_be_empty=True, without="+#", not_beginning=_SHARED)


class TransportKind(StrEnum):
    """Where requests come from: any MQTT broker, or a Greengrass V2 nucleus."""

    MQTT = "mqtt"
    GREENGRASS = "greengrass"


class PubSub(StrEnum):
    """On which sides of a Greengrass V2 nucleus requests are expected."""

    LOCAL = "local"
    IOT_CORE = "iot_core"
    BOTH = "both"


class StatusesTo(StrEnum):
    """Where a status goes on a Greengrass V2 nucleus: where its request came from, or to every side."""

    ORIGIN = "origin"
    BOTH = "both"


class ProtocolVersion(StrEnum):
    """The MQTT version spoken; `AUTO` leaves it to the broker."""

    AUTO = "auto"
    V5 = "5"
    V311 = "3.1.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyTransport:
    """What counts for either transport.

    Where a broker is the transport, a nucleus may still keep the secret and the configuration.
    """

    topic_prefix: str = key(
        Text(may_be_empty=True, without="+#", not_beginning=_SHARED),
        """Stands in front of all topics: "site7/" makes site7/twilio/txt, site7/twilio/call,
        site7/twilio/message/status and so on.""",
        default="",
    )
    text_topic: str = key(_TOPIC, "The topic on which requests for texts are expected.", default="twilio/txt")
    call_topic: str = key(
        _TOPIC, "The topic on which requests for calls are expected.", default="twilio/call"
    )
    status_topic: str = key(
        _TOPIC, "The topic on which statuses are published.", default="twilio/message/status"
    )
    cancel_topic: str = key(
        _TOPIC_OR_NONE,
        """The topic on which clients cancel requests that still wait, calls that ring, and escalations. "":
        the connector does not subscribe to any.""",
        default="twilio/cancel",
    )
    acknowledge_topic: str = key(
        _TOPIC_OR_NONE,
        """The topic on which clients acknowledge escalations. "": the connector does not subscribe to
        any.""",
        default="twilio/acknowledge",
    )
    reconnect_initial_seconds: float = key(
        Seconds(),
        "Pause before the connection is tried again; it doubles with each failure up to the maximum.",
        default=0.5,
    )
    reconnect_maximum_seconds: float = key(
        Seconds(), "Longest pause between two attempts to connect.", default=60
    )
    probe_seconds: float = key(
        Seconds(minimum=0),
        """How often the connector sends itself a message through the nucleus, to notice one that delivers
        nothing any more. Through AWS IoT Core, which charges for messages, a tenth as often. 0 is never.""",
        default=60,
    )
    answer_seconds: float = key(Seconds(), "How long a nucleus may take to answer.", default=10)

    @property
    def topics(self) -> Topics:
        """The topics with the prefix in front."""
        return Topics.with_prefix(
            self.topic_prefix,
            text=self.text_topic,
            call=self.call_topic,
            status=self.status_topic,
            cancel=self.cancel_topic,
            acknowledge=self.acknowledge_topic,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings(AnyTransport):
    """An MQTT broker."""

    kind: ClassVar = TransportKind.MQTT
    broker: BrokerAddress = key(
        # Not shown: it may hold a password, whatever type it was written as.
        Written(description="an mqtt:// or mqtts:// URL", read=read_broker_url, is_shown=False),
        """Address of the broker: mqtt://host:1883 or, encrypted, mqtts://host:8883; those ports where
        none is given. With mqtt(s)://user:password@host the connector logs in; percent-encode what is not
        a letter or digit. Better set by the environment where it holds a password.""",
        default="mqtt://127.0.0.1:1883",
        name="url",
    )
    protocol: ProtocolVersion = key(
        Choice(words=ProtocolVersion), 'MQTT version: "auto" tries 5 first and then 3.1.1.', default="auto"
    )
    client_id: str = key(
        Text(),
        """Name of the connector's session at the broker, unique there. The broker keeps requests for this
        name while the connector is away, so a new name loses what waits under the old one.""",
        default="twilio-notifications",
    )
    shared_group: str = key(
        Text(may_be_empty=True, without="+#/"),
        """Lets all connectors of one journal in PostgreSQL take requests in, by subscriptions to
        $share/<this name>/<topic>, in place of the one that leads; MQTT 5 only. Each needs a client_id of its
        own, which it keeps. Requests for one recipient may change their order. "": the one that leads takes
        all in.""",
        default="",
    )
    shared_group_seconds: float = key(
        Seconds(),
        """With shared_group: how long after a connector was gone a request that it recorded and did not
        acknowledge may come to another one. An equal request that comes within this time is taken for it,
        once. A broker that hands such requests over when the session ends needs session_expiry_seconds more
        than that.""",
        default=600,
    )
    ca_file: Path | None = key(
        FilePath(),
        """Certificates of the authorities that may have signed the broker's certificate, in PEM. Left
        out: those that the system trusts. For mqtts:// only, like the next three.""",
        example="broker-ca.pem",
    )
    certificate_file: Path | None = key(
        FilePath(),
        """Certificate with which the connector identifies itself, in PEM, and the private key to it. Both
        or neither.""",
        example="connector.pem",
    )
    key_file: Path | None = key(
        FilePath(), "Private key to certificate_file, in PEM, without a pass phrase.", example="connector.key"
    )
    alpn: tuple[str, ...] = key(
        TextList(),
        """Protocols offered in the TLS handshake (ALPN). AWS IoT Core on port 443 needs
        ["x-amzn-mqtt-ca"].""",
        default=[],
    )
    availability_topic: str = key(
        _TOPIC_OR_NONE,
        """The topic on which the broker keeps "online", retained, while the connector is connected, and
        "offline" from when it ends or is lost (last will). Home Assistant takes such a topic as it is. "":
        the connector publishes nothing of the kind. topic_prefix stands before it.""",
        default="",
    )
    response_topics: tuple[str, ...] = key(
        TextList(),
        """The topics on which clients may ask for their statuses by the response topic of MQTT 5, as
        filters with + and #. A status that is published there has the correlation of its request, and is
        published on the status topic as well. ["#"] allows each topic but the connector's own ones and those
        that begin with $; [] allows none.""",
        default=["#"],
    )
    acknowledge_seconds: float = key(
        Seconds(),
        """How long a broker may take to acknowledge a status. A healthy broker takes less than a second.
        After this time the connector closes the connection, opens a new one, and publishes every status
        again that was not acknowledged.""",
        default=30,
    )
    broker_probe_seconds: float = key(
        Seconds(minimum=0),
        """How long a message from the connector to itself may take to come back through the broker. It is
        sent once over each connection, on twilio/notifications/probe behind topic_prefix, and a warning
        says where it does not come back: an access list may keep requests away in silence. 0 sends none.""",
        default=10,
    )
    # two bytes (MQTT 5, 3.1.2.10)
    keepalive_seconds: int = key(
        WholeSeconds(maximum=65_535),
        """How often the connection is probed while nothing else is sent. MQTT counts whole seconds: a
        fraction is rounded up.""",
        default=60,
    )
    connect_timeout_seconds: float = key(
        Seconds(), "How long one attempt to reach the broker may take.", default=10
    )
    session_expiry_seconds: int = key(
        WholeSeconds(minimum=0),
        """How long the broker keeps the session, and with it new requests, while the connector is away: a
        week. Rounded up to whole seconds. 0 lets the broker forget at once: requests sent meanwhile are
        lost.""",
        default=604800,
    )
    # two bytes, never 0 (MQTT 5, 3.1.2.11.3)
    receive_maximum: int = key(
        WholeNumber(minimum=1, maximum=65_535),
        """How many requests the broker may send ahead of their acknowledgement. An acknowledgement waits
        for the disk. QoS 0 and MQTT 3.1.1 have no such window: there the connection is not read while
        more than this many wait.""",
        default=100,
    )

    def subscribed(self, topic: str) -> str:
        """The filter by which messages on this topic of requests or wishes come to this connector."""
        return f"$share/{self.shared_group}/{topic}" if self.shared_group else topic

    @property
    def availability(self) -> str | None:
        """The topic of the availability, with the prefix in front; None: there is none."""
        return self.topic_prefix + self.availability_topic if self.availability_topic else None

    @property
    def address(self) -> str:
        """The URL without user and password, for people and logs."""
        host = f"[{self.broker.host}]" if ":" in self.broker.host else self.broker.host
        return f"{'mqtts' if self.broker.tls else 'mqtt'}://{host}:{self.broker.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class GreengrassSettings(AnyTransport):
    """The publish/subscribe of a Greengrass V2 nucleus."""

    kind: ClassVar = TransportKind.GREENGRASS
    pubsub: PubSub = key(
        Choice(words=PubSub),
        """Which publish/subscribe of a nucleus requests are expected on: "local", "iot_core" (AWS IoT
        Core), or "both".""",
        default="local",
    )
    statuses_to: StatusesTo = key(
        Choice(words=StatusesTo),
        """Which publish/subscribe of a nucleus a status goes to: "origin" is where its request came from,
        "both" is each one that pubsub names.""",
        default="origin",
    )


TransportSettings = MqttSettings | GreengrassSettings

TRANSPORT = Section(
    name="transport",
    text="Where requests come from and statuses go to.",
    keys={
        "kind": Key(
            kind=Choice(words=TransportKind),
            text=""""mqtt" is any MQTT broker, "greengrass" is a Greengrass V2 nucleus. "greengrass" uses the
            topics, pubsub, statuses_to, probe_seconds, answer_seconds and the two reconnect pauses; "mqtt"
            uses all settings but pubsub and statuses_to.""",
            default="mqtt",
        ),
        **keys_of(MqttSettings, AnyTransport, GreengrassSettings),
    },
)


def transport(values: Values) -> TransportSettings:
    """The settings of the transport that `kind` names."""
    if values["transport.kind"] is TransportKind.MQTT:
        return made(MqttSettings, "transport", values)
    return made(GreengrassSettings, "transport", values)
