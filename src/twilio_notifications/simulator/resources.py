"""Messages and calls as Twilio keeps them, and as it shows them at any later instant.

A resource never changes by itself. It has a timeline of instants, each with the status that begins there, and
the functions compute every changing property from the timeline and `now`; cancelling cuts the timeline short.
This module knows neither HTTP nor the store.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from twilio_notifications.core.model import Channel
from twilio_notifications.core.segments import count_segments
from twilio_notifications.simulator.instants import rfc2822
from twilio_notifications.simulator.numbers import MAGIC_GOOD_SENDER

if TYPE_CHECKING:
    from twilio_notifications.simulator.orders import CallOrder, TextOrder

API_VERSION = "2010-04-01"

# Seconds after the create at which each status begins, named by the status that ends the timeline.
# Twilio promises no durations; these are short enough to watch and long enough to see each one.
TEXT_TIMELINES = MappingProxyType(
    {
        "delivered": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent"), (5.0, "delivered")),
        "undelivered": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent"), (5.0, "undelivered")),
        "sent": ((0.0, "queued"), (1.0, "sending"), (2.0, "sent")),  # a carrier without receipts
        "failed": ((0.0, "queued"), (1.0, "failed")),
    }
)
CALL_TIMELINES = MappingProxyType(
    {
        "completed": ((0.0, "queued"), (1.0, "ringing"), (4.0, "in-progress"), (10.0, "completed")),
        "busy": ((0.0, "queued"), (1.0, "ringing"), (4.0, "busy")),
        "no-answer": ((0.0, "queued"), (1.0, "ringing"), (61.0, "no-answer")),  # 60 s is Twilio's ring limit
        "failed": ((0.0, "queued"), (1.0, "failed")),
    }
)
WAIT_IN_SERVICE = 1.0  # a Messaging Service chooses a sender before it queues the text

TEXT_FINAL = frozenset({"delivered", "undelivered", "failed", "canceled"})
CALL_FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})

Timeline = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a resource ends: a last status of its timelines (others are ignored), and Twilio's error code."""

    status: str
    error_code: int | None = None
    error_message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """One text. `timeline` holds instants in ascending order, the first at the create."""

    sid: str
    account_sid: str
    to: str
    sender: str | None
    messaging_service_sid: str | None
    body: str = field(repr=False)
    media_count: int
    created_at: float
    timeline: Timeline
    ending: Ending | None = None
    channel = Channel.SMS
    finals = TEXT_FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call; `timeline` as for a text."""

    sid: str
    account_sid: str
    to: str
    sender: str
    created_at: float
    timeline: Timeline
    channel = Channel.CALL
    finals = CALL_FINAL


Resource = TextMessage | Call


def new_message(
    order: TextOrder, *, sid: str, account_sid: str, now: float, ending: Ending | None = None
) -> TextMessage:
    """The text that Twilio makes of an order. Its last status is `delivered`, or that of `ending`."""
    steps = TEXT_TIMELINES.get(ending.status if ending else "", TEXT_TIMELINES["delivered"])
    return TextMessage(
        sid=sid,
        account_sid=account_sid,
        to=order.to,
        sender=order.sender,
        messaging_service_sid=order.messaging_service_sid,
        body=order.body,
        media_count=order.media_count,
        created_at=now,
        timeline=_text_timeline(steps, order=order, now=now),
        ending=ending,
    )


def new_call(
    order: CallOrder, *, sid: str, account_sid: str, now: float, ending: Ending | None = None
) -> Call:
    """The call that Twilio makes of an order. Its last status is `completed`, or that of `ending`."""
    steps = CALL_TIMELINES.get(ending.status if ending else "", CALL_TIMELINES["completed"])
    return Call(
        sid=sid,
        account_sid=account_sid,
        to=order.to,
        sender=order.sender,
        created_at=now,
        timeline=tuple((now + age, status) for age, status in steps),
    )


def _text_timeline(steps: Timeline, *, order: TextOrder, now: float) -> Timeline:
    if order.send_at is not None:
        return ((now, "scheduled"), *((order.send_at + age, status) for age, status in steps))
    if order.messaging_service_sid is not None:
        return ((now, "accepted"), *((now + WAIT_IN_SERVICE + age, status) for age, status in steps))
    return tuple((now + age, status) for age, status in steps)


def seen_at(resource: Resource, now: float, age_seconds: float | None) -> float:
    """The instant for which the resource is shown: `now`, or `age_seconds` after its create."""
    return now if age_seconds is None else resource.created_at + age_seconds


def status_at(resource: Resource, now: float) -> str:
    """The status that holds at `now`; the first one if `now` lies before the create."""
    return _step_at(resource, now)[1]


def is_final_at(resource: Resource, now: float) -> bool:
    """Whether the resource has come to its end."""
    return status_at(resource, now) in resource.finals


def instant_of(resource: Resource, statuses: frozenset[str], now: float) -> float | None:
    """The instant at which the resource first took one of these statuses; None before it."""
    for instant, status in resource.timeline:
        if instant <= now and status in statuses:
            return instant
    return None


def ended(resource: Resource, *, status: str, now: float) -> Resource:
    """The same resource with `status` as its end at `now`, in place of later statuses."""
    past = tuple(step for step in resource.timeline if step[0] <= now)
    return replace(resource, timeline=(*past, (now, status)))


def _step_at(resource: Resource, now: float) -> tuple[float, str]:
    current = resource.timeline[0]
    for step in resource.timeline:
        if step[0] > now:
            break
        current = step
    return current


CHOSEN = frozenset({"queued"})
SENT = frozenset({"sent"})
DIALLED = frozenset({"ringing"})
ANSWERED = frozenset({"in-progress"})


def sender_at(resource: Resource, now: float) -> str | None:
    """The sender as Twilio shows it: none while a Messaging Service has not chosen one."""
    if isinstance(resource, Call) or resource.messaging_service_sid is None:
        return resource.sender
    if instant_of(resource, CHOSEN, now) is None:
        return None
    return resource.sender or MAGIC_GOOD_SENDER


def render(resource: Resource, now: float) -> dict[str, Any]:
    """The resource as Twilio's API shows it at `now`."""
    return (
        _render_message(resource, now) if isinstance(resource, TextMessage) else _render_call(resource, now)
    )


def _render_message(message: TextMessage, now: float) -> dict[str, Any]:
    changed_at, status = _step_at(message, now)
    uri = f"/{API_VERSION}/Accounts/{message.account_sid}/Messages/{message.sid}"
    failure = message.ending if message.ending and status == message.ending.status else None
    sender = sender_at(message, now)
    return {
        "account_sid": message.account_sid,
        "api_version": API_VERSION,
        "body": message.body,
        "date_created": rfc2822(message.created_at),
        "date_sent": rfc2822(instant_of(message, SENT, now)),
        "date_updated": rfc2822(changed_at),
        "direction": "outbound-api",
        "error_code": failure.error_code if failure else None,
        "error_message": failure.error_message if failure else None,
        "from": sender,
        "messaging_service_sid": message.messaging_service_sid,
        "num_media": str(message.media_count),
        "num_segments": "0" if sender is None else str(count_segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.to,
        "uri": f"{uri}.json",
    }


CALL_PARTS = ("notifications", "recordings", "payments", "events", "siprec", "streams", "transcriptions")


def _render_call(call: Call, now: float) -> dict[str, Any]:
    changed_at, status = _step_at(call, now)
    uri = f"/{API_VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    end = instant_of(call, CALL_FINAL, now)
    answered = instant_of(call, ANSWERED, now)
    return {
        "account_sid": call.account_sid,
        "answered_by": None,
        "api_version": API_VERSION,
        "caller_name": None,
        "date_created": rfc2822(call.created_at),
        "date_updated": rfc2822(changed_at),
        "direction": "outbound-api",
        "duration": str(int(end - answered)) if end is not None and answered is not None else None,
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
        "status": status,
        "subresource_uris": {part: f"{uri}/{part.capitalize()}.json" for part in CALL_PARTS},
        "to": call.to,
        "to_formatted": call.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }
