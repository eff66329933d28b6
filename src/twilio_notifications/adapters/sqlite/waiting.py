"""Why requests wait now, and for how long, as a person reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite.statements import paces
from twilio_notifications.core import policy
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.pace import Bucket, Rate
from twilio_notifications.core.wording import counted

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

    from twilio_notifications.adapters.sqlite.reader import Entry
    from twilio_notifications.ports.journal import Pause


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a request waits now, and for how long."""

    reason: WaitReason | None
    """None: for a free place, or for its first attempt."""
    message: str | None
    until: float | None
    """None: the end is not known. Behind the pace of a sender it is the end as it looks now: what is more
    urgent and arrives later leaves first."""
    behind: int | None
    """The request to the same recipient that comes first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """When a request leaves its paced sender, and how many leave it before."""

    at: float
    before: int


def waiting(
    entry: Entry, lasting: Sequence[Pause], departures: Mapping[int, Departure], *, now: float
) -> Waiting | None:
    """Why the request waits, of all that lasts; None where it does not wait."""
    if entry.state != State.WAITING:
        return None
    if not entry.turn:
        return Waiting(reason=WaitReason.EARLIER_REQUEST, message=None, until=None, behind=entry.behind)
    if entry.due_at is not None and entry.due_at > now:
        reason = None if entry.waiting_reason is None else WaitReason(entry.waiting_reason)
        return Waiting(reason=reason, message=entry.waiting_message, until=entry.due_at, behind=None)
    for pause in sorted(lasting, key=lambda each: each.begun_at, reverse=True):
        concerns = not pause.about or (
            pause.reason is WaitReason.SENDER_QUEUE_FULL
            and pause.about == f"{entry.channel} {entry.sender_number}"
        )
        if concerns and (pause.until is None or pause.until > now):
            return Waiting(reason=pause.reason, message=pause.message, until=pause.until, behind=None)
    departure = departures.get(entry.number)
    if departure is not None and departure.at > now:
        message = (
            f"its sender leaves at the pace of [[pace]], {counted(departure.before, 'request')} before it"
        )
        return Waiting(reason=WaitReason.SENDER_PACE, message=message, until=departure.at, behind=None)
    return Waiting(reason=None, message=None, until=entry.due_at, behind=None)


def expected_departures(
    connection: sqlite3.Connection, requests: Iterable[int], *, now: float
) -> dict[int, Departure]:
    """The departures of those requests that are due and have a paced sender, by the requests' numbers."""
    wanted = set(requests)
    senders = connection.execute(paces.PACED_OF, (json.dumps(sorted(wanted)),)).fetchall()
    found: dict[int, Departure] = {}
    for sender, unit, full_at, paused_until in senders:
        allowance = policy.Allowance(
            rate=Rate.of_interval(unit), bucket=Bucket(full_at), paused_until=paused_until
        )
        queue = (
            policy.Head(request=request, due_at=due_at, amount=amount)
            for request, due_at, amount in connection.execute(paces.DUE_OF, (sender, now))
        )
        for before, (head, at) in enumerate(policy.expected_departures(allowance, queue, now=now)):
            if head.request in wanted:
                found[head.request] = Departure(at=at, before=before)
    return found
