"""Reads the auth token out of a stored text: the whole text, or one key of a JSON object."""

from __future__ import annotations

import json
from typing import Final

from twilio_notifications.core.errors import SecretUnavailable
from twilio_notifications.core.model import Secret

_QUOTES: Final = frozenset("\"'`")


def secret_of(text: str, *, name: str) -> Secret:
    """The secret.

    Raises SecretUnavailable where the text is no valid Unicode, so that Twilio cannot get it.
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        sentence = f"{name} holds bytes that are no text. Store only the Twilio auth token there."
        raise SecretUnavailable(sentence) from error
    return Secret(text)


def oddity(secret: Secret) -> str | None:
    """What is wrong with the secret, in words that follow "the secret"; None where it may be Twilio's."""
    text = secret.reveal()
    if len(text) > 1 and text[0] == text[-1] and text[0] in _QUOTES:
        return "has quotes around it"
    if len(text.splitlines()) > 1:
        return "has more than one line"
    if any(character.isspace() for character in text):
        return "has a space in it"
    if not (text.isascii() and text.isprintable()):
        return "has characters that cannot be typed on an English keyboard"
    return None


def token_of(text: str, *, json_key: str | None, name: str) -> Secret:
    """The token in the text, or under `json_key` of the JSON object in it; None: the text is the token.

    Raises SecretUnavailable. Its sentence begins with `name` and never shows the text.
    """
    text = text.strip()
    if json_key is not None:
        return secret_of(_value(text, json_key, name=name), name=name)
    if text.startswith("{"):
        raise SecretUnavailable(f"{name} holds JSON. Set [secrets] json_key to the token's key.")
    if not text:
        raise SecretUnavailable(f"{name} is empty. Store the Twilio auth token in it.")
    return secret_of(text, name=name)


def _value(text: str, key: str, *, name: str) -> str:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        raise SecretUnavailable(
            f"{name} is no JSON object, but [secrets] json_key names the key {key!r} of one. "
            "Store a JSON object there, or remove json_key."
        )
    value = fields.get(key)
    if not isinstance(value, str) or not value.strip():
        raise SecretUnavailable(
            f"{name} has no text under the key {key!r}. Set [secrets] json_key to the token's key."
        )
    return value.strip()
