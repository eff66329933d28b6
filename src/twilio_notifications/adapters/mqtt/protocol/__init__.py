"""MQTT 5 and 3.1.1 for a client, without I/O: bytes in, events out; commands in, bytes out."""

from __future__ import annotations

from twilio_notifications.adapters.mqtt.protocol.conversation import Conversation
from twilio_notifications.adapters.mqtt.protocol.encoding import Introduction, Will
from twilio_notifications.adapters.mqtt.protocol.packets import (
    FAILURE,
    Broken,
    BrokerLimits,
    Connack,
    Disconnect,
    Event,
    Pingresp,
    Puback,
    Publish,
    RequestProperties,
    Said,
    Suback,
    Version,
)
from twilio_notifications.adapters.mqtt.protocol.wire import Unsendable

__all__ = [
    "FAILURE",
    "Broken",
    "BrokerLimits",
    "Connack",
    "Conversation",
    "Disconnect",
    "Event",
    "Introduction",
    "Pingresp",
    "Puback",
    "Publish",
    "RequestProperties",
    "Said",
    "Suback",
    "Unsendable",
    "Version",
    "Will",
]
