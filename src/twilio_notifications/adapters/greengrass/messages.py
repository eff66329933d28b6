"""What a nucleus delivers on a topic, as the bytes that the contract judges. Pure.

A component publishes bytes or JSON. Bytes pass as they are. The classic nucleus reads JSON with Gson, which
makes a double of every number, so `"retries": 3` arrives as 3.0: in JSON messages, and only there, a whole
number that arrives as a fraction becomes a whole number again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

EXACT = 2.0**53
"""Up to here a double holds every whole number exactly; a larger one is no longer what the sender wrote."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What came on a topic."""

    payload: bytes = field(repr=False)
    retained: bool = False
    """AWS IoT Core kept it from before; carried out, it would be carried out again at every start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A message that has no bytes to judge; `why` holds nothing of its content."""

    why: str


def iot_core_message(event: Any) -> Message:
    """A message of AWS IoT Core."""
    return Message(payload=bytes(event.message.payload or b""), retained=bool(event.message.retain))


def local_message(event: Any) -> Message | Unreadable:
    """Bytes as they are; JSON as text again. The bridge of client devices sends bytes."""
    if event.binary_message is not None:
        return Message(payload=bytes(event.binary_message.message or b""))
    if event.json_message is None:
        return Unreadable(why="neither bytes nor JSON")
    try:
        return Message(payload=json.dumps(with_whole_numbers(event.json_message.message)).encode())
    except RecursionError:
        return Unreadable(why="JSON that is nested too deeply")


def with_whole_numbers(value: Any) -> Any:
    """The same JSON value, at every depth with an int in place of a float that has no fraction."""
    match value:
        case float() if value.is_integer() and abs(value) <= EXACT:
            return int(value)
        case dict():
            return {key: with_whole_numbers(inner) for key, inner in value.items()}
        case list():
            return [with_whole_numbers(inner) for inner in value]
        case _:
            return value
