"""Builds the parameters of requests, under Twilio's names."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlencode

from twilio_notifications.core.model import Text, VoiceLocation

if TYPE_CHECKING:
    from twilio_notifications.core.model import Notification


def form(notification: Notification, *, call_seconds: float | None) -> list[tuple[str, str]]:
    """The parameters of the create request; `call_seconds` limits a call, None: Twilio's own limit."""
    fields = [("To", notification.recipient.phone_number), ("From", notification.sender_number)]
    match notification.content:
        case Text(body=body):
            fields.append(("Body", body))
        case VoiceLocation(url=url):
            fields.append(("Url", url))
            if call_seconds is not None:
                fields.append(("TimeLimit", str(ceil(call_seconds))))
        case _:
            assert_never(notification.content)
    return fields


def query(phone_number: str, *, page_size: int) -> str:
    """The query of a list of one recipient's messages or calls, filtered only by recipient.

    With a messaging service, the list shows no sender at first. The filter for dates uses the date of
    sending, which a queued message does not have.
    """
    return urlencode({"To": phone_number, "PageSize": page_size})
