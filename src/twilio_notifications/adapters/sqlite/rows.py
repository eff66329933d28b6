"""Rows of the journal ⇄ values of the ports. No statement, no decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, assert_never

from twilio_notifications.core.errors import JournalError, Reason
from twilio_notifications.core.model import (
    Channel,
    Notification,
    Priority,
    Recipient,
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)
from twilio_notifications.core.policy import Charge
from twilio_notifications.ports import (
    Claimed,
    Doubtful,
    Finish,
    NewRejection,
    NewRequest,
    Origin,
    Postpone,
    Unreported,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

ID_KEY = b',"id":'
"""Stands once in a status: within a string, quotes are escaped."""

RANKS = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.LOW: 2}
ROW_BYTES = 600
"""What a row takes beyond its texts: its other columns, its indexes, the ends of its pages."""

_PRIORITIES = {rank: priority for priority, rank in RANKS.items()}


def encoded_id(request_id: str | float) -> str:
    """The published `id` as it is kept: JSON in UTF-8, with half a surrogate pair as its escape.

    So it has the same bytes as in a status.
    """
    text = json.dumps(request_id, ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace").decode()


def without_id(status: bytes) -> tuple[bytes, str | None]:
    """A status as it is kept: up to its id, which stands in the row already; and the id that was cut off.

    None for the id: the status is none of the published form, and is kept as it is.
    """
    head, separator, tail = status.rpartition(ID_KEY)
    if not separator or not tail.endswith(b"}"):
        return status, None
    return head + separator, tail[:-1].decode()


def request_row(arrival: NewRequest, *, turn: bool) -> tuple[Any, ...]:
    """The parameters of INSERT_REQUEST."""
    notification = arrival.notification
    body, voice_location = _content_columns(notification)
    return (
        encoded_id(notification.request_id),
        notification.channel,
        notification.recipient.name,
        notification.recipient.phone_number,
        notification.sender_number,
        body,
        voice_location,
        notification.retries,
        RANKS[notification.priority],
        arrival.accepted_at,
        arrival.expires_at,
        arrival.accepted_at,  # due at once
        turn,
        *_mark_columns(arrival),
        arrival.origin,
    )


def original_key(notification: Notification, *, since: float) -> tuple[Any, ...]:
    """The parameters of ORIGINAL: in all of these a duplicate agrees with its original."""
    recipient = notification.recipient
    return (
        encoded_id(notification.request_id),
        notification.channel,
        recipient.phone_number,
        since,
        recipient.name,
        *_content_columns(notification),
    )


def duplicate_row(arrival: NewRequest, *, original: int) -> tuple[Any, ...]:
    """The parameters of INSERT_DUPLICATE."""
    return (original, arrival.accepted_at, *_mark_columns(arrival), arrival.origin)


def rejection_row(arrival: NewRejection, *, position: int) -> tuple[Any, ...]:
    """The parameters of INSERT_REJECTION."""
    kept, id_ = without_id(arrival.status)
    request_id = encoded_id(arrival.request_id)
    return (
        request_id,
        arrival.channel,
        arrival.accepted_at,
        arrival.accepted_at,
        arrival.reason,
        arrival.message,
        kept if id_ == request_id else arrival.status,
        position,
        *_mark_columns(arrival),
        arrival.origin,
    )


def size_of(arrival: NewRequest | NewRejection) -> int:
    """About how many bytes the row of an arrival takes: what it holds of any length, and the rest."""
    match arrival:
        case NewRequest(notification=notification):
            texts = [encoded_id(notification.request_id), notification.recipient.name]
            texts += [text for text in _content_columns(notification) if text is not None]
        case NewRejection():
            texts = [encoded_id(arrival.request_id), arrival.message]
        case _:
            assert_never(arrival)
    held = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return ROW_BYTES + held + (len(arrival.status) if isinstance(arrival, NewRejection) else 0)


def _mark_columns(arrival: NewRequest | NewRejection) -> tuple[int | None, bytes | None]:
    return (None, None) if arrival.mark is None else (arrival.mark.packet_id, arrival.mark.digest)


def unreported(row: tuple[Any, ...]) -> Unreported:
    """A row of UNREPORTED or SUSPECTS."""
    id_, _, _, position, status, origin, suspicion = row
    return Unreported(
        position=position,
        id=id_,
        status=bytes(status),
        origin=None if origin is None else Origin(origin),
        suspicion=suspicion,
    )


def _content_columns(notification: Notification) -> tuple[str | None, str | None]:
    match notification.content:
        case Text(body=body, media_urls=()):
            return body, None
        case VoiceLocation(url=url):
            return None, url
        case Text() | SpokenText() | Twiml():
            raise JournalError("this version of the journal has no columns for pictures, speech and TwiML")
        case _:
            assert_never(notification.content)


def claimed(row: tuple[Any, ...]) -> Claimed:
    """A row of CLAIM or OVERDUE."""
    (
        id_,
        request_id,
        channel,
        name,
        phone_number,
        sender_number,
        body,
        voice_location,
        retries,
        rank,
        accepted_at,
        expires_at,
        due_at,
        attempts,
        deferrals,
        waiting_reason,
    ) = row
    return Claimed(
        id=id_,
        notification=Notification(
            request_id=json.loads(request_id),
            channel=Channel(channel),
            recipient=Recipient(name=name, phone_number=phone_number),
            content=Text(body=body) if voice_location is None else VoiceLocation(url=voice_location),
            sender_number=sender_number,
            retries=retries,
            priority=_PRIORITIES[rank],
        ),
        accepted_at=accepted_at,
        expires_at=expires_at,
        due_at=accepted_at if due_at is None else due_at,  # none while an attempt is open or in doubt
        attempts=attempts,
        deferrals=deferrals,
        waiting_reason=None if waiting_reason is None else Reason(waiting_reason),
    )


def doubtful(row: tuple[Any, ...]) -> Doubtful:
    """A row of DOUBTFUL."""
    *request, opened_at, doubt_at, offset, cut_off, message = row
    return Doubtful(
        request=claimed(tuple(request)),
        opened_at=opened_at,
        doubt_at=doubt_at,
        clock_offset=offset,
        cut_off=bool(cut_off),
        message=message,
    )


def attempt_outcome(step: Finish | Postpone) -> str:
    """The word under which the closed attempt is kept."""
    match step:
        case Finish(reason=None):
            return "ACCEPTED"
        case Finish(reason=Reason.OUTCOME_UNKNOWN | Reason.INTERNAL_ERROR):
            return "IN_DOUBT"
        case Finish(reason=Reason.TWILIO_UNAVAILABLE) | Postpone(counted=True):
            return "FAILED"
        case Finish():
            return "REFUSED"
        case Postpone():
            return "DEFERRED"
        case _:
            assert_never(step)


def encoded_charges(charges: Sequence[Charge]) -> str | None:
    """The charges of an attempt, as they are kept with it; NULL for none."""
    return json.dumps([(one.scope, one.since, one.amount) for one in charges]) if charges else None


def paid_back(outcome: str, encoded: str | None) -> list[Charge]:
    """The charges of an attempt that sent nothing; what was sent, or may have been, stays charged."""
    if encoded is None or outcome in {"ACCEPTED", "IN_DOUBT"}:
        return []
    return [Charge(scope=scope, since=since, amount=amount) for scope, since, amount in json.loads(encoded)]
