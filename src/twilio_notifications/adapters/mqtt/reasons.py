"""What a broker's reason codes mean to people, and what to do about them. Looks up, and does nothing else."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from gmqtt.mqtt.handler import MQTTConnectError

from twilio_notifications.core.errors import BrokerRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

UNSUPPORTED_VERSION: Final = frozenset({1, 132})
"""CONNACK's "I do not speak this version": 3.1.1 has 1 (3.1.1, 3.2.2.3), 5 has 132 (5, 3.2.2.2)."""

_CREDENTIALS: Final = "check user name and password in [transport] url"
_CLIENT_ID: Final = "check [transport] client_id"
_HINTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "check [transport] protocol",
        2: _CLIENT_ID,
        4: _CREDENTIALS,
        5: _CREDENTIALS,
        132: "check [transport] protocol",
        133: _CLIENT_ID,
        134: _CREDENTIALS,
        135: _CREDENTIALS,
    }
)

_ENDS: Final[Mapping[int | None, str]] = MappingProxyType(
    {
        None: "the connection was lost",
        0x8B: "the broker is shutting down",
        0x8D: "the broker heard nothing from us for too long (keep alive)",
        0x8E: "another client took over the session: give each connector a client_id of its own",
        0x98: "the broker's administrator ended the connection",
    }
)


def refusal(code: int) -> BrokerRefused:
    """CONNACK's answer, unless it is 0."""
    said = MQTTConnectError(code).message
    hint = _HINTS.get(code, "see the broker's log")
    return BrokerRefused(
        f"the broker refused the connection: {said} (code {code}); {hint}",
        unsupported_version=code in UNSUPPORTED_VERSION,
    )


def of_end(code: int | None) -> str:
    """Why the connection ended, by the reason code in the broker's DISCONNECT; None where there was none."""
    return _ENDS.get(code, f"the broker ended the connection (reason code {code})")
