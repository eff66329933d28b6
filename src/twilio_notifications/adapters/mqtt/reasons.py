"""Turns a broker's reason codes into words for people: the meaning, and what to do.

The sentences also show Reason String and Server Reference. These come from outside, so they are cut and
escaped.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.mqtt.protocol import Version
from twilio_notifications.core.errors import BrokerRefused, NotAcknowledged

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.mqtt.protocol import Said

LONGEST_TEXT = 200
"""The most characters that are shown of a text from the broker."""

UNSUPPORTED_VERSION: Final = frozenset({0x01, 0x84})
"""The codes in CONNACK for an unsupported version: 1 in MQTT 3.1.1 (3.2.2.3), 0x84 in MQTT 5 (3.2.2.2)."""

_CREDENTIALS: Final = "check user name and password in [transport] url"
_CLIENT_ID: Final = "check [transport] client_id"
_VERSION: Final = "check [transport] protocol"
_ACCESS: Final = "allow it in the broker's access list"
_LATER: Final = "the connector tries again; the broker's log says why"
_BROKER_LOG: Final = "see the broker's log"
_LIMITS: Final = "raise that limit at the broker"
_DEFECT: Final = "please report it, with the broker's name and version"

WORDS: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        0x04: ("the connection ended with a will", _BROKER_LOG),
        0x10: ("no client subscribes to the topic", "there is nothing to do"),
        0x11: ("there was no such subscription", _BROKER_LOG),
        0x18: ("authentication goes on", _BROKER_LOG),
        0x19: ("authentication begins again", _BROKER_LOG),
        0x80: ("it gives no reason", _BROKER_LOG),
        0x81: ("a packet is malformed", _DEFECT),
        0x82: ("a packet breaks the protocol", _DEFECT),
        0x83: ("the broker's implementation does not accept it", _BROKER_LOG),
        0x84: ("it does not speak this protocol version", _VERSION),
        0x85: ("the client identifier is not valid", _CLIENT_ID),
        0x86: ("bad user name or password", _CREDENTIALS),
        0x87: ("not authorized", f"{_CREDENTIALS}, or {_ACCESS}"),
        0x88: ("the server is unavailable", _LATER),
        0x89: ("the server is busy", _LATER),
        0x8A: ("this client is banned", "ask the broker's administrator"),
        0x8B: ("the broker is shutting down", "the connector tries again"),
        0x8C: ("bad authentication method", "[transport] knows user name, password and certificate"),
        0x8D: ("the broker heard nothing from the connector for too long (keep alive)", "check the network"),
        0x8E: (
            "another client took over the session",
            "give each connector a client_id of its own ([transport] client_id)",
        ),
        0x8F: ("the topic filter is not valid", "check the topics in [transport]"),
        0x90: ("the topic name is not valid", "check the topics in [transport]"),
        0x91: ("the packet identifier is in use", _DEFECT),
        0x92: ("the packet identifier is not known", _DEFECT),
        0x93: ("the connector had more unacknowledged messages than the broker's receive maximum", _DEFECT),
        0x94: ("the topic alias is not valid", _DEFECT),
        0x95: ("a packet is larger than the broker takes", _LIMITS),
        0x96: ("messages come too fast", f"{_LIMITS} (message rate)"),
        0x97: ("a quota is used up", f"{_LIMITS} (quota)"),
        0x98: ("the broker's administrator ended the connection", "ask the broker's administrator"),
        0x99: ("the payload does not have the announced format", _DEFECT),
        0x9A: ("the broker keeps no retained messages", _BROKER_LOG),
        0x9B: ("the broker does not take this QoS", "allow QoS 1 at the broker"),
        0x9C: ("another server is to be used", "change [transport] url"),
        0x9D: ("the server has moved", "change [transport] url"),
        0x9E: ("the broker has no shared subscriptions", "check the topics in [transport]"),
        0x9F: ("connections come too fast", _LATER),
        0xA0: ("the connection has reached its longest time", "the connector tries again"),
        0xA1: ("the broker has no subscription identifiers", _BROKER_LOG),
        0xA2: ("the broker has no wildcard subscriptions", "check the topics in [transport]"),
    }
)
"""Meaning and advice for each reason code of MQTT 5 (2.4) except success."""

_WORDS_OF_311: Final[Mapping[int, tuple[str, str]]] = MappingProxyType(
    {
        0x01: ("it does not speak this protocol version", _VERSION),
        0x02: ("the client identifier is not valid", _CLIENT_ID),
        0x03: ("the server is unavailable", _LATER),
        0x04: ("bad user name or password", _CREDENTIALS),
        0x05: ("not authorized", f"{_CREDENTIALS}, or {_ACCESS}"),
    }
)
"""Meaning and advice for each code of CONNACK in MQTT 3.1.1 (3.2.2.3)."""


def in_words(said: Said, words: Mapping[int, tuple[str, str]] = WORDS) -> str:
    """The end of a sentence: the meaning, the code, the broker's texts, and the advice."""
    meaning, advice = words.get(said.code, ("a reason that MQTT does not know", _BROKER_LOG))
    parts = [f"{meaning} (code {said.code})"]
    if said.reason:
        parts.append(f"it says {shown(said.reason)}")
    if said.elsewhere:
        parts.append(f"it names the server {shown(said.elsewhere)}")
    return "; ".join((*parts, advice))


def shown(text: str) -> str:
    """The broker's text in quotes, cut and on one line, without characters that control a terminal."""
    cut = text if len(text) <= LONGEST_TEXT else text[:LONGEST_TEXT] + "…"
    return ascii(cut) if not cut.isprintable() else f"'{cut}'"


def refusal(said: Said, version: Version) -> BrokerRefused:
    """The error for a CONNACK whose code is not 0."""
    # A broker that speaks only 3.1.1 may answer a CONNECT of MQTT 5 with codes of 3.1.1, which are all small.
    is_old = version is Version.V311 or said.code in _WORDS_OF_311
    words = in_words(said, _WORDS_OF_311 if is_old else WORDS)
    return BrokerRefused(
        f"the broker refused the connection: {words}", unsupported_version=said.code in UNSUPPORTED_VERSION
    )


def of_end(said: Said) -> str:
    """The sentence that says why the broker ended the connection, from its DISCONNECT."""
    if not said.code:
        return "the broker ended the connection and gave no reason; see the broker's log"
    return f"the broker ended the connection: {in_words(said)}"


def not_acknowledged(said: Said) -> NotAcknowledged:
    """The error for a PUBACK whose code is a failure."""
    return NotAcknowledged(f"the broker refused the message: {in_words(said)}", refused=True)


def not_granted(client_id: str, refused: Mapping[str, int], reason: str) -> BrokerRefused:
    """The error for a SUBACK. `refused` has the refused topics with their codes.

    3.1.1 has only the code 0x80.
    """
    why = sorted({WORDS.get(code, WORDS[0x80])[0] for code in refused.values()})
    says = f"; it says {shown(reason)}" if reason else ""
    return BrokerRefused(
        f"the broker does not let {client_id} subscribe to {', '.join(refused)} "
        f"({', '.join(why)}{says}): {_ACCESS}"
    )
