"""Turns a payload into a notification, or into a rejection that names the first broken rule.

Only this file knows the names and the rules of the published input.
`parse` returns a value for every payload and raises for none.
It never guesses: it rejects what the contract does not allow, and corrects nothing.
"""

from __future__ import annotations

from typing import Any, Final, assert_never

from twilio_notifications.core.contract.decoding import MAXIMUM_PAYLOAD_BYTES, decoded_object
from twilio_notifications.core.contract.extensions import Added, Extensions
from twilio_notifications.core.contract.request_ids import MAXIMUM_ID_CHARACTERS, echoed
from twilio_notifications.core.contract.sentences import Flaw, Sentence
from twilio_notifications.core.contract.values import filled, json_object, phone_number, short, string, url
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


def parse(
    payload: bytes,
    *,
    channel: Channel,
    default_sender_number: str | None,
    extensions: Extensions | None = None,
) -> Notification | Rejection:
    """The notification in `payload`, or a rejection with the first broken rule and the id (`""`: none).

    Without `extensions` the properties that need the configuration, and those of contents that the published
    document does not know, are ignored like other unknown ones.
    """
    request_id: str | int | float = ""
    try:
        document = decoded_object(payload)
        request_id = echoed(document.get("id"))
        return _notification(
            document, channel=channel, default_sender_number=default_sender_number, extensions=extensions
        )
    except Flaw as flaw:
        return Rejection(request_id=request_id, message=flaw.message)


def too_large(size: int) -> Rejection:
    """The rejection of a payload of `size` bytes that was too large to be read."""
    sentence = Sentence.TOO_LARGE.format(size=size, limit=MAXIMUM_PAYLOAD_BYTES)
    return Rejection(request_id="", message=sentence)


def _notification(
    document: dict[str, Any],
    *,
    channel: Channel,
    default_sender_number: str | None,
    extensions: Extensions | None,
) -> Notification:
    # The order of the statements, and of the arguments in them, is the published order of the checks.
    request_id = short(filled(document.get("id"), "Id"), "Id", limit=MAXIMUM_ID_CHARACTERS)
    request = json_object(document.get("request"), "Request")
    recipient = request.get("recipient")
    if isinstance(recipient, list):
        raise Flaw(Sentence.ONE_RECIPIENT)
    recipient = json_object(recipient, "Recipient")
    added = Added.of(request, recipient, channel=channel, extensions=extensions)
    from_number = request.get("from_number")
    # The operator's default is not checked: published examples write it without its plus. A Messaging Service
    # that is to choose the number stands in the place of both.
    default = added.service or default_sender_number if from_number is None else None
    notification = Notification(
        request_id=request_id,
        channel=channel,
        recipient=_person(recipient, channel, may_be_absent=added.has_contact),
        content=_content(recipient, channel, added),
        sender_number=default or phone_number(from_number, "From number"),
        retries=_retries(request.get("retries")),
        priority=_priority(request.get("priority")),
        valid_for_seconds=_lifetime(request.get("valid_for_seconds")),
    )
    return notification if added.is_empty else added.put_into(notification)


def _person(recipient: dict[str, Any], channel: Channel, *, may_be_absent: bool) -> Recipient:
    """Name and number; "" for what is absent in favour of a contact."""
    name, number = recipient.get("name"), recipient.get("phone_number")
    if not (name is None and may_be_absent):
        # The document allows "" for texts (`.*`) and not for calls (`.+`).
        name = (string if channel is Channel.SMS else filled)(name, "Recipient name")
        name = short(name, "Recipient name", limit=MAXIMUM_NAME_CHARACTERS)
    if not (number is None and may_be_absent):
        number = phone_number(number, "Recipient phone number")
    return Recipient(name=name or "", phone_number=number or "")


def _content(recipient: dict[str, Any], channel: Channel, added: Added) -> Content:
    text, location = recipient.get("message"), recipient.get("voice_message_location")
    if text is not None and location is not None:
        raise Flaw(Sentence.ONE_CONTENT)
    match channel:
        case Channel.SMS:
            if location is not None or (text is None and added.has_voice):
                raise Flaw(Sentence.VOICE_ON_TEXT)
            return Text(body="") if text is None and added.has_media else _text(text)
        case Channel.CALL:
            if text is not None:
                raise Flaw(Sentence.TEXT_ON_VOICE)
            if location is None and added.has_voice:
                return VoiceLocation(url="")
            return VoiceLocation(url=url(location, "Voice message location"))
        case _:
            assert_never(channel)


def _text(value: Any) -> Text:
    body = filled(value, "Message")
    if len(body) > MAXIMUM_TEXT_CHARACTERS:
        raise Flaw(Sentence.TEXT_TOO_LONG, length=len(body), limit=MAXIMUM_TEXT_CHARACTERS)
    return Text(body=body)


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
