"""Rows of the journal ⇄ values of the ports. No statement, no decision."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, assert_never

from twilio_notifications.adapters.journal.envelopes import decoded_envelope, encoded_envelope, traceparent_in
from twilio_notifications.core.delivery import Delivery
from twilio_notifications.core.errors import Reason, WaitReason
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
from twilio_notifications.core.pace import amount
from twilio_notifications.core.policy import Charge
from twilio_notifications.core.steps import SENT_NOTHING, AttemptOutcome, Claimed, Doubtful
from twilio_notifications.ports import NewRejection, NewRequest, NewWish, Origin, Unreported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.model import Content
    from twilio_notifications.ports import Arrival

ID_KEY = b',"id":'
"""Stands once in a status: within a string, quotes are escaped."""

RANKS = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.LOW: 2}
REQUEST_WIDTH = 33
"""Columns with which each read of a request begins (statements/conditions.py)."""

ROW_BYTES = 600
"""What a row takes beyond its texts: its other columns, its indexes, the ends of its pages."""

_NO_EXTENSIONS: Final = (*(None,) * 12, False)
"""The columns between the digest and the envelope."""

_ENCODE: Final = json.JSONEncoder(ensure_ascii=False).encode
"""As json.dumps, which would make such an encoder for each call."""

PRIORITIES = {rank: priority for priority, rank in RANKS.items()}


def encoded_id(request_id: str | float) -> str:
    """The published `id` as it is kept: JSON in UTF-8, with half a surrogate pair as its escape.

    So it has the same bytes as in a status.
    """
    text = _ENCODE(request_id)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def without_id(status: bytes) -> tuple[bytes, str | None]:
    """A status as it is kept: up to its id, which stands in the row already; and the id that was cut off.

    None for the id: the status is none of the published form, and is kept as it is.
    """
    head, separator, tail = status.rpartition(ID_KEY)
    if not separator or not tail.endswith(b"}"):
        return status, None
    return head + separator, tail[:-1].decode()


def request_row(
    id_: int,
    arrival: NewRequest,
    *,
    request_id: str,
    chain: int | None = None,
    hint: str | None = None,
    resent_from: int | None = None,
) -> tuple[Any, ...]:
    """The parameters of INSERT_REQUEST. `hint` is what the text or the call says on how to acknowledge."""
    notification = arrival.notification
    recipient = notification.recipient
    body, voice_location, *content = content_columns(notification)
    return (
        id_,
        request_id,
        notification.channel,
        recipient.name,
        recipient.phone_number,
        notification.sender_number,
        body,
        voice_location,
        notification.retries,
        arrival.accepted_at,
        arrival.origin,
        None if arrival.mark is None else arrival.mark.digest,
        *content,
        notification.messaging_service_sid,
        notification.about,
        notification.escalation,
        notification.contact,
        notification.valid_for_seconds,
        chain,
        hint,
        arrival.tells_end,
        encoded_envelope(arrival.envelope),
        resent_from,
    )


def state_row(
    id_: int, arrival: NewRequest, *, connection: int, sender: int | None, units: int
) -> tuple[Any, ...]:
    """The first parameters of INSERT_WAITING and INSERT_OPEN. `connection`: the number of the broker's.

    `sender` is the number of the paced one, None where it is not paced; `units` is what is taken of its rate.
    """
    notification = arrival.notification
    return (
        id_,
        notification.channel,
        notification.recipient.phone_number,
        RANKS[notification.priority],
        arrival.expires_at,
        None if arrival.mark is None else arrival.mark.packet_id,
        connection,
        notification.about,
        sender,
        units,
    )


def amount_of(notification: Notification, *, hint: str | None) -> int:
    """The units that the request uses of its sender's rate, counting the last line that its text gets."""
    match notification.content:
        case Text(body=body, media_urls=media_urls) if hint is not None:
            text = Text(body=_with_last_line(body, hint), media_urls=media_urls)
            return amount(replace(notification, content=text))
        case _:
            return amount(notification)


def _with_last_line(body: str, hint: str) -> str:
    return f"{body}\n{hint}" if body else hint


def answered_row(  # noqa: PLR0913 - a column each
    id_: int,
    request_id: str,
    channel: str,
    *,
    accepted_at: float,
    origin: str | None,
    digest: bytes | None,
    envelope: str | None,
) -> tuple[Any, ...]:
    """The parameters of INSERT_REQUEST for what is answered without an attempt."""
    answered = (id_, request_id, channel, None, None, None, None, None, 0, accepted_at, origin, digest)
    return (*answered, *_NO_EXTENSIONS, envelope, None)


def original_key(notification: Notification, *, since: float) -> tuple[Any, ...]:
    """The parameters of ORIGINAL: in all of these a duplicate agrees with its original."""
    recipient = notification.recipient
    return (
        encoded_id(notification.request_id),
        notification.channel,
        recipient.phone_number,
        since,
        recipient.name,
        *content_columns(notification),
    )


def kept_status(status: bytes, request_id: str) -> bytes:
    """A status as it is kept: up to its id, where that is the one that stands in its request's row."""
    kept, id_ = without_id(status)
    return kept if id_ == request_id else status


def size_of(arrival: Arrival) -> int:
    """About how many bytes the row of an arrival takes: what it holds of any length, and the rest."""
    match arrival:
        case NewRequest(notification=notification):
            texts = [encoded_id(notification.request_id), notification.recipient.name]
            texts += [text for text in content_columns(notification) if text is not None]
            texts += [text for text in (notification.about, notification.contact) if text is not None]
        case NewRejection():
            texts = [encoded_id(arrival.request_id), arrival.message]
        case NewWish():
            wish = arrival.wish
            texts = [encoded_id(wish.request_id or ""), getattr(wish, "about", None) or ""]
        case _:
            assert_never(arrival)
    if not isinstance(arrival, NewWish) and arrival.envelope is not None:
        texts.append(encoded_envelope(arrival.envelope) or "")
    held = sum(len(text) if text.isascii() else 4 * len(text) for text in texts)
    return ROW_BYTES + held + (len(arrival.status) if isinstance(arrival, NewRejection) else 0)


def unreported(row: tuple[Any, ...]) -> Unreported:
    """A row of UNREPORTED or SUSPECTS."""
    request, _, _, position, status, origin, envelope, suspicion = row
    found = addressed(position, request, bytes(status), origin=origin, envelope=envelope)
    return replace(found, suspicion=suspicion) if suspicion else found


def addressed(
    position: int, request: int, status: bytes, *, origin: str | None, envelope: str | None
) -> Unreported:
    """A status for the one who asked; origin and envelope as the file has them."""
    return Unreported(
        position=position,
        request=request,
        status=status,
        origin=None if origin is None else Origin(origin),
        envelope=decoded_envelope(envelope),
    )


def content_columns(notification: Notification) -> tuple[str | None, ...]:
    """Body, voice location, media URLs, spoken text, language, voice, TwiML."""
    match notification.content:
        case Text(body=body, media_urls=media_urls):
            return body, None, json.dumps(media_urls) if media_urls else None, None, None, None, None
        case VoiceLocation(url=url):
            return None, url, None, None, None, None, None
        case SpokenText(text=text, language=language, voice=voice):
            return None, None, None, text, language, voice, None
        case Twiml(document=document):
            return None, None, None, None, None, None, document
        case _:
            assert_never(notification.content)


def _content(row: tuple[Any, ...], *, hint: str | None) -> Content:
    body, voice_location, media_urls, spoken_text, language, voice, twiml = row
    if voice_location is not None:
        return VoiceLocation(url=voice_location)
    if spoken_text is not None:
        return SpokenText(text=spoken_text, language=language, voice=voice, key_hint=hint)
    if twiml is not None:
        return Twiml(document=twiml)
    if hint is not None:
        body = _with_last_line(body, hint)
    return Text(body=body, media_urls=() if media_urls is None else tuple(json.loads(media_urls)))


def claimed(row: tuple[Any, ...], *, hinted: bool = True) -> Claimed:
    """A row of CLAIM or OVERDUE. Not `hinted`: its text as the client wrote it, without its last line."""
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
        attempt,
        *content,
        service,
        about,
        escalation,
        contact,
        valid_for_seconds,
        chain,
        hint,
        tells_end,
        chain_ended,
        recalled,
        envelope,
    ) = row
    return Claimed(
        id=id_,
        notification=Notification(
            request_id=json.loads(request_id),
            channel=Channel(channel),
            recipient=Recipient(name=name, phone_number=phone_number),
            content=_content((body, voice_location, *content), hint=hint if hinted else None),
            sender_number=sender_number,
            retries=retries,
            priority=PRIORITIES[rank],
            valid_for_seconds=valid_for_seconds,
            messaging_service_sid=service,
            about=about,
            escalation=escalation,
            contact=contact,
        ),
        accepted_at=accepted_at,
        expires_at=expires_at,
        due_at=accepted_at if due_at is None else due_at,  # none while an attempt is open or in doubt
        attempts=attempts,
        deferrals=deferrals,
        waiting_reason=None if waiting_reason is None else WaitReason(waiting_reason),
        attempt=attempt,
        chain=chain,
        chain_ended=bool(chain_ended),
        tells_end=bool(tells_end),
        recalled=None if recalled is None else Reason(recalled),
        traceparent=traceparent_in(envelope),
    )


def delivery(channel: Channel, columns: Sequence[Any]) -> Delivery:
    """A delivery as DELIVERY_COLUMNS have it."""
    word, changed_at, code, answered_by, key_pressed, document_code, looks, given_up_at, by_us = columns
    return Delivery(
        channel=channel,
        state=word,
        changed_at=changed_at,
        code=code,
        answered_by=answered_by,
        key_pressed=bool(key_pressed),
        document_code=document_code,
        notification_looks=looks,
        given_up_at=given_up_at,
        cancelled_by_us=bool(by_us),
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


def encoded_charges(charges: Sequence[Charge]) -> str | None:
    """The charges of an attempt, as they are kept with it; NULL for none."""
    return json.dumps([(one.scope, one.since, one.amount) for one in charges]) if charges else None


def paid_back(outcome: AttemptOutcome, encoded: str | None) -> list[Charge]:
    """The charges of an attempt that sent nothing; what was sent, or may have been, stays charged."""
    if encoded is None or outcome not in SENT_NOTHING:
        return []
    return [Charge(scope=scope, since=since, amount=amount) for scope, since, amount in json.loads(encoded)]
