"""Turns the messages of a nucleus into the bytes that the contract judges. Pure.

A component publishes bytes or JSON. Bytes stay as they are. The classic nucleus reads JSON with Gson,
which turns every number into a double, so `"retries": 3` arrives as 3.0. In JSON messages, and only there,
this module turns such a number into a whole number again.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

EXACT = 2.0**53
"""Up to this number, a double holds every whole number exactly; a larger one may differ from the sender's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message from a topic."""

    payload: bytes = field(repr=False)
    retained: bool = False
    """AWS IoT Core has kept the message. The connector does not execute it: it would come again at every
    start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadableMessage:
    """A message without bytes to judge; `why` holds nothing of its content."""

    why: str


def iot_core_message(event: Any) -> Message:
    """A message of AWS IoT Core."""
    return Message(payload=bytes(event.message.payload or b""), retained=bool(event.message.retain))


def local_message(event: Any) -> Message | UnreadableMessage:
    """A local message: its bytes, or its JSON as text. The bridge of client devices sends bytes."""
    if event.binary_message is not None:
        return Message(payload=bytes(event.binary_message.message or b""))
    if event.json_message is None:
        return UnreadableMessage(why="neither bytes nor JSON")
    try:
        return Message(payload=json.dumps(with_whole_numbers(event.json_message.message)).encode())
    except RecursionError:
        return UnreadableMessage(why="JSON that is nested too deeply")


def with_whole_numbers(value: Any) -> Any:
    """The JSON value with an int for each float without a fraction, at every depth."""
    match value:
        case float() if value.is_integer() and abs(value) <= EXACT:
            return int(value)
        case dict():
            return {key: with_whole_numbers(inner) for key, inner in value.items()}
        case list():
            return [with_whole_numbers(inner) for inner in value]
        case _:
            return value
