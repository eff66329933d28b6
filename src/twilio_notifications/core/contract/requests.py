"""Turns a payload into a notification, or into a rejection that names the first broken rule.

Only this file knows the names and the rules of the published input.
`parse` returns a value for every payload and raises for none.
It never guesses: it rejects what the contract does not allow, and corrects nothing.
"""

from __future__ import annotations

import re
from typing import Any, Final, assert_never

from twilio_notifications.core.contract.decoding import MAXIMUM_PAYLOAD_BYTES, decoded
from twilio_notifications.core.contract.request_ids import MAXIMUM_ID_CHARACTERS, echoed
from twilio_notifications.core.contract.sentences import Flaw, Sentence
from twilio_notifications.core.model import (
    Channel,
    Content,
    Notification,
    Priority,
    Recipient,
    Rejection,
    Text,
    VoiceLocation,
)

MAXIMUM_TEXT_CHARACTERS: Final = 1600
"""Twilio's limit (error 21617), counted in code points, the smallest count that its word "characters" can
mean. So no text that Twilio takes is rejected here. Where Twilio counts more (an emoji as two UTF-16
units), Twilio refuses the text itself."""

MAXIMUM_NAME_CHARACTERS: Final = 1024
"""The longest name. The status of a success repeats the name, and every broker that passed the request
must also pass its status."""

MAXIMUM_RETRIES: Final = 1_000_000_000
"""A larger number counts as this one: no lifetime is long enough for more, and any integer column holds it
plus one."""

_MAXIMUM_LIFETIME: Final = 86_400  # seconds
_LONGEST_QUOTATION: Final = 100  # characters of a wrong phone number repeated to its sender


def parse(payload: bytes, *, channel: Channel, default_sender_number: str | None) -> Notification | Rejection:
    """The notification in `payload`, or a rejection with the first broken rule and the id (`""`: none)."""
    request_id: str | int | float = ""
    try:
        document = _document(payload)
        request_id = echoed(document.get("id"))
        return _notification(document, channel=channel, default_sender_number=default_sender_number)
    except Flaw as flaw:
        return Rejection(request_id=request_id, message=flaw.message)


def too_large(size: int) -> Rejection:
    """The rejection of a payload of `size` bytes that was too large to be read."""
    sentence = Sentence.TOO_LARGE.format(size=size, limit=MAXIMUM_PAYLOAD_BYTES)
    return Rejection(request_id="", message=sentence)


def _document(payload: bytes) -> dict[str, Any]:
    document = decoded(payload)
    if not isinstance(document, dict):
        raise Flaw(Sentence.NOT_AN_OBJECT, label="Input message")
    return document


def _notification(
    document: dict[str, Any], *, channel: Channel, default_sender_number: str | None
) -> Notification:
    # Python evaluates the arguments from top to bottom, which is the published order of the checks.
    request_id = _short(_filled(document.get("id"), "Id"), "Id", limit=MAXIMUM_ID_CHARACTERS)
    request = _object(document.get("request"), "Request")
    recipient = request.get("recipient")
    if isinstance(recipient, list):
        raise Flaw(Sentence.ONE_RECIPIENT)
    recipient = _object(recipient, "Recipient")
    # The document allows "" for texts (`.*`) and not for calls (`.+`).
    name = (_string if channel is Channel.SMS else _filled)(recipient.get("name"), "Recipient name")
    from_number = request.get("from_number")
    # The operator's default is not checked: published examples write it without its plus.
    default = default_sender_number if from_number is None else None
    return Notification(
        request_id=request_id,
        channel=channel,
        recipient=Recipient(
            name=_short(name, "Recipient name", limit=MAXIMUM_NAME_CHARACTERS),
            phone_number=_phone_number(recipient.get("phone_number"), "Recipient phone number"),
        ),
        content=_content(recipient, channel),
        sender_number=default or _phone_number(from_number, "From number"),
        retries=_retries(request.get("retries")),
        priority=_priority(request.get("priority")),
        valid_for_seconds=_lifetime(request.get("valid_for_seconds")),
    )


# ASCII digits only: `\d` would match digits of other scripts. `fullmatch` allows no newline at the end.
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")


def _phone_number(value: Any, label: str) -> str:
    number = _string(value, label)
    if not _E164.fullmatch(number):
        quoted = number if len(number) <= _LONGEST_QUOTATION else number[:_LONGEST_QUOTATION] + "…"
        raise Flaw(Sentence.NOT_E164, label=label, value=quoted)
    return number


def _content(recipient: dict[str, Any], channel: Channel) -> Content:
    text, location = recipient.get("message"), recipient.get("voice_message_location")
    if text is not None and location is not None:
        raise Flaw(Sentence.ONE_CONTENT)
    match channel:
        case Channel.SMS:
            return _text(text, other=location)
        case Channel.CALL:
            return _voice_location(location, other=text)
        case _:
            assert_never(channel)


def _text(value: Any, *, other: Any) -> Text:
    if other is not None:
        raise Flaw(Sentence.VOICE_ON_TEXT)
    body = _filled(value, "Message")
    if len(body) > MAXIMUM_TEXT_CHARACTERS:
        raise Flaw(Sentence.TEXT_TOO_LONG, length=len(body), limit=MAXIMUM_TEXT_CHARACTERS)
    return Text(body=body)


# urllib is not used: it drops newlines and raises for some hosts. Twilio judges what follows the host.
_URL: Final = re.compile(
    r"""https?://
        (?:[^\s/?#@\\]*@)?                      # user:password@
        (?:\[[0-9a-f:.]+\]|[^\s/?#@:\[\]\\]+)   # an address in brackets, or a name
        (?::[0-9]*)?
        (?:[/?#]\S*)?""",
    re.VERBOSE | re.IGNORECASE,
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def _voice_location(value: Any, *, other: Any) -> VoiceLocation:
    if other is not None:
        raise Flaw(Sentence.TEXT_ON_VOICE)
    url = _filled(value, "Voice message location")
    if _CONTROL.search(url) or not _URL.fullmatch(url):
        raise Flaw(Sentence.NOT_A_URL)
    return VoiceLocation(url=url)


def _retries(value: Any) -> int:
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Flaw(Sentence.WRONG_RETRIES)
    return min(value, MAXIMUM_RETRIES)


_PRIORITIES: Final[frozenset[str]] = frozenset(Priority)


def _priority(value: Any) -> Priority:
    if value is None:
        return Priority.NORMAL
    if not isinstance(value, str) or value not in _PRIORITIES:
        raise Flaw(Sentence.WRONG_PRIORITY)
    return Priority(value)


def _lifetime(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= _MAXIMUM_LIFETIME:
        return float(value)
    raise Flaw(Sentence.WRONG_LIFETIME)


def _object(value: Any, label: str) -> dict[str, Any]:
    if value is None:
        raise Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, dict):
        raise Flaw(Sentence.NOT_AN_OBJECT, label=label)
    return value


_HALF_PAIR: Final = re.compile("[\ud800-\udfff]")


def _string(value: Any, label: str) -> str:
    if value is None:
        raise Flaw(Sentence.IS_NONE, label=label)
    if not isinstance(value, str):
        raise Flaw(Sentence.NOT_A_STRING, label=label)
    # "\ud800" alone is valid JSON but has no UTF-8, so neither Twilio nor the journal can take it.
    if _HALF_PAIR.search(value):
        raise Flaw(Sentence.NOT_UNICODE, label=label)
    return value


def _filled(value: Any, label: str) -> str:
    text = _string(value, label)
    if not text:
        raise Flaw(Sentence.IS_EMPTY, label=label)
    return text


def _short(text: str, label: str, *, limit: int) -> str:
    if len(text) > limit:
        raise Flaw(Sentence.TOO_LONG, label=label, length=len(text), limit=limit)
    return text
