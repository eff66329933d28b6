"""An attempt in doubt + Twilio's records → found, absent, look again, or a person must decide.

Twilio has no idempotency key for creating messages and calls; its own lists are the only witness.
Rule 1: absence is proved, by a list that was read after the whole settling time and holds no record that
could be the attempt's: what Twilio rewrote counts as equal, what cannot be distinguished is not sent again.
Rule 2: all instants of records are Twilio's; ours are moved onto Twilio's clock, and where two of its answers
disagree about that clock, the records of both are looked at.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.model import Channel, Text
from twilio_notifications.core.phone_numbers import may_be_one, spellings
from twilio_notifications.core.rewriting import comparable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.core.model import Notification, Record, Records
    from twilio_notifications.core.steps import Doubtful

CLOCK_TOLERANCE_SECONDS = 2.0
"""`Date` and `date_created` have whole seconds: together they can be off by just under two."""

FIRST_PAUSE_SECONDS = 1.0
"""The pause before the first look. Twilio's lists nearly always show a new resource well within it."""

LONGEST_PAUSE_SECONDS = 10.0
"""The longest pause between two looks: the list is small, but the account's rate serves the sending too."""

SHORTEST_PAUSE_SECONDS = 0.01
"""The pause between two looks where there is no settling time: the next look always lies ahead."""

FIRST_PAUSE_SHARE = 0.25
"""The share of a short settling time that the first pause may take."""

DRIFT_SECONDS = 60.0
"""The seconds by which our clock may part from Twilio's between two of its answers: a cheap crystal loses a
second in half a day, and an alarm may be the first request for weeks."""

UNTRUSTED_SECONDS = 86_400.0
"""The seconds by which the clock may be wrong where Twilio's was unknown when the attempt was opened."""

LONGEST_ATTEMPT_SECONDS = 600.0
"""An attempt that our own end cut off is in doubt only since the next start. It was over long before."""


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
    first = min(FIRST_PAUSE_SECONDS, settle_seconds * FIRST_PAUSE_SHARE)
    pause = min(LONGEST_PAUSE_SECONDS, max(now - doubt_at, first, SHORTEST_PAUSE_SECONDS))
    deadline = doubt_at + settle_seconds
    return now + pause if now >= deadline else min(now + pause, deadline)


def since(attempt: Doubtful, *, clock_offset: float | None) -> float:
    """From which instant on, by Twilio's clock, its records matter. `clock_offset` is today's."""
    if clock_offset is None and not (attempt.cut_off and attempt.clock_offset is not None):
        return 0.0  # the answer to this very question is the first to tell Twilio's clock: all of them
    # The answer may tell another offset than the one that is known when the question is asked.
    return _window(attempt, clock_offset).suspect_from - 2 * DRIFT_SECONDS


def is_whole(attempt: Doubtful, *, since: float, clock_offset: float | None) -> bool:
    """Whether records from `since` on are all that matter, by the clock that their own answer tells."""
    return since <= _window(attempt, clock_offset).suspect_from


def candidates(attempt: Doubtful, records: Records) -> tuple[Record, ...]:
    """The records that could be this attempt's by recipient, sender and content; time is not looked at."""
    return tuple(record for record in records.found if _could_be(record, attempt.request.notification))


def strangers(attempt: Doubtful, records: Records) -> tuple[Record, ...]:
    """The records of this sender and recipient whose text is another one; time is not looked at."""
    return tuple(
        record
        for record in records.found
        if may_be_one(record.phone_number, attempt.request.notification.recipient.phone_number)
        and record.sender_number
        and _sender_could_be(record.sender_number, attempt.request.notification)
        and not _content_could_be(record, attempt.request.notification)
    )


def settle(
    attempt: Doubtful,
    records: Records,
    *,
    known_sids: frozenset[str],
    looked_at: float,
    settle_seconds: float,
) -> Settlement:
    """What Twilio's records, asked for at `looked_at`, say about the attempt."""
    unclaimed = [record for record in candidates(attempt, records) if record.sid not in known_sids]
    window = _window(attempt, records.clock_offset)
    in_time = [record for record in unclaimed if window.start <= record.created_at <= window.end]
    if in_time:
        # Several are equal texts of other programs, sent meanwhile; the first is the likeliest to be ours,
        # and whichever it is, the recipient has the message.
        return Found(record=_earliest(in_time))
    if looked_at < attempt.doubt_at + settle_seconds:
        at = next_look(now=looked_at, doubt_at=attempt.doubt_at, settle_seconds=settle_seconds)
        return LookAgain(at=at)
    suspects = [record for record in unclaimed if record.created_at >= window.suspect_from]
    if suspects:
        return Undecidable(
            message=f"Twilio's records hold {_earliest(suspects).sid}, which was made at another time than "
            "this attempt, unless the clock was wrong"
        )
    rewritten = [
        record
        for record in strangers(attempt, records)
        if record.sid not in known_sids
        and window.start <= record.created_at <= window.over + settle_seconds + DRIFT_SECONDS
    ]
    if rewritten:
        return Undecidable(
            message=f"Twilio's records hold {_earliest(rewritten).sid}, which this sender number sent to "
            "this recipient at that time; its text is another one, unless it was changed on the way"
        )
    return Absent()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Window:
    """When, by Twilio's clock, the attempt's record was created: surely, and perhaps."""

    suspect_from: float
    start: float
    end: float
    over: float
    """When the attempt was over, at the latest."""


def _window(attempt: Doubtful, clock_offset: float | None) -> _Window:
    opened_at = attempt.opened_at
    lasted = min(max(attempt.doubt_at - opened_at, 0.0), LONGEST_ATTEMPT_SECONDS)
    end = math.inf
    if attempt.clock_offset is None:
        # A process that is gone may have had another clock (a machine without a battery clock, before it
        # found the time); that it opened the attempt before the doubt was found is certain.
        opened = min(opened_at, attempt.doubt_at) + (clock_offset or 0.0)
        suspect_from, end = opened - UNTRUSTED_SECONDS, opened + UNTRUSTED_SECONDS
    elif attempt.cut_off:
        opened = opened_at + attempt.clock_offset
        suspect_from = opened - DRIFT_SECONDS
    elif clock_offset is not None and abs(clock_offset - attempt.clock_offset) > DRIFT_SECONDS:
        # One of two answers told a wrong clock, or ours stood still (a machine that slept): surely ours is
        # only what was made right then, by the clock of the opening.
        opened = opened_at + attempt.clock_offset
        suspect_from = opened_at + min(clock_offset, attempt.clock_offset) - DRIFT_SECONDS
        end = opened + lasted + DRIFT_SECONDS
    else:
        # Drift since the last answer before the opening shows in today's offset.
        offset = attempt.clock_offset
        opened = opened_at + (offset if clock_offset is None else min(offset, clock_offset))
        suspect_from = opened - CLOCK_TOLERANCE_SECONDS
    start = opened - CLOCK_TOLERANCE_SECONDS
    return _Window(suspect_from=suspect_from, start=start, end=end, over=opened + lasted)


def _could_be(record: Record, notification: Notification) -> bool:
    return (
        may_be_one(record.phone_number, notification.recipient.phone_number)
        and _sender_could_be(record.sender_number, notification)
        and _content_could_be(record, notification)
    )


def _sender_could_be(recorded: str | None, notification: Notification) -> bool:
    requested = notification.sender_number
    if not recorded or requested == notification.messaging_service_sid:
        return True  # a Messaging Service chooses a number of its pool, and the field is empty at first
    if requested.startswith("+"):
        return recorded in spellings(requested)
    # A default number without "+" is sent as it is, and Twilio puts its own country's code before it, in the
    # place of a national prefix. A name is compared without case.
    digits = requested.lstrip("0")
    return recorded.casefold() == requested.casefold() or (digits.isdecimal() and recorded.endswith(digits))


def _content_could_be(record: Record, notification: Notification) -> bool:
    if notification.channel is Channel.CALL or not isinstance(notification.content, Text):
        return True  # the record of a call does not say what was played
    if not record.body:
        return True  # redacted, by the account's settings or by a person: as silent as the record of a call
    return comparable(record.body) == comparable(notification.content.body)


def _earliest(records: Iterable[Record]) -> Record:
    return min(records, key=lambda record: record.created_at)
