"""The properties of MQTT 5 (2.2.2.2): their identifiers, their forms, and the packets that may carry them.

The connector only shows the texts of properties to people. So a text that is not UTF-8 gets replacement
characters.
"""

from __future__ import annotations

from enum import Enum, IntEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.mqtt.protocol.wire import PROTOCOL_ERROR, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.mqtt.protocol.wire import Reader


class Form(Enum):
    """How a value is encoded."""

    BYTE = 1
    TWO_BYTES = 2
    FOUR_BYTES = 4
    NUMBER = "variable byte integer"
    BINARY = "binary"
    TEXT = "text"
    PAIR = "pair of texts"


class Property(IntEnum):
    """The identifiers that a broker may send, and those that we send."""

    PAYLOAD_FORMAT = 0x01
    MESSAGE_EXPIRY = 0x02
    CONTENT_TYPE = 0x03
    RESPONSE_TOPIC = 0x08
    CORRELATION = 0x09
    SUBSCRIPTION_IDENTIFIER = 0x0B
    SESSION_EXPIRY = 0x11
    ASSIGNED_CLIENT_IDENTIFIER = 0x12
    SERVER_KEEP_ALIVE = 0x13
    AUTHENTICATION_METHOD = 0x15
    AUTHENTICATION_SECRET = 0x16
    RESPONSE_INFORMATION = 0x1A
    SERVER_REFERENCE = 0x1C
    REASON_STRING = 0x1F
    RECEIVE_MAXIMUM = 0x21
    TOPIC_ALIAS_MAXIMUM = 0x22
    TOPIC_ALIAS = 0x23
    MAXIMUM_QOS = 0x24
    RETAIN_AVAILABLE = 0x25
    USER_PROPERTY = 0x26
    MAXIMUM_PACKET_SIZE = 0x27
    WILDCARD_SUBSCRIPTION = 0x28
    SUBSCRIPTION_IDENTIFIERS = 0x29
    SHARED_SUBSCRIPTION = 0x2A


_P = Property

FORMS: Mapping[int, Form] = MappingProxyType(
    {
        _P.PAYLOAD_FORMAT: Form.BYTE,
        _P.MESSAGE_EXPIRY: Form.FOUR_BYTES,
        _P.CONTENT_TYPE: Form.TEXT,
        _P.RESPONSE_TOPIC: Form.TEXT,
        _P.CORRELATION: Form.BINARY,
        _P.SUBSCRIPTION_IDENTIFIER: Form.NUMBER,
        _P.SESSION_EXPIRY: Form.FOUR_BYTES,
        _P.ASSIGNED_CLIENT_IDENTIFIER: Form.TEXT,
        _P.SERVER_KEEP_ALIVE: Form.TWO_BYTES,
        _P.AUTHENTICATION_METHOD: Form.TEXT,
        _P.AUTHENTICATION_SECRET: Form.BINARY,
        _P.RESPONSE_INFORMATION: Form.TEXT,
        _P.SERVER_REFERENCE: Form.TEXT,
        _P.REASON_STRING: Form.TEXT,
        _P.RECEIVE_MAXIMUM: Form.TWO_BYTES,
        _P.TOPIC_ALIAS_MAXIMUM: Form.TWO_BYTES,
        _P.TOPIC_ALIAS: Form.TWO_BYTES,
        _P.MAXIMUM_QOS: Form.BYTE,
        _P.RETAIN_AVAILABLE: Form.BYTE,
        _P.USER_PROPERTY: Form.PAIR,
        _P.MAXIMUM_PACKET_SIZE: Form.FOUR_BYTES,
        _P.WILDCARD_SUBSCRIPTION: Form.BYTE,
        _P.SUBSCRIPTION_IDENTIFIERS: Form.BYTE,
        _P.SHARED_SUBSCRIPTION: Form.BYTE,
    }
)

_EXPLAINED = frozenset({_P.REASON_STRING, _P.USER_PROPERTY})
OF_ACKNOWLEDGEMENT: frozenset[int] = _EXPLAINED
OF_DISCONNECT: frozenset[int] = _EXPLAINED | {_P.SESSION_EXPIRY, _P.SERVER_REFERENCE}
OF_CONNACK: frozenset[int] = _EXPLAINED | {
    _P.SESSION_EXPIRY,
    _P.RECEIVE_MAXIMUM,
    _P.MAXIMUM_QOS,
    _P.RETAIN_AVAILABLE,
    _P.MAXIMUM_PACKET_SIZE,
    _P.ASSIGNED_CLIENT_IDENTIFIER,
    _P.TOPIC_ALIAS_MAXIMUM,
    _P.WILDCARD_SUBSCRIPTION,
    _P.SUBSCRIPTION_IDENTIFIERS,
    _P.SHARED_SUBSCRIPTION,
    _P.SERVER_KEEP_ALIVE,
    _P.RESPONSE_INFORMATION,
    _P.SERVER_REFERENCE,
    _P.AUTHENTICATION_METHOD,
    _P.AUTHENTICATION_SECRET,
}

Value = int | str | bytes
Values = dict[int, Value]
NONE: Mapping[int, Value] = MappingProxyType({})


def read_properties(reader: Reader, allowed: frozenset[int]) -> Values:
    """The properties of one packet, without user properties.

    Raises Malformed for one that is not in `allowed`.
    """
    part = reader.part(reader.number())
    found: Values = {}
    while part.left:
        identifier = part.number()
        if identifier not in allowed:
            raise Malformed(f"this packet may not have the property 0x{identifier:02x}", code=PROTOCOL_ERROR)
        value = read_value(part, FORMS[identifier])
        if identifier == Property.USER_PROPERTY:
            continue
        if identifier in found:
            raise Malformed(f"a packet has the property 0x{identifier:02x} twice", code=PROTOCOL_ERROR)
        found[identifier] = value
    return found


def read_value(reader: Reader, form: Form) -> Value:
    """The next value, in this form.

    Of a pair, the second text. Raises Malformed where the packet ends before it.
    """
    match form:
        case Form.BYTE | Form.TWO_BYTES | Form.FOUR_BYTES:
            return reader.integer(form.value)
        case Form.NUMBER:
            return reader.number()
        case Form.BINARY:
            return reader.binary()
        case Form.TEXT:
            return reader.binary().decode("utf-8", "replace")
        case Form.PAIR:
            reader.binary()
            return reader.binary()
        case _:
            assert_never(form)
