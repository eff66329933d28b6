"""The published JSON: turns payloads into notifications, and outcomes into the bytes of a status.

Only this package knows the names, the order and the sentences of the published document.
It has an answer to every payload, and checks the bounds of a payload before it decodes the payload.
"""

from __future__ import annotations

from twilio_notifications.core.contract.decoding import (
    MAXIMUM_DEPTH,
    MAXIMUM_PAYLOAD_BYTES,
    MAXIMUM_VALUES,
)
from twilio_notifications.core.contract.extensions import (
    MAXIMUM_ABOUT_CHARACTERS,
    MAXIMUM_MEDIA_URLS,
    Extensions,
)
from twilio_notifications.core.contract.request_ids import MAXIMUM_ID_CHARACTERS
from twilio_notifications.core.contract.requests import (
    MAXIMUM_NAME_CHARACTERS,
    MAXIMUM_RETRIES,
    MAXIMUM_TEXT_CHARACTERS,
    parse,
    too_large,
)
from twilio_notifications.core.contract.sentences import Sentence
from twilio_notifications.core.contract.statuses import (
    SHORTENED,
    Failure,
    LateFailure,
    StatusContent,
    Success,
    render,
    shortened,
)
from twilio_notifications.core.contract.topics import PROBE_TOPIC, Topics
from twilio_notifications.core.contract.wishes import (
    MAXIMUM_BY_CHARACTERS,
    parse_acknowledgement,
    parse_cancellation,
)

__all__ = [
    "MAXIMUM_ABOUT_CHARACTERS",
    "MAXIMUM_BY_CHARACTERS",
    "MAXIMUM_DEPTH",
    "MAXIMUM_ID_CHARACTERS",
    "MAXIMUM_MEDIA_URLS",
    "MAXIMUM_NAME_CHARACTERS",
    "MAXIMUM_PAYLOAD_BYTES",
    "MAXIMUM_RETRIES",
    "MAXIMUM_TEXT_CHARACTERS",
    "MAXIMUM_VALUES",
    "PROBE_TOPIC",
    "SHORTENED",
    "Extensions",
    "Failure",
    "LateFailure",
    "Sentence",
    "StatusContent",
    "Success",
    "Topics",
    "parse",
    "parse_acknowledgement",
    "parse_cancellation",
    "render",
    "shortened",
    "too_large",
]
