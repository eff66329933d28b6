"""`client("iot-data")`: publishes messages. It checks its arguments as V1 did, before it sends a message.

It has no thing shadows, which only a Greengrass V1 core had.
"""

from __future__ import annotations

from typing import Any

from twilio_notifications.greengrasssdk.courier import courier

POLICIES = ("AllOrException", "BestEffort", "")


class Publisher:
    """Publishes on the topics of the broker, or of the nucleus."""

    def publish(self, **given: Any) -> None:
        """Returns when the broker or the nucleus has acknowledged the message; else raises a ConnectorError.

        Takes `topic`, `payload` (text or bytes, empty by default) and `queueFullPolicy`, and like V1 ignores
        other keywords. No queue can be full here, so every policy means the same: acknowledged, or an error.
        Raises ValueError or TypeError for an argument that V1 would not take.
        """
        topic = required(given, "topic")
        if not isinstance(topic, str) or not topic or set("+#\0") & set(topic):
            raise ValueError(f"the topic must be a text that is not empty, without + and #, not {topic!r}")
        payload = _payload(given.get("payload", b""))
        policy = given.get("queueFullPolicy", "")
        if policy not in POLICIES:
            known = ", ".join(map(repr, POLICIES))
            raise ValueError(f"queueFullPolicy must be one of {known}, not {policy!r}")
        courier().carry(lambda outside: outside.publish(topic, payload))


def required(given: dict[str, Any], name: str) -> Any:
    """The argument of this name; raises ValueError where it is missing."""
    if name not in given:
        raise ValueError(f"the parameter {name} is required")
    return given[name]


def _payload(payload: object) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, bytes | bytearray):
        return bytes(payload)
    raise TypeError(f"the payload must be str or bytes, not {type(payload).__name__}: json.dumps makes a str")
