"""Which requests Twilio makes for a text or a call, when, and with which fields.

A text has a callback for each state after its first one; a call has one for each event that its create asked
for, one for the machine detection, and one for keys that are pressed at a `<Gather>`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from twilio_notifications.simulator.instants import rfc2822
from twilio_notifications.simulator.orders import CallbackAddress
from twilio_notifications.simulator.plans import DIALLED_AFTER
from twilio_notifications.simulator.rendering import talk_seconds
from twilio_notifications.simulator.resources import (
    API_VERSION,
    CALL_FINAL,
    Call,
    Resource,
    TextMessage,
    answered_by,
    is_on_the_line,
    sender_at,
)
from twilio_notifications.simulator.voice_document import find_gather

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.simulator.resources import Step

RECEIPTS = frozenset({"delivered", "undelivered"})
EVENT_OF = {"ringing": "ringing", "in-progress": "answered"}


class Purpose(StrEnum):
    """What a callback reports."""

    STATUS = "status"
    DETECTION = "detection"
    KEYS = "keys"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingCallback:
    """One request that Twilio makes. `due_at` is an instant of the simulator's clock."""

    sid: str
    account_sid: str
    purpose: Purpose
    due_at: float
    url: str = field(repr=False)
    method: str
    fields: Mapping[str, str] = field(repr=False)

    @property
    def state(self) -> str:
        """The status that it reports; empty for a detection."""
        return self.fields.get("MessageStatus") or self.fields.get("CallStatus", "")

    @property
    def key(self) -> tuple[object, ...]:
        """What it reports, to tell it from the other callbacks of its resource."""
        return self.purpose, self.due_at, self.state


def callbacks_of(resource: Resource) -> tuple[OutgoingCallback, ...]:
    """All callbacks of the resource, as it stands, in order of time."""
    found = _of_text(resource) if isinstance(resource, TextMessage) else _of_call(resource)
    return tuple(sorted(found, key=lambda callback: callback.due_at))


def _of_text(message: TextMessage) -> Iterator[OutgoingCallback]:
    if message.callback is None:
        return
    for step in message.timeline[1:]:
        yield _made(message, message.callback, Purpose.STATUS, step.at, _text_fields(message, step))


def _text_fields(message: TextMessage, step: Step) -> dict[str, str]:
    sender = sender_at(message, step.at)
    receipt_at = datetime.fromtimestamp(step.at, UTC).strftime("%y%m%d%H%M")  # to the minute
    fields = {
        "AccountSid": message.account_sid,
        "ApiVersion": API_VERSION,
        "MessageSid": message.sid,
        "MessageStatus": step.status,
        "SmsSid": message.sid,
        "SmsStatus": step.status,
        "To": message.to,
    }
    optional = {
        "ErrorCode": None if step.error_code is None else str(step.error_code),
        "From": sender,
        "MessagingServiceSid": message.messaging_service_sid,
        "RawDlrDoneDate": receipt_at if step.status in RECEIPTS else None,
    }
    return fields | {name: value for name, value in optional.items() if value is not None}


def _of_call(call: Call) -> Iterator[OutgoingCallback]:
    if call.callback is not None:
        chosen = [(at, event, status) for at, event, status in _events(call) if event in call.callback.events]
        for number, (at, _, status) in enumerate(chosen):
            fields = {
                **_call_fields(call, at, status=status),
                "CallbackSource": "call-progress-events",
                "SequenceNumber": str(number),
                "Timestamp": rfc2822(at) or "",
            }
            yield _made(call, call.callback, Purpose.STATUS, at, fields)
    if call.detection_callback is not None and call.detected is not None:
        at = call.detected[0]
        if answered_by(call, at) is not None:
            yield _made(call, call.detection_callback, Purpose.DETECTION, at, _detection_fields(call, at))
    yield from _of_keys(call)


def _of_keys(call: Call) -> Iterator[OutgoingCallback]:
    gather = find_gather(call.twiml) if call.presses else None
    if gather is None:
        return
    for press in call.presses:
        if is_on_the_line(call, press.at):
            fields = {
                **_call_fields(call, press.at, status="in-progress"),
                "Digits": press.digits[: gather.maximum],
                "FinishedOnKey": "",
            }
            address = CallbackAddress(url=gather.action, method=gather.method)
            yield _made(call, address, Purpose.KEYS, press.at, fields)


def _events(call: Call) -> Iterator[tuple[float, str, str]]:
    """Each event of the call, its instant, and the status that its callback names."""
    dialled_at = call.created_at + DIALLED_AFTER
    if call.timeline[-1].at >= dialled_at:
        yield dialled_at, "initiated", "initiated"
    for step in call.timeline[1:]:
        if step.status in CALL_FINAL:
            yield step.at, "completed", step.status
        elif step.status in EVENT_OF:
            yield step.at, EVENT_OF[step.status], step.status


def _call_fields(call: Call, at: float, *, status: str) -> dict[str, str]:
    fields = {
        "AccountSid": call.account_sid,
        "ApiVersion": API_VERSION,
        "CallSid": call.sid,
        "CallStatus": status,
        "Called": call.to,
        "Caller": call.sender,
        "Direction": call.direction,
        "From": call.sender,
        "To": call.to,
    }
    talk = talk_seconds(call, at) if status in CALL_FINAL else None
    if status in CALL_FINAL:
        fields |= {"CallDuration": str(talk or 0), "Duration": str(-(-(talk or 0) // 60))}
    found = answered_by(call, at)
    return fields if found is None else {**fields, "AnsweredBy": found}


def _detection_fields(call: Call, at: float) -> dict[str, str]:
    answered = next(step.at for step in call.timeline if step.status == "in-progress")
    return {
        "AccountSid": call.account_sid,
        "AnsweredBy": answered_by(call, at) or "unknown",
        "CallSid": call.sid,
        "MachineDetectionDuration": str(int((at - answered) * 1_000)),
    }


def _made(
    resource: Resource, address: CallbackAddress, purpose: Purpose, at: float, fields: Mapping[str, str]
) -> OutgoingCallback:
    return OutgoingCallback(
        sid=resource.sid,
        account_sid=resource.account_sid,
        purpose=purpose,
        due_at=at,
        url=address.url,
        method=address.method,
        fields=fields,
    )
