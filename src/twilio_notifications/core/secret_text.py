"""The token in a text secret as the document describes it, or under a key of a JSON one."""

from __future__ import annotations

import json
from typing import Final

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.model import Secret

_QUOTES: Final = frozenset("\"'`")


def secret_of(text: str, *, name: str) -> Secret:
    """The secret; raises SecretUnavailable for what is no Unicode text and cannot be sent to Twilio."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        sentence = (
            f"{name} holds bytes that are no text, so it is no token. Write the Twilio auth token there."
        )
        raise SecretUnavailable(sentence) from error
    return Secret(text)


def oddity(secret: Secret) -> str | None:
    """What a token or key of Twilio never has, in words that follow "the secret"; None where all is well."""
    text = secret.reveal()
    if len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES:
        return "has quotes around it"
    if len(text.splitlines()) > 1:
        return "has more than one line"
    if any(character.isspace() for character in text):
        return "has a blank in it"
    if not (text.isascii() and text.isprintable()):
        return "has characters that cannot be typed on an English keyboard"
    return None


def token_of(text: str, *, json_key: str | None, name: str) -> Secret:
    """The token; raises SecretUnavailable, whose sentence begins with `name` and never shows the text."""
    text = text.strip()
    if json_key is not None:
        return secret_of(_value(text, json_key, name=name), name=name)
    if text.startswith("{"):
        raise SecretUnavailable(f"{name} holds JSON. Name the token's key in [secrets] json_key.")
    if not text:
        raise SecretUnavailable(f"{name} is empty. Store the Twilio auth token in it.")
    return secret_of(text, name=name)


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
