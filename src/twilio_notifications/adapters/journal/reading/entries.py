"""Rows of requests → entries of a list."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.reading.waiting import outlook
from twilio_notifications.adapters.journal.rows import PRIORITIES
from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.ports.journal.reader import DeliveryState, Entry, EscalationState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection, Row
    from twilio_notifications.adapters.journal.reading.veil import Veil
    from twilio_notifications.ports.journal.reader import WaitNow


def entries(connection: Connection, numbers: Sequence[int], *, now: float, veil: Veil) -> list[Entry]:
    """These requests, the newest first, without those that the journal does not hold."""
    rows = connection.execute(sql.ENTRIES, (json.dumps(list(numbers)),)).fetchall()
    waiting = [row["number"] for row in rows if row["state"] == State.WAITING]
    why = outlook(connection, waiting, now=now)
    return [_entry(row, why.of(row), veil) for row in rows]


def _entry(row: Row, waits: WaitNow | None, veil: Veil) -> Entry:
    chain = None
    if row["configured_name"] is not None:
        chain = EscalationState(escalation=row["configured_name"], ending=row["ending"], by=row["by"])
    return Entry(
        number=row["number"],
        id=json.loads(row["request_id"]),
        channel=Channel(row["channel"]),
        state=State(row["state"]),
        name=None if row["name"] is None else veil.name(row["name"]),
        phone_number=None if row["phone_number"] is None else veil.number(row["phone_number"]),
        sender_number=None if row["sender_number"] is None else veil.number(row["sender_number"]),
        contact=row["contact"],
        priority=PRIORITIES[row["priority"]],
        accepted_at=row["accepted_at"],
        expires_at=row["expires_at"],
        due_at=row["due_at"],
        waits=None if waits is None else replace(waits, message=veil.sentence(waits.message)),
        attempts=row["attempts"],
        finished_at=row["finished_at"],
        reason=None if row["reason"] is None else Reason(row["reason"]),
        message=veil.sentence(row["message"]),
        sid=row["sid"],
        remark=row["remark"],
        delivery=_delivery(row),
        escalation=chain,
        chain=None if row["chain"] == row["number"] else row["chain"],
        resent_from=row["resent_from"],
    )


def _delivery(row: Row) -> DeliveryState | None:
    if row["word"] is None:
        return None
    return DeliveryState(
        state=row["word"], code=row["delivery_code"], at=row["changed_at"], look_at=row["look_at"]
    )
