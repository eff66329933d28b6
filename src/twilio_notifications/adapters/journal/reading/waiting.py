"""Why requests wait now, and for how long."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import paces, waits
from twilio_notifications.adapters.journal.waits import pause_of
from twilio_notifications.core import policy
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.pace import Bucket, Rate
from twilio_notifications.core.wording import counted
from twilio_notifications.ports.journal.reader import WaitNow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from twilio_notifications.adapters.journal.connection import Connection, Row
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
    paced: frozenset[int]
    """The senders of which those are, by the journal's own numbers."""
    now: float

    def of(self, row: Row) -> WaitNow | None:
        """Why the request of a row of ENTRIES waits; None where it does not wait."""
        if row["state"] != State.WAITING:
            return None
        due_at = row["due_at"]
        if not row["turn"]:
            return _wait(WaitReason.EARLIER_REQUEST, behind=row["behind"])
        if due_at > self.now:
            reason = None if row["waiting_reason"] is None else WaitReason(row["waiting_reason"])
            return _wait(reason, message=row["waiting_message"], until=due_at)
        pause = self.pause(f"{row['channel']} {row['sender_number']}")
        if pause is not None:
            return _wait(pause.reason, message=pause.message, until=pause.until)
        return self._paced(row) or _wait(None, until=due_at)

    def _paced(self, row: Row) -> WaitNow | None:
        """The wait for the pace of its sender; None: it is not paced, or has room now."""
        departure, words = self.departures.get(row["number"]), "its sender leaves at the pace of [[pace]]"
        if departure is None and row["sender"] in self.paced:
            message = f"{words}, more than {counted(FORESEEN, 'request')} before it"
            return _wait(WaitReason.SENDER_PACE, message=message)
        if departure is None or departure.at <= self.now:
            return None
        message = f"{words}, {counted(departure.before, 'request')} before it"
        return _wait(WaitReason.SENDER_PACE, message=message, until=departure.at)

    def pause(self, sender: str | None) -> Pause | None:
        """What keeps all due requests of this sender waiting; None: nothing does.

        `sender` is its channel and number, as pauses have it; None: only what pauses the account. Of several,
        the one that began last.
        """
        for pause in reversed(self.lasting):
            concerns = not pause.about or (
                pause.reason is WaitReason.SENDER_QUEUE_FULL and pause.about == sender
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


def outlook(connection: Connection, waiting: Iterable[int], *, now: float) -> Outlook:
    """What says why these requests wait."""
    wanted = set(waiting)
    senders = connection.execute(paces.PACED_OF, (json.dumps(sorted(wanted)),)).fetchall()
    found: dict[int, Departure] = {}
    for row in senders:
        found |= _departures(connection, tuple(row), wanted, now=now)
    return Outlook(
        lasting=lasting_pauses(connection),
        departures=found,
        paced=frozenset(row["id"] for row in senders),
        now=now,
    )


def lasting_pauses(connection: Connection) -> list[Pause]:
    """What lasts and keeps requests waiting, the oldest first."""
    lasting = [pause_of(tuple(row)) for row in connection.execute(waits.LASTING)]
    return sorted(lasting, key=lambda pause: pause.begun_at)


def _departures(
    connection: Connection,
    sender: tuple[int, int, int, float],
    wanted: AbstractSet[int],
    *,
    now: float,
) -> dict[int, Departure]:
    """Of those of the wanted requests that are due and leave from this paced sender."""
    number, unit, full_at, paused_until = sender
    allowance = policy.Allowance(
        rate=Rate.of_interval(unit), bucket=Bucket(full_at), paused_until=paused_until
    )
    queue = (
        policy.Head(request=request, due_at=due_at, amount=amount)
        for request, due_at, amount in connection.execute(paces.DUE_OF, (number, now))
    )
    leaving = policy.expected_departures(allowance, islice(queue, FORESEEN), now=now)
    return {
        head.request: Departure(at=at, before=before)
        for before, (head, at) in enumerate(leaving)
        if head.request in wanted
    }
