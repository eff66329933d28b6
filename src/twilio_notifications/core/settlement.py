"""An attempt in doubt + Twilio's records → found, absent, look again, or a person must decide.

Twilio has no idempotency key for creating messages and calls; its own lists are the only witness.
Rule 1: absent is only said of a list that was read after the whole settling time. Rule 2: what cannot be told
apart is never sent again. Rule 3: all instants of records are Twilio's; ours are moved onto Twilio's clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.model import Channel, Text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.core.model import Notification, Record, Records

CLOCK_TOLERANCE_SECONDS = 2.0
"""`Date` and `date_created` have whole seconds: together they can be off by just under two."""

FIRST_PAUSE_SECONDS = 1.0
"""Before the first look. Twilio's lists show a new resource well within this, nearly always."""

LONGEST_PAUSE_SECONDS = 10.0
"""Between two looks: the list is small, the account's rate is shared with the sending."""

FIRST_PAUSE_SHARE = 0.25
"""The share of a short settling time that the first pause may take."""

UNTRUSTED_SECONDS = 86_400.0
"""How far back a record may lie to be suspect, where the clock that opened the attempt is not known."""

TRIAL_PREFIX = "Sent from your Twilio trial account - "
"""What Twilio puts before every text of a trial account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt in doubt, as far as settling it needs."""

    notification: Notification
    opened_at: float
    doubt_at: float
    """When the doubt arose, or was found at a start."""
    clock_offset: float | None
    """Twilio's clock minus ours when the attempt was opened; None where it was not known yet."""
    cut_off: bool
    """Our own end cut it off: it was opened by a process whose clock need not be today's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """It was carried out: this is its record."""

    record: Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """It was surely not carried out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LookAgain:
    """Not settled yet; look at `at`."""

    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecidable:
    """Twilio's records allow both; a person must decide."""

    message: str


Settlement = Found | Absent | LookAgain | Undecidable


def first_look(*, doubt_at: float, settle_seconds: float) -> float:
    """When to look for the first time."""
    return doubt_at + min(FIRST_PAUSE_SECONDS, settle_seconds * FIRST_PAUSE_SHARE)


def next_look(*, now: float, doubt_at: float, settle_seconds: float) -> float:
    """When to look next: pauses double, and the last look comes just when the settling time has passed."""
    pause = min(LONGEST_PAUSE_SECONDS, max(now - doubt_at, settle_seconds * FIRST_PAUSE_SHARE))
    deadline = doubt_at + settle_seconds
    return now + pause if now >= deadline else min(now + pause, deadline)


def since(attempt: Attempt, *, clock_offset: float | None) -> float:
    """From which instant on, by Twilio's clock, its records matter. `clock_offset` is today's."""
    margin = UNTRUSTED_SECONDS if _untrusted(attempt) else CLOCK_TOLERANCE_SECONDS
    return _opened(attempt, clock_offset) - margin


def candidates(attempt: Attempt, records: Records) -> tuple[Record, ...]:
    """The records that could be this attempt's by recipient, sender and content; time is not looked at."""
    return tuple(record for record in records.found if _could_be(record, attempt.notification))


def settle(
    attempt: Attempt,
    records: Records,
    *,
    known_sids: frozenset[str],
    looked_at: float,
    settle_seconds: float,
) -> Settlement:
    """What Twilio's records, asked for at `looked_at`, say about the attempt."""
    unclaimed = [record for record in candidates(attempt, records) if record.sid not in known_sids]
    opened = _opened(attempt, records.clock_offset) - CLOCK_TOLERANCE_SECONDS
    in_time = [record for record in unclaimed if record.created_at >= opened]
    if in_time:
        # Several are somebody else's twins of ours, sent meanwhile; the first is the likeliest to be ours,
        # and whichever it is, the recipient has the message.
        return Found(record=_earliest(in_time))
    if looked_at < attempt.doubt_at + settle_seconds:
        at = next_look(now=looked_at, doubt_at=attempt.doubt_at, settle_seconds=settle_seconds)
        return LookAgain(at=at)
    suspects = [record for record in unclaimed if record.created_at >= opened - UNTRUSTED_SECONDS]
    if suspects and _untrusted(attempt):
        return Undecidable(
            message=f"Twilio's records hold {_earliest(suspects).sid}, which is older than this attempt "
            "unless the clock was wrong when it was made"
        )
    return Absent()


def _opened(attempt: Attempt, clock_offset: float | None) -> float:
    """When the attempt was opened, by Twilio's clock."""
    offset = attempt.clock_offset if attempt.clock_offset is not None else clock_offset
    return attempt.opened_at + (offset or 0.0)


def _untrusted(attempt: Attempt) -> bool:
    # Within one process our clock only runs forward, so today's offset holds for the attempt too. A process
    # that is gone may have had another clock (a machine without a battery clock, before it found the time).
    return attempt.cut_off and attempt.clock_offset is None


def _could_be(record: Record, notification: Notification) -> bool:
    return (
        record.phone_number == notification.recipient.phone_number
        # A messaging service chooses the number later: the field is empty at first.
        and record.sender_number in {None, "", notification.sender_number}
        and _content_could_be(record, notification)
    )


def _content_could_be(record: Record, notification: Notification) -> bool:
    if notification.channel is Channel.CALL or not isinstance(notification.content, Text):
        return True  # the record of a call does not say what was played
    if record.body is None:
        return False
    return record.body.removeprefix(TRIAL_PREFIX).strip() == notification.content.body.strip()


def _earliest(records: Iterable[Record]) -> Record:
    return min(records, key=lambda record: record.created_at)
