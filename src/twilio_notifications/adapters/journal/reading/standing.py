"""How the connector and its journal stand: the content of `status`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.reading.waiting import Outlook, lasting_pauses
from twilio_notifications.adapters.journal.statements import members
from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.policy import bounds, scope_of
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord
from twilio_notifications.ports.journal.membership import LiveMember
from twilio_notifications.ports.journal.reader import JournalStanding, LimitUsed, Presence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection, Row
    from twilio_notifications.adapters.journal.reading.veil import Veil
    from twilio_notifications.core.policy import Limits
    from twilio_notifications.ports.journal.waits import Pause


def standing(
    connection: Connection, *, running: bool, now: float, limits: Limits, veil: Veil
) -> JournalStanding:
    """All of it, of one instant."""
    rows = {FactName(row["name"]): row for row in connection.execute(sql.FACTS)}
    present = _members(connection) if running else ()
    presence = _presence(connection, rows, running=running, now=now)
    if present and presence.started_at is not None:  # the leader wrote that when it began to lead
        presence = replace(presence, started_at=min(one.since for one in present))
    facts = {name: _still(_fact(row, veil), presence) for name, row in rows.items()}
    lasting = lasting_pauses(connection)
    waiting, oldest = _waiting(connection, lasting, now=now)
    return JournalStanding(
        connector=presence,
        members=present,
        connection=facts.get(FactName.CONNECTION),
        credentials=facts.get(FactName.CREDENTIALS),
        paused=_paused(lasting, veil, now=now),
        waiting=waiting,
        oldest_waiting_at=None if oldest is None else _one(connection, sql.ACCEPTED_AT, oldest),
        in_doubt=_one(connection, sql.IN_DOUBT) or 0,
        unknown=_one(connection, sql.UNKNOWN) or 0,
        unreported=_one(connection, sql.UNREPORTED) or 0,
        unacknowledged=_one(connection, sql.UNACKNOWLEDGED) or 0,
        limits=_limits(connection, limits, now=now),
        last_success_at=_one(connection, sql.LAST_SUCCESS),
        last_failure_at=_one(connection, sql.LAST_FAILURE),
    )


def _members(connection: Connection) -> Sequence[LiveMember]:
    return [
        LiveMember(
            name=row["name"],
            since=row["since"],
            beat_at=row["beat_at"],
            leads=bool(row["leads"]),
            share=row["share"],
        )
        for row in connection.execute(members.MEMBERS)
    ]


def _presence(connection: Connection, rows: Mapping[FactName, Row], *, running: bool, now: float) -> Presence:
    row = rows.get(FactName.CONNECTOR)
    if row is None:
        return Presence(
            running=running, version=None, started_at=None, seen_at=now if running else None, ended_at=None
        )
    ended = row["word"] == FactWord.ENDED
    written = [row["written_at"] for row in rows.values()]
    latest = _one(connection, sql.LAST_WRITTEN)
    seen_at = max(written if latest is None else [*written, latest])
    return Presence(
        running=running,
        version=row["about"],
        started_at=None if ended else row["since"],
        seen_at=now if running else seen_at,
        ended_at=row["since"] if ended and not running else None,
    )


def _still(fact: Fact, presence: Presence) -> Fact:
    """A connector that was killed could not write down that its connection is gone."""
    if fact.word is not FactWord.CONNECTED or presence.running:
        return fact
    since = fact.since if presence.seen_at is None else presence.seen_at
    return replace(fact, word=FactWord.DISCONNECTED, detail="no connector runs", since=since)


def _fact(row: Row, veil: Veil) -> Fact:
    return Fact(
        name=FactName(row["name"]),
        word=FactWord(row["word"]),
        about=row["about"],
        detail=veil.sentence(row["detail"]) or "",
        since=row["since"],
    )


def _paused(lasting: Sequence[Pause], veil: Veil, *, now: float) -> list[Pause]:
    return [
        replace(one, about=veil.sentence(one.about) or "", message=veil.sentence(one.message) or "")
        for one in lasting
        if one.until is None or one.until > now
    ]


def _waiting(
    connection: Connection, lasting: Sequence[Pause], *, now: float
) -> tuple[dict[WaitReason | None, int], int | None]:
    """How many wait for each reason, as `Outlook.of` says it; and the number of the oldest."""
    behind, due, paced, total, oldest = connection.execute(sql.WAITING_FOR, {"now": now}).fetchone()
    found: dict[WaitReason | None, int] = {WaitReason.EARLIER_REQUEST: behind}
    for reason, number in connection.execute(sql.PUT_OFF, (now,)) if total > behind + due + paced else ():
        found[None if reason is None else WaitReason(reason)] = number
    account = Outlook(lasting=lasting, departures={}, paced=frozenset(), now=now).pause(None)
    if account is not None:
        found[account.reason] = found.get(account.reason, 0) + due + paced
        due = paced = 0
    else:
        stalled = _stalled(connection, lasting, now=now)
        found[WaitReason.SENDER_QUEUE_FULL] = found.get(WaitReason.SENDER_QUEUE_FULL, 0) + stalled
        due -= stalled
    found[None] = found.get(None, 0) + due
    found[WaitReason.SENDER_PACE] = found.get(WaitReason.SENDER_PACE, 0) + paced
    return {reason: number for reason, number in found.items() if number > 0}, oldest


def _stalled(connection: Connection, lasting: Sequence[Pause], *, now: float) -> int:
    """Due requests of senders whose queue at Twilio is full."""
    senders = {
        pause.about
        for pause in lasting
        if pause.reason is WaitReason.SENDER_QUEUE_FULL and (pause.until is None or pause.until > now)
    }
    return sum(_one(connection, sql.DUE_OF_SENDER, now, sender) or 0 for sender in senders)


def _limits(connection: Connection, limits: Limits, *, now: float) -> list[LimitUsed]:
    found = []
    for quota in limits.quotas:
        since, ends_at = bounds(quota.period, now=now)
        used = _one(connection, sql.USED, scope_of(quota), since) or 0
        found.append(
            LimitUsed(unit=quota.unit, period=quota.period, used=used, most=quota.most, ends_at=ends_at)
        )
    return found


def _one(connection: Connection, statement: str, *values: object) -> int | None:
    row = connection.execute(statement, values).fetchone()
    return None if row is None else row[0]
