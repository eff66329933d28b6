"""Shows messages and calls as Twilio's API does, at any instant."""

from __future__ import annotations

from typing import Any

from twilio_notifications.core.segments import count_segments
from twilio_notifications.simulator.instants import rfc2822
from twilio_notifications.simulator.resources import (
    ANSWERED,
    API_VERSION,
    CALL_FINAL,
    DIALLED,
    SENT,
    Call,
    Resource,
    TextMessage,
    answered_by,
    instant_of,
    sender_at,
    step_at,
)

CALL_PARTS = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")


def render(resource: Resource, now: float) -> dict[str, Any]:
    """The resource as Twilio's API shows it at `now`."""
    return (
        _render_message(resource, now) if isinstance(resource, TextMessage) else _render_call(resource, now)
    )


def talk_seconds(call: Call, now: float) -> int | None:
    """The whole seconds from the answer to the end; None before the end, and without an answer."""
    end, answered = instant_of(call, CALL_FINAL, now), instant_of(call, ANSWERED, now)
    return int(end - answered) if end is not None and answered is not None else None


def _render_message(message: TextMessage, now: float) -> dict[str, Any]:
    step = step_at(message, now)
    uri = f"/{API_VERSION}/Accounts/{message.account_sid}/Messages/{message.sid}"
    sender = sender_at(message, now)
    return {
        "account_sid": message.account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created_at),
        "date_sent": rfc2822(instant_of(message, SENT, now)),
        "date_updated": rfc2822(step.at),
        "direction": message.direction,
        "error_code": step.error_code,
        "error_message": step.error_message,
        "from": sender,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(len(message.media_urls)),
        "num_segments": "0" if sender is None else str(count_segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": step.status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


def _render_call(call: Call, now: float) -> dict[str, Any]:
    step = step_at(call, now)
    uri = f"/{API_VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    end = instant_of(call, CALL_FINAL, now)
    talk = talk_seconds(call, now)
    found = answered_by(call, now)
    return {
        "account_sid": call.account_sid,
        # Twilio describes `human` and `machine` here; its callbacks have finer words.
        "answered_by": "machine" if found and found.startswith("machine") else found,
        "api_version": API_VERSION,
        "caller_name": None,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(step.at),
        "direction": call.direction,
        "duration": None if talk is None else str(talk),
        "end_time": rfc2822(end),
        "forwarded_from": None,
        "from": call.sender,
        "from_formatted": call.sender,
        "group_sid": None,
        "parent_call_sid": None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": call.sid,
        "start_time": rfc2822(instant_of(call, DIALLED, now)),
        "status": step.status,
        "subresource_uris": {part: f"{uri}/{part.capitalize()}.json" for part in CALL_PARTS},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }
