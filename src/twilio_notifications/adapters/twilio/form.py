"""The parameters of the requests, under Twilio's names."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlencode

from twilio_notifications.core.model import SpokenText, Text, Twiml, VoiceLocation
from twilio_notifications.core.twiml import spoken, spoken_once

if TYPE_CHECKING:
    from twilio_notifications.core.model import Notification


def form(notification: Notification, *, call_seconds: float | None) -> list[tuple[str, str]]:
    """The parameters of the create request; `call_seconds` limits a call, None: Twilio's own limit."""
    fields = [("To", notification.recipient.phone_number)]
    service, number = notification.messaging_service_sid, notification.sender_number
    # Where the service chooses the number, its SID stands in the place of the number.
    fields += [("From", number)] if number != service else []
    fields += [("MessagingServiceSid", service)] if service is not None else []
    match notification.content:
        case Text(body=body, media_urls=media_urls):
            fields += [("Body", body)] if body or not media_urls else []
            return [*fields, *(("MediaUrl", media_url) for media_url in media_urls)]
        case VoiceLocation(url=url):
            fields.append(("Url", url))
        case SpokenText():
            fields.append(("Twiml", spoken(notification.content) or spoken_once(notification.content)))
        case Twiml(document=document):
            fields.append(("Twiml", document))
        case _:
            assert_never(notification.content)
    return fields if call_seconds is None else [*fields, ("TimeLimit", str(ceil(call_seconds)))]


def query(phone_number: str, *, page_size: int) -> str:
    """The query of a list of one recipient's messages or calls. It filters by recipient alone.

    With a messaging service the list shows no sender at first, and the filter for dates looks at the date of
    sending, which a queued message does not have.
    """
    return urlencode({"To": phone_number, "PageSize": page_size})
