"""What must hold for every payload, wherever it comes from: the fuzzer, the seeds, and what was found once.

Knows nothing of atheris, so that the test suite can make the same claims about the committed seeds.
"""

from __future__ import annotations

import json
from typing import Any, assert_never

from twilio_notifications.core.contract import Failure, StatusContent, Success, parse, render
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Channel,
    Notification,
    Rejection,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)

LONGEST = 1024
"""Characters of an id and of a name."""

DEFAULTS = (None, "+15005550006")


def check(payload: bytes) -> None:
    """On both topics, with and without a default number, the payload is answered in the published form."""
    for channel in Channel:
        for default in DEFAULTS:
            parsed = parse(payload, channel=channel, default_sender_number=default)
            check_status(parsed)
            if isinstance(parsed, Notification):
                check_notification(parsed, channel)


def check_status(parsed: Notification | Rejection) -> None:
    """The status is JSON to a strict reader, and has the published keys in the published order."""
    content, request_id = _end_of(parsed)
    document = json.loads(
        render(content, request_id=request_id).decode(),
        parse_constant=_refuse,
        object_pairs_hook=_without_twins,
    )
    assert list(document) == ["response", "id"]
    keys = {
        "success": ["status", "payload"],
        "fail": ["status", "error_message", "error", "payload"],
    }
    response = document["response"]
    assert list(response) == keys[response["status"]]


def check_notification(notification: Notification, channel: Channel) -> None:
    """What is taken can be sent and kept: all of it is text with UTF-8, and nothing required is empty."""
    texts = (notification.request_id, notification.recipient.phone_number, _content_of(notification))
    for text in (*texts, notification.recipient.name, notification.sender_number):
        text.encode()
    assert all(texts)
    assert max(len(notification.request_id), len(notification.recipient.name)) <= LONGEST
    assert notification.channel is channel
    assert notification.retries >= 0


def _end_of(parsed: Notification | Rejection) -> tuple[StatusContent, str | float]:
    match parsed:
        case Rejection(message=message):
            return Failure(reason=Reason.INVALID_PARAMETER, message=message), parsed.request_id
        case Notification(recipient=recipient, sender_number=sender_number):
            success = Success(
                message_status="queued",
                sender_number=sender_number,
                phone_number=recipient.phone_number,
                name=recipient.name,
            )
            return success, parsed.request_id
        case _:
            assert_never(parsed)


def _content_of(notification: Notification) -> str:
    match notification.content:
        case Text(body=text) | VoiceLocation(url=text) | SpokenText(text=text) | Twiml(document=text):
            return text
        case _:
            assert_never(notification.content)


def _refuse(word: str) -> float:
    raise AssertionError(f"{word} is no JSON")


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(pairs) == len(dict(pairs)), "a key twice"
    return dict(pairs)
