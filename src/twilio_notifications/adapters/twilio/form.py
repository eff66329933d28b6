"""The parameters of the requests, under Twilio's names."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlencode

from twilio_notifications.core.model import Channel, SpokenText, Text, Twiml, VoiceLocation
from twilio_notifications.core.twiml import spoken_with

if TYPE_CHECKING:
    from twilio_notifications.core.delivery import CallbackUrls
    from twilio_notifications.core.model import Notification


@dataclass(frozen=True, slots=True, kw_only=True)
class CallForm:
    """How calls are made."""

    ring_seconds: float | None = None
    """How long Twilio lets the telephone ring; None: a minute."""
    time_limit_seconds: float | None = None
    """After how long Twilio ends a call; None: after four hours."""
    detects_machines: bool = False
    """Whether Twilio finds out who has answered, while the document is played already."""


_CALL_EVENTS = ("initiated", "ringing", "answered", "completed")
"""Of which Twilio tells a callback; without them only of the end of a call."""


_SHORTEST_VALIDITY = 5
_LONGEST_VALIDITY = 36_000
"""Seconds that Twilio takes as a ValidityPeriod:
https://www.twilio.com/docs/messaging/api/message-resource"""


def form(
    notification: Notification,
    *,
    calls: CallForm,
    seconds_left: float | None = None,
    callbacks: CallbackUrls | None = None,
) -> list[tuple[str, str]]:
    """The parameters of the create request.

    `seconds_left`: what is left of its lifetime, for a text that sets one of its own; None: not known.
    `callbacks`: where Twilio calls about it; None: nowhere.
    """
    key_url, report_url = (None, None) if callbacks is None else (callbacks.key, callbacks.report)
    fields = [*_whom(notification), *_what(notification, key_url=key_url)]
    if report_url is not None:
        fields.append(("StatusCallback", report_url))
    match notification.channel:
        case Channel.SMS:
            return [*fields, *_validity(notification, seconds_left)]
        case Channel.CALL:
            return [*fields, *_how(calls, report_url)]
        case _:
            assert_never(notification.channel)


def _validity(notification: Notification, seconds_left: float | None) -> list[tuple[str, str]]:
    # What waits in Twilio's own queue has to expire too, but only where the request asks for it.
    if notification.valid_for_seconds is None or seconds_left is None:
        return []
    seconds = min(max(ceil(seconds_left), _SHORTEST_VALIDITY), _LONGEST_VALIDITY)
    return [("ValidityPeriod", str(seconds))]


def _how(calls: CallForm, report_url: str | None) -> list[tuple[str, str]]:
    fields: list[tuple[str, str]] = []
    if report_url is not None:
        fields += [("StatusCallbackEvent", event) for event in _CALL_EVENTS]
    if calls.ring_seconds is not None:
        fields.append(("Timeout", str(ceil(calls.ring_seconds))))
    if calls.time_limit_seconds is not None:
        fields.append(("TimeLimit", str(ceil(calls.time_limit_seconds))))
    if calls.detects_machines:
        # Not before the document: the person would hear nothing until Twilio has made up its mind.
        fields += [("MachineDetection", "Enable"), ("AsyncAmd", "true")]
        fields += [("AsyncAmdStatusCallback", report_url)] if report_url is not None else []
    return fields


def _whom(notification: Notification) -> list[tuple[str, str]]:
    fields = [("To", notification.recipient.phone_number)]
    service, number = notification.messaging_service_sid, notification.sender_number
    # Where the service chooses the number, its SID stands in the place of the number.
    fields += [("From", number)] if number != service else []
    return [*fields, *([("MessagingServiceSid", service)] if service is not None else [])]


def _what(notification: Notification, *, key_url: str | None) -> list[tuple[str, str]]:
    match notification.content:
        case Text(body=body, media_urls=media_urls):
            text = [("Body", body)] if body or not media_urls else []
            return [*text, *(("MediaUrl", media_url) for media_url in media_urls)]
        case VoiceLocation(url=url):
            return [("Url", url)]
        case SpokenText():
            return [("Twiml", spoken_with(notification.content, key_url=key_url))]
        case Twiml(document=document):
            return [("Twiml", document)]
        case _:
            assert_never(notification.content)


def query(phone_number: str, *, page_size: int) -> str:
    """The query of a list of one recipient's messages or calls. It filters by recipient alone.

    With a messaging service the list shows no sender at first, and the filter for dates looks at the date of
    sending, which a queued message does not have.
    """
    return urlencode({"To": phone_number, "PageSize": page_size})
