"""The rows of one request → its time line."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.envelopes import decoded_envelope
from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.core.delivery import Happening, LearnedFrom
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.core.twilio_codes import sentence
from twilio_notifications.ports.journal import timeline as moments
from twilio_notifications.ports.journal.reader import Particulars

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.reading.veil import Veil
    from twilio_notifications.ports.journal.reader import Entry

_KINDS = ("body", "voice_location", "spoken_text", "twiml")
_KIND_NAMES = {"body": "text"}

_WAIT_REASONS = frozenset(WaitReason)

_NEVER_PUBLISHED = ("replaced by", "not published")
"""Beginnings of the remark on a status that did not leave."""


def particulars(connection: Connection, number: int, veil: Veil) -> Particulars:
    """What the request holds beyond its entry."""
    row = connection.execute(sql.PARTICULARS, (number,)).fetchone()
    kind = next((each for each in _KINDS if row[each] is not None), None)
    content = "" if kind is None else row[kind]
    envelope = decoded_envelope(row["envelope"])
    media_urls = () if row["media_urls"] is None else tuple(json.loads(row["media_urls"]))
    return Particulars(
        kind=None if kind is None else _KIND_NAMES.get(kind, kind),
        content=content if kind is not None and veil.is_lifted else None,
        characters=len(content),
        media_urls=media_urls if veil.is_lifted else (),
        media=len(media_urls),
        language=row["language"],
        voice=row["voice"],
        retries=row["retries"],
        about=row["about"],
        valid_for_seconds=row["valid_for_seconds"],
        messaging_service_sid=row["messaging_service_sid"],
        origin=row["origin"],
        response_topic=None if envelope is None else envelope.response_topic,
        traceparent=None if envelope is None else envelope.traceparent,
        answered_by=row["answered_by"],
        document_code=row["document_code"],
    )


def timeline(connection: Connection, entry: Entry, *, origin: str | None, veil: Veil) -> list[moments.Moment]:
    """All that happened to the request, the oldest first; of one instant, causes before what they cause."""
    arrived = moments.Arrived(
        at=entry.accepted_at, origin=origin, resent_from=entry.resent_from, chain=entry.chain
    )
    number = entry.number
    found: list[moments.Moment] = [
        arrived,
        *_orders(connection, number),
        *_escalation(connection, number, veil),
        *_attempts(connection, number, veil),
        *_waits(connection, entry, veil),
        *_pauses(connection, entry, veil),
        *_statuses(connection, number, veil),
        *_deliveries(connection, number),
    ]
    return sorted(found, key=lambda moment: moment.at)


def _waits(connection: Connection, entry: Entry, veil: Veil) -> Iterator[moments.Waited]:
    for row in connection.execute(sql.WAITS, (entry.number,)):
        yield moments.Waited(
            at=row["begun_at"],
            reason=None if row["reason"] is None else WaitReason(row["reason"]),
            message=veil.sentence(row["message"]),
            until=row["due_at"],
            ended_at=row["ended_at"],
            behind=None,
        )
    present = connection.execute(sql.WAITING_SINCE, (entry.number,)).fetchone()
    if present is not None and entry.waits is not None:
        yield moments.Waited(
            at=present["waiting_since"],
            reason=entry.waits.reason,
            message=entry.waits.message,
            until=entry.waits.until,
            ended_at=None,
            behind=entry.waits.behind,
        )


def _pauses(connection: Connection, entry: Entry, veil: Veil) -> Iterator[moments.PauseLasted]:
    during = {
        "number": entry.number,
        "begins_at": entry.accepted_at,
        "ends_at": math.inf if entry.finished_at is None else entry.finished_at,
    }
    for row in connection.execute(sql.PAUSES_DURING, during):
        yield moments.PauseLasted(
            at=row["begun_at"],
            reason=WaitReason(row["reason"]),
            message=veil.sentence(row["message"]) or "",
            until=row["until"],
            ended_at=row["ended_at"],
        )


def _attempts(
    connection: Connection, number: int, veil: Veil
) -> Iterator[moments.AttemptOpened | moments.AttemptClosed | moments.DoubtArose | moments.AnsweredLate]:
    for row in connection.execute(sql.ATTEMPTS, (number,)):
        word = row["reason"]  # of the wait, where the attempt was put off
        yield moments.AttemptOpened(at=row["opened_at"], attempt=row["number"])
        yield moments.AttemptClosed(
            at=row["closed_at"],
            attempt=row["number"],
            outcome=AttemptOutcome(row["outcome"]),
            reason=None if word is None else WaitReason(word) if word in _WAIT_REASONS else Reason(word),
            message=veil.sentence(row["message"]),
            code=row["code"],
            sid=row["sid"],
        )
    for row in connection.execute(sql.OPEN_ATTEMPT, (number,)):
        yield moments.AttemptOpened(at=row["opened_at"], attempt=row["number"])
        if row["doubt_at"] is not None:
            yield moments.DoubtArose(
                at=row["doubt_at"],
                attempt=row["number"],
                message=veil.sentence(row["doubt"]) or "",
                look_at=row["settle_at"],
            )
    for row in connection.execute(sql.EVIDENCE, (number,)):
        yield moments.AnsweredLate(
            at=row["at"],
            attempt=row["attempt"],
            outcome=AttemptOutcome(row["outcome"]),
            code=row["code"],
            sid=row["sid"],
        )


def _statuses(
    connection: Connection, number: int, veil: Veil
) -> Iterator[moments.StatusWritten | moments.StatusLeft]:
    for row in connection.execute(sql.STATUSES, (number,)):
        remark, follow_up = row["remark"], bool(row["later"])
        yield moments.StatusWritten(
            at=row["written_at"],
            follow_up=follow_up,
            reason=None if row["reason"] is None else Reason(row["reason"]),
            message=veil.sentence(row["message"]),
            code=row["code"],
            remark=remark,
        )
        kept_here = remark is not None and remark.startswith(_NEVER_PUBLISHED)
        if row["reported_at"] is not None and not kept_here:
            yield moments.StatusLeft(at=row["reported_at"], follow_up=follow_up)


def _deliveries(connection: Connection, number: int) -> Iterator[moments.DeliveryMoved]:
    for row in connection.execute(sql.DELIVERY_EVENTS, (number,)):
        yield moments.DeliveryMoved(
            at=row["at"],
            happening=Happening(row["happening"]),
            source=LearnedFrom(row["source"]),
            word=row["word"],
            code=row["code"],
            meaning=None if row["code"] is None else sentence(row["code"]),
            result=row["result"],
        )


def _escalation(connection: Connection, number: int, veil: Veil) -> Iterator[moments.Moment]:
    chain = connection.execute(sql.CHAIN, (number,)).fetchone()
    if chain is None:
        return
    yield moments.EscalationBegan(at=chain["began_at"], escalation=chain["configured_name"])
    for step, row in enumerate(connection.execute(sql.CHAIN_STEPS, (number,)), start=1):
        yield moments.EscalationStepTaken(at=row["at"], step=step, requests=row["requests"])
    for row in connection.execute(sql.OF_CHAIN, (number,)):
        yield moments.PersonNotified(
            at=row["accepted_at"],
            request=row["id"],
            channel=Channel(row["channel"]),
            name=veil.name(row["name"]),
            phone_number=veil.number(row["phone_number"]),
            became=row["became"],
        )
    for row in connection.execute(sql.REPLIES, (number,)):
        number_ = veil.number(row["phone_number"])
        yield moments.ReplyCame(at=row["at"], phone_number=number_, meaning=row["meaning"], sid=row["sid"])
    if chain["ended_at"] is not None:
        yield moments.EscalationOver(
            at=chain["ended_at"], ending=chain["ending"], by=chain["by"], door=chain["door"]
        )


def _orders(connection: Connection, number: int) -> Iterator[moments.OrderPlaced | moments.OrderCarriedOut]:
    for row in connection.execute(sql.ORDERS, (number,)):
        order, name = row["number"], row["name"]
        yield moments.OrderPlaced(
            at=row["at"],
            order=order,
            name=name,
            parameters=_parameters(row["parameters"]),
            by=row["by"],
            door=row["door"],
        )
        if row["done_at"] is not None:
            yield moments.OrderCarriedOut(
                at=row["done_at"],
                order=order,
                name=name,
                result=row["result"],
                refusal=row["refusal"],
                made=row["made"],
            )


def _parameters(written: str) -> dict[str, object]:
    """Empty where another program has written what this one cannot read."""
    try:
        found = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
