"""What happened in the last hours, for charts, and what of it needs a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel
from twilio_notifications.ports.journal.reader import Hour, Need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from twilio_notifications.adapters.journal.connection import Connection

HOUR_SECONDS = 3_600.0

NEEDED_SECONDS = 86_400.0
"""For how long what has failed, or ended without an acknowledgement, counts as needing a person."""

_DID_NOT_ARRIVE = {Channel.SMS: Reason.UNDELIVERED, Channel.CALL: Reason.NOT_REACHED}


def activity(connection: Connection, *, now: float, hours: int) -> list[Hour]:
    """Each of the last hours, the current one included; the oldest first."""
    first = int(now // HOUR_SECONDS) - hours + 1
    failed, answered_badly = _failures(connection, since=first * HOUR_SECONDS)
    finished = dict(connection.execute(sql.NOT_REPORTED, (first * HOUR_SECONDS,)).fetchall())
    borders = [_first_from(connection, at=hour * HOUR_SECONDS) for hour in range(first, first + hours + 1)]
    found = []
    for place, hour in enumerate(range(first, first + hours)):
        bounds = (hour * HOUR_SECONDS, (hour + 1) * HOUR_SECONDS)
        reported = connection.execute(sql.FINISHED, bounds).fetchone()[0]
        answered = reported + finished.get(hour, 0)
        found.append(
            Hour(
                at=hour * HOUR_SECONDS,
                received=connection.execute(sql.RECEIVED, borders[place : place + 2]).fetchone()[0],
                succeeded=max(0, answered - answered_badly.get(hour, 0)),
                failed=failed.get(hour, {}),
            )
        )
    return found


def _failures(connection: Connection, *, since: float) -> tuple[dict[int, dict[Reason, int]], dict[int, int]]:
    """By hour: the failures by reason, and how many of them answered a request."""
    failed: dict[int, dict[Reason, int]] = {}
    answered_badly: dict[int, int] = {}
    for hour, word, later, number in connection.execute(sql.FAILURES, (since,)):
        reasons = failed.setdefault(hour, {})
        reasons[Reason(word)] = reasons.get(Reason(word), 0) + number
        if not later:
            answered_badly[hour] = answered_badly.get(hour, 0) + number
    for hour, channel, number in connection.execute(sql.NOT_DELIVERED, (since,)):
        reason = _DID_NOT_ARRIVE[Channel(channel)]
        reasons = failed.setdefault(hour, {})
        reasons[reason] = reasons.get(reason, 0) + number
    return failed, answered_badly


def _first_from(connection: Connection, *, at: float) -> int:
    """The number of the first request that was accepted at that instant or later.

    Found by halving: requests are numbered in the order of their acceptance, but for changes of the clock.
    """
    low, high = connection.execute(sql.RANGE).fetchone()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        number, accepted_at = connection.execute(sql.FIRST_FROM, (middle,)).fetchone()
        if accepted_at < at:
            low = number + 1
        else:
            high = middle
    return int(low)


def needs(connection: Connection, *, now: float, limit: int) -> Iterator[tuple[Need, int]]:
    """What needs a person, by number; the most pressing first, and no request twice."""
    since, seen = now - NEEDED_SECONDS, set[int]()
    for need, rows in (
        (Need.UNACKNOWLEDGED, connection.execute(sql.CHAINS_NEEDING, (since, limit))),
        (Need.IN_DOUBT, connection.execute(sql.DOUBTS, (limit,))),
        (Need.FAILED, connection.execute(sql.FAILED, {"since": since, "limit": limit})),
    ):
        for (number,) in rows:
            if number not in seen and len(seen) < limit:
                seen.add(number)
                yield need, number
