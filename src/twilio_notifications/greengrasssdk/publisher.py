"""`client("iot-data")`: publishes. Its arguments are judged as V1 judged them, before anything is sent.

There are no thing shadows here: they were the core's own.
"""

from __future__ import annotations

from typing import Any

from twilio_notifications.greengrasssdk.courier import courier

POLICIES = ("AllOrException", "BestEffort", "")


class Publisher:
    """Publishes on the topics of the broker, or of the nucleus."""

    def publish(self, **given: Any) -> None:
        """Returns when the broker has acknowledged it; raises a ConnectorError when it has not.

        Takes `topic`, `payload` (text or bytes, nothing by default) and `queueFullPolicy`. There is no queue
        that could be full, so either policy means: it is acknowledged, or an error is raised. As in V1, other
        keywords are not looked at.
        """
        topic = _topic(required(given, "topic"))
        payload = _payload(given.get("payload", b""))
        _check_policy(given.get("queueFullPolicy", ""))
        courier().carry(lambda outside: outside.publish(topic, payload))


def required(given: dict[str, Any], name: str) -> Any:
    """A keyword that must be there."""
    if name not in given:
        raise ValueError(f"the parameter {name} is required")
    return given[name]


def _topic(topic: object) -> str:
    if not isinstance(topic, str) or not topic or set("+#\0") & set(topic):
        raise ValueError(f"the topic must be a text that is not empty, without + and #, not {topic!r}")
    return topic


def _payload(payload: object) -> bytes:
    if isinstance(payload, str):
        return payload.encode()
    if isinstance(payload, bytes | bytearray):
        return bytes(payload)
    raise TypeError(f"the payload must be str or bytes, not {type(payload).__name__}: json.dumps makes a str")


def _check_policy(policy: object) -> None:
    if policy not in POLICIES:
        known = ", ".join(map(repr, POLICIES))
        raise ValueError(f"queueFullPolicy must be one of {known}, not {policy!r}")
