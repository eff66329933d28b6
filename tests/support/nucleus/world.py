"""What a fake nucleus knows and decides: configuration, secrets, access control, topics.

Plain values in, plain values out; the server carries them over the socket.
Refusals are raised as `Refused`, with the name that the nucleus gives to the error.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TYPE_PREFIX = "aws.greengrass#"

_SERVICES: Mapping[str, str] = {
    "SubscribeToTopic": "aws.greengrass.ipc.pubsub",
    "PublishToTopic": "aws.greengrass.ipc.pubsub",
    "SubscribeToIoTCore": "aws.greengrass.ipc.mqttproxy",
    "PublishToIoTCore": "aws.greengrass.ipc.mqttproxy",
    "GetSecretValue": "aws.greengrass.SecretManager",
}
"""Which service's policies decide about an operation; the others need no policy."""


class Side(StrEnum):
    """Where a message travels: between components, or by the MQTT broker in the cloud."""

    LOCAL = "local"
    IOT_CORE = "iot_core"


class Refused(Exception):
    """The nucleus answers with an error; `name` is its type."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.message = message


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What the component published. A local JSON message is `as_json`, and its payload written compactly."""

    side: Side
    topic: str
    payload: bytes
    as_json: bool = False
    qos: str | None = None

    def json(self) -> Any:
        return json.loads(self.payload)


def configured(
    configuration: Mapping[str, Any], path: Sequence[str], *, untyped: bool, doubles: bool = False
) -> dict[str, Any]:
    """What GetConfiguration answers: the object at `path`, and for a leaf an object that holds it."""
    value: Any = configuration
    for key in path:
        if not isinstance(value, dict) or key not in value:
            raise Refused("ResourceNotFoundError", "Key not found")
        value = value[key]
    found = value if isinstance(value, dict) else {path[-1]: value}
    if untyped:
        return dict(_as_texts(found))
    return dict(with_doubles(found)) if doubles else found


def secret(secrets: Mapping[str, Mapping[str, str | bytes]], request: Mapping[str, Any]) -> dict[str, Any]:
    """What GetSecretValue answers: the version with the label asked for, else AWSCURRENT."""
    arn, stage = request["secretId"], request.get("versionStage") or "AWSCURRENT"
    value = secrets.get(arn, {}).get(stage)
    match value:
        case None:
            raise Refused("ResourceNotFoundError", f"Secret not found {arn}")
        case bytes():
            content = {"secretBinary": base64.b64encode(value).decode()}
        case str():
            content = {"secretString": value}
    return {
        "secretId": arn,
        "versionId": f"version-{stage}",
        "versionStage": [stage],
        "secretValue": content,
    }


def check_access(access_control: Mapping[str, Any] | None, operation: str, resource: str) -> None:
    """Raises UnauthorizedError unless a policy allows it; `None` allows everything.

    `access_control` has the form of the recipe: service, policy id, then `operations` and `resources`.
    """
    service = _SERVICES.get(operation)
    if access_control is None or service is None:
        return
    for policy in access_control.get(service, {}).values():
        allowed = {"*", TYPE_PREFIX + operation} & set(policy["operations"])
        if allowed and any(_names(pattern, resource) for pattern in policy["resources"]):
            return
    raise Refused("UnauthorizedError", f"Principal is not authorized to perform {operation} on {resource}")


def _names(pattern: str, resource: str) -> bool:
    """`*` stands for any text; `+` and `#` for themselves."""
    return fnmatchcase(resource, pattern.replace("[", "[[]").replace("?", "[?]"))


def listens(subscription: str, topic: str) -> bool:
    """Whether a subscription covers a topic: the same one, or everything behind `…/#`."""
    return subscription == topic or (subscription.endswith("/#") and topic.startswith(subscription[:-1]))


def with_doubles(value: Any) -> Any:
    """A JSON value as Gson leaves it in the maps of the classic nucleus: every number is a double."""
    match value:
        case bool():
            return value
        case int():
            return float(value)
        case dict():
            return {key: with_doubles(inner) for key, inner in value.items()}
        case list():
            return [with_doubles(inner) for inner in value]
        case _:
            return value


def _as_texts(value: Any) -> Any:
    match value:
        case dict():
            return {key: _as_texts(inner) for key, inner in value.items()}
        case list():
            return [_as_texts(inner) for inner in value]
        case str():
            return value
        case _:
            return json.dumps(value)


def local_message(published: Published, *, with_context: bool) -> dict[str, Any]:
    """A local message as it stands in a request, and with its topic in an event."""
    context = {"context": {"topic": published.topic}} if with_context else {}
    if published.as_json:
        return {"jsonMessage": {"message": published.json(), **context}}
    return {"binaryMessage": {"message": base64.b64encode(published.payload).decode(), **context}}


def of_request(side: Side, request: Mapping[str, Any]) -> Published:
    """What a PublishTo… request publishes."""
    if side is Side.IOT_CORE:
        payload = base64.b64decode(request.get("payload", ""))
        return Published(side=side, topic=request["topicName"], payload=payload, qos=str(request.get("qos")))
    message = request["publishMessage"]
    if "jsonMessage" in message:
        text = json.dumps(message["jsonMessage"]["message"], separators=(",", ":"))
        return Published(side=side, topic=request["topic"], payload=text.encode(), as_json=True)
    payload = base64.b64decode(message["binaryMessage"]["message"])
    return Published(side=side, topic=request["topic"], payload=payload)


def event(published: Published, *, doubles: bool = False) -> tuple[str, dict[str, Any]]:
    """The event that delivers it: its type and its payload; with `doubles` as the classic nucleus does."""
    if published.side is Side.LOCAL:
        content = local_message(published, with_context=True)
        return "SubscriptionResponseMessage", with_doubles(content) if doubles else content
    message = {"topicName": published.topic, "payload": base64.b64encode(published.payload).decode()}
    return "IoTCoreMessage", {"message": message}
