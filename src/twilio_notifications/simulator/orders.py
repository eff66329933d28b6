"""Reads the form parameters of a create into an order, or into a refusal.

The checks and their codes are Twilio's; the first check that fails decides the refusal. The functions store
nothing and fetch nothing: they look at the address of a call's TwiML and never open it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import refusals
from twilio_notifications.simulator.instants import read_iso
from twilio_notifications.simulator.numbers import is_recipient, is_sender, magic_refusal, normalized
from twilio_notifications.simulator.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

BODY_LIMIT = 1_600
MEDIA_LIMIT = 10
VALIDITY_LIMIT = 36_000
TWIML_LIMIT = 4_000
URL_LIMIT = 4_000
RING_LIMIT = 600
RING_SECONDS = 60  # Twilio's default
DETECTION_KINDS = frozenset({"Enable", "DetectMessageEnd"})
DETECTION_EARLIEST, DETECTION_LATEST = 3, 59
CALL_EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
SCHEDULE_EARLIEST = 15 * 60.0
SCHEDULE_LATEST = 35 * 86_400.0
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAddress:
    """Where Twilio reports changes. `events` are those of a call that it reports; texts report all."""

    url: str = field(repr=False)
    method: str = "POST"
    events: frozenset[str] = frozenset({"completed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOrder:
    """A text that may be created. `sender` is None where the Messaging Service chooses it."""

    to: str
    sender: str | None
    messaging_service_sid: str | None
    body: str = field(repr=False)
    media_urls: tuple[str, ...] = field(default=(), repr=False)
    send_at: float | None = None
    validity_seconds: float = VALIDITY_LIMIT
    callback: CallbackAddress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """A call that may be created: `url` or `twiml` is what the recipient will hear.

    `detection` is the kind of machine detection, None for none. `limit_seconds` None: Twilio's four hours.
    """

    to: str
    sender: str
    url: str | None = field(repr=False)
    twiml: str | None = field(repr=False)
    ring_seconds: int = RING_SECONDS
    limit_seconds: int | None = None
    detection: str | None = None
    callback: CallbackAddress | None = None
    detection_callback: CallbackAddress | None = None


def first(parameters: Mapping[str, list[str]], name: str) -> str:
    """The parameter's first value, or nothing: Twilio treats an empty one as absent."""
    values = parameters.get(name)
    return values[0] if values else ""


def read_text(parameters: Mapping[str, list[str]], *, now: float) -> TextOrder | Refusal:
    """The text that `POST Messages.json` asks for."""
    send_at = _read_schedule(parameters, now=now)
    if isinstance(send_at, Refusal):
        return send_at
    order = TextOrder(
        to=normalized(first(parameters, "To")),
        sender=normalized(first(parameters, "From")) or None,
        messaging_service_sid=first(parameters, "MessagingServiceSid") or None,
        body=first(parameters, "Body"),
        media_urls=tuple(parameters.get("MediaUrl", ())),
        send_at=send_at,
        validity_seconds=_read_whole(first(parameters, "ValidityPeriod")) or VALIDITY_LIMIT,
        callback=_callback_address(parameters, "StatusCallback"),
    )
    return _text_numbers_refusal(order) or _text_content_refusal(order, parameters) or order


def read_call(parameters: Mapping[str, list[str]]) -> CallOrder | Refusal:
    """The call that `POST Calls.json` asks for."""
    detects = not first(parameters, "SendDigits")  # sending digits switches the detection off
    order = CallOrder(
        to=normalized(first(parameters, "To")),
        sender=normalized(first(parameters, "From")),
        url=first(parameters, "Url") or None,
        twiml=first(parameters, "Twiml") or None,
        ring_seconds=_read_whole(first(parameters, "Timeout")) or RING_SECONDS,
        limit_seconds=_read_whole(first(parameters, "TimeLimit")),
        detection=(first(parameters, "MachineDetection") or None) if detects else None,
        callback=_callback_address(parameters, "StatusCallback"),
        detection_callback=(
            _callback_address(parameters, "AsyncAmdStatusCallback")
            if first(parameters, "AsyncAmd") == "true"
            else None
        ),
    )
    return _call_numbers_refusal(order) or _call_content_refusal(order, parameters) or order


def _text_numbers_refusal(order: TextOrder) -> Refusal | None:
    if not order.to:
        return refusals.TEXT_TO_MISSING
    if not is_recipient(Channel.SMS, order.to):
        return refusals.to_invalid(order.to)
    if order.messaging_service_sid and not SERVICE_SID.fullmatch(order.messaging_service_sid):
        return refusals.TEXT_SERVICE_INVALID
    if order.sender is None and order.messaging_service_sid is None:
        return refusals.TEXT_FROM_MISSING
    if order.sender and not is_sender(Channel.SMS, order.sender):
        return refusals.from_invalid(order.sender)
    return magic_refusal(Channel.SMS, to=order.to, sender=order.sender)


def _text_content_refusal(order: TextOrder, parameters: Mapping[str, list[str]]) -> Refusal | None:
    template = first(parameters, "ContentSid")
    if first(parameters, "ContentVariables") and not template:
        return refusals.TEXT_CONTENT_MISSING
    if not (order.body or order.media_urls or template):
        return refusals.TEXT_BODY_MISSING
    if len(order.body) > BODY_LIMIT:
        return refusals.TEXT_TOO_LONG
    if len(order.media_urls) > MEDIA_LIMIT:
        return refusals.TEXT_TOO_MANY_MEDIA
    if not all(is_url(url) for url in order.media_urls):
        return refusals.TEXT_BAD_MEDIA
    validity = first(parameters, "ValidityPeriod")
    if validity and not _is_whole(validity, 1, VALIDITY_LIMIT):
        return refusals.TEXT_VALIDITY
    return _callback_refusal(parameters)


def _read_schedule(parameters: Mapping[str, list[str]], *, now: float) -> float | Refusal | None:
    kind = first(parameters, "ScheduleType")
    if not kind:
        return None
    if kind != "fixed":
        return refusals.TEXT_SCHEDULE_KIND
    if not first(parameters, "MessagingServiceSid"):
        return refusals.TEXT_SCHEDULE_NO_SERVICE
    if not first(parameters, "SendAt"):
        return refusals.TEXT_SCHEDULE_NO_INSTANT
    send_at = read_iso(first(parameters, "SendAt"))
    if send_at is None or not SCHEDULE_EARLIEST <= send_at - now <= SCHEDULE_LATEST:
        return refusals.TEXT_SCHEDULE_INSTANT
    return send_at


def _call_numbers_refusal(order: CallOrder) -> Refusal | None:
    if not order.to:
        return refusals.CALL_TO_MISSING
    if not is_recipient(Channel.CALL, order.to):
        return refusals.to_invalid(order.to)
    if not order.sender:
        return refusals.CALL_FROM_MISSING
    if not is_sender(Channel.CALL, order.sender):
        return refusals.from_invalid(order.sender)
    return magic_refusal(Channel.CALL, to=order.to, sender=order.sender)


def _call_content_refusal(order: CallOrder, parameters: Mapping[str, list[str]]) -> Refusal | None:
    if not (order.url or order.twiml or first(parameters, "ApplicationSid")):
        return refusals.CALL_URL_MISSING
    if order.url and not is_url(order.url):
        return refusals.url_invalid(order.url)
    if order.twiml and not order.url and len(order.twiml) > TWIML_LIMIT:
        return refusals.parameter_invalid("Twiml", f"{len(order.twiml)} characters, at most {TWIML_LIMIT}")
    timeout = first(parameters, "Timeout")
    if timeout and not _is_whole(timeout, 1, RING_LIMIT):
        return refusals.CALL_TIMEOUT
    return _call_detection_refusal(parameters) or _callback_refusal(parameters)


def _call_detection_refusal(parameters: Mapping[str, list[str]]) -> Refusal | None:
    kind = first(parameters, "MachineDetection")
    if kind and kind not in DETECTION_KINDS:
        return refusals.parameter_invalid("MachineDetection", kind)
    timeout = first(parameters, "MachineDetectionTimeout")
    if timeout and not _is_whole(timeout, DETECTION_EARLIEST, DETECTION_LATEST):
        return refusals.parameter_invalid("MachineDetectionTimeout", timeout)
    asynchronous = first(parameters, "AsyncAmd")
    if asynchronous and asynchronous not in {"true", "false"}:
        return refusals.parameter_invalid("AsyncAmd", asynchronous)
    return None


def _callback_refusal(parameters: Mapping[str, list[str]]) -> Refusal | None:
    for name in ("StatusCallback", "AsyncAmdStatusCallback"):
        url = first(parameters, name)
        if url and not (is_url(url) and "_" not in (urlsplit(url).hostname or "")):
            return refusals.callback_invalid(url)
    return None


def _callback_address(parameters: Mapping[str, list[str]], name: str) -> CallbackAddress | None:
    url = first(parameters, name)
    if not url:
        return None
    method = "GET" if first(parameters, f"{name}Method").upper() == "GET" else "POST"
    # Twilio ignores an event that it does not know: warning 21626.
    events = CALL_EVENTS & {
        event for given in parameters.get("StatusCallbackEvent", ()) for event in given.split()
    }
    return CallbackAddress(url=url, method=method, events=events or frozenset({"completed"}))


def _read_whole(value: str) -> int | None:
    return int(value) if value.isascii() and value.isdigit() else None


def _is_whole(value: str, least: int, most: int) -> bool:
    number = _read_whole(value)
    return number is not None and least <= number <= most


def is_url(url: str) -> bool:
    """Whether it is an absolute http or https URL with a host, of a length Twilio takes."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and len(url) <= URL_LIMIT
    except ValueError:  # an unclosed "[" in the host
        return False
