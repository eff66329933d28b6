"""Why requests wait now, and for how long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite.statements import paces
from twilio_notifications.adapters.sqlite.statements import reading as sql
from twilio_notifications.adapters.sqlite.waits import pause_of
from twilio_notifications.core import policy
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.pace import Bucket, Rate
from twilio_notifications.core.wording import counted
from twilio_notifications.ports.journal.reader import WaitNow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from twilio_notifications.ports.journal.waits import Pause

FORESEEN = 5_000
"""Requests of one paced sender whose departure is worked out. Those behind them have no end of their wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When a request leaves its paced sender, and how many leave it before."""

    at: float
    before: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """All by which it can be said why a request waits."""

    lasting: Sequence[Pause]
    """The oldest first."""
    departures: Mapping[int, Departure]
    now: float

    def of(self, row: sqlite3.Row) -> WaitNow | None:
        """Why the request of a row of ENTRIES waits; None where it does not wait."""
        if row["state"] != State.WAITING:
            return None
        due_at = row["due_at"]
        if not row["turn"]:
            return _wait(WaitReason.EARLIER_REQUEST, behind=row["behind"])
        if due_at > self.now:
            reason = None if row["waiting_reason"] is None else WaitReason(row["waiting_reason"])
            return _wait(reason, message=row["waiting_message"], until=due_at)
        pause = self.pause(row["sender_number"])
        if pause is not None:
            return _wait(pause.reason, message=pause.message, until=pause.until)
        departure = self.departures.get(row["number"])
        if departure is not None and departure.at > self.now:
            before = counted(departure.before, "request")
            message = f"its sender leaves at the pace of [[pace]], {before} before it"
            return _wait(WaitReason.SENDER_PACE, message=message, until=departure.at)
        return _wait(None, until=due_at)

    def pause(self, sender_number: str | None) -> Pause | None:
        """What keeps all due requests of this sender waiting; None: nothing does. None: only the account's.

        Of several, the one that began last.
        """
        for pause in reversed(self.lasting):
            concerns = not pause.about or (
                pause.reason is WaitReason.SENDER_QUEUE_FULL and pause.about == sender_number
            )
            if concerns and (pause.until is None or pause.until > self.now):
                return pause
        return None


def _wait(
    reason: WaitReason | None,
    *,
    message: str | None = None,
    until: float | None = None,
    behind: int | None = None,
) -> WaitNow:
    return WaitNow(reason=reason, message=message, until=until, behind=behind)


def outlook(connection: sqlite3.Connection, waiting: Iterable[int], *, now: float) -> Outlook:
    """What says why these requests wait."""
    return Outlook(
        lasting=lasting_pauses(connection), departures=_departures(connection, waiting, now=now), now=now
    )


def lasting_pauses(connection: sqlite3.Connection) -> list[Pause]:
    """What lasts and keeps requests waiting, the oldest first."""
    return [pause_of(tuple(row)) for row in connection.execute(sql.LASTING_PAUSES)]


def _departures(
    connection: sqlite3.Connection, waiting: Iterable[int], *, now: float
) -> dict[int, Departure]:
    """Of those of the requests that are due and whose senders are paced."""
    wanted = set(waiting)
    found: dict[int, Departure] = {}
    senders = connection.execute(paces.PACED_OF, (json.dumps(sorted(wanted)),)).fetchall()
    for sender, unit, full_at, paused_until in senders:
        allowance = policy.Allowance(
            rate=Rate.of_interval(unit), bucket=Bucket(full_at), paused_until=paused_until
        )
        queue = (
            policy.Head(request=request, due_at=due_at, amount=amount)
            for request, due_at, amount in connection.execute(paces.DUE_OF, (sender, now))
        )
        leaving = policy.expected_departures(allowance, islice(queue, FORESEEN), now=now)
        for before, (head, at) in enumerate(leaving):
            if head.request in wanted:
                found[head.request] = Departure(at=at, before=before)
    return found
