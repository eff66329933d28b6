"""The token in a text secret as the document describes it, or under a key of a JSON one."""

from __future__ import annotations

import json

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.model import Secret


def token_of(text: str, *, json_key: str | None, name: str) -> Secret:
    """The token; raises SecretUnavailable, whose sentence begins with `name` and never shows the text."""
    text = text.strip()
    if json_key is not None:
        return Secret(_value(text, json_key, name=name))
    if text.startswith("{"):
        raise SecretUnavailable(f"{name} holds JSON. Name the token's key in [secrets] json_key.")
    if not text:
        raise SecretUnavailable(f"{name} is empty. Store the Twilio auth token in it.")
    return Secret(text)


def _value(text: str, key: str, *, name: str) -> str:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SecretUnavailable(f"{name} is no JSON object, and [secrets] json_key names a key of one.")
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip():
        raise SecretUnavailable(f"{name} has no text under the key {key!r} of [secrets] json_key.")
    return value.strip()
