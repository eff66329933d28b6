"""Fills a journal with requests of the past, by the calls that the connector itself makes.

The journal must not be open elsewhere. Each request has a recipient of its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bench.load import MESSAGE, SENDER_NUMBER, phone_number
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.delivery import Change, Delivery, Happened, Happening, LearnedFrom, Who
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import Channel, Notification, Recipient, Text
from twilio_notifications.core.steps import AttemptOutcome, Finish, Follow
from twilio_notifications.ports import Mark, NewRequest, Opening

if TYPE_CHECKING:
    from twilio_notifications.ports import Event, Recorded

JOURNAL = Path("journal", "journal.db")
"""Where the connector has its journal, below the folder of its configuration."""
BATCH = 500
"""Requests that share a transaction."""
PAST_SECONDS = 48 * 3600.0
"""Over so long a time the requests of the past are spread."""
FAILS_EACH = 100
UNDELIVERED_EACH = 50
LIFETIME_SECONDS = 14_400.0


class Silent:
    """Takes the events of a journal that no one watches."""

    def tell(self, event: Event) -> None:
        pass


def a_request(number: int, *, at: float, may_leave: bool) -> NewRequest:
    digest = hashlib.blake2b(str(number).encode(), digest_size=16).digest()
    return NewRequest(
        notification=Notification(
            request_id=f"filled{number}",
            channel=Channel.SMS,
            recipient=Recipient(name="Darla", phone_number=phone_number(number)),
            content=Text(body=MESSAGE),
            sender_number=SENDER_NUMBER,
        ),
        accepted_at=at,
        expires_at=at + LIFETIME_SECONDS,
        mark=Mark(packet_id=number % 65_535 + 1, digest=digest),
        may_leave=may_leave,
    )


def a_success(number: int, recorded: Recorded, *, at: float) -> Finish:
    messages = {"message_status": "queued", "to_number": phone_number(number), "name": "Darla"}
    response = {"status": "success", "payload": {"from_number": SENDER_NUMBER, "messages": messages}}
    return Finish(
        id=recorded.id or 0,
        at=at,
        status=json.dumps({"response": response, "id": f"filled{number}"}).encode(),
        reason=None,
        outcome=AttemptOutcome.ACCEPTED,
        sid=f"SM{hashlib.blake2b(str(number).encode(), digest_size=16).hexdigest()}",
        follow=Follow(word="queued", look_at=at + 5),
    )


async def fill_with_past(path: Path, *, count: int, until: float) -> None:
    """Requests that have ended and are reported, spread over two days; a few failed, or did not arrive."""
    async with _opened(path, count) as journal:
        for numbers in _batches(count):
            await _live(journal, numbers, at=until - PAST_SECONDS * (1 - numbers[0] / count))


def _opened(path: Path, count: int) -> SqliteJournal:
    path.parent.mkdir(parents=True, exist_ok=True)
    return SqliteJournal(path, events=Silent(), maximum_waiting=count + 1, maximum_bytes=100_000_000_000)


def _batches(count: int) -> list[range]:
    return [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]


async def _live(journal: SqliteJournal, numbers: range, *, at: float) -> None:
    opening = Opening(at=at, clock_offset=0.1, places=len(numbers))
    requests = [a_request(number, at=at, may_leave=True) for number in numbers]
    recorded = (await journal.record(requests, opening=opening)).recorded
    steps = [_ended(a_success(n, one, at=at + 0.2), n) for n, one in zip(numbers, recorded, strict=True)]
    taken = await journal.take(steps)
    journal.report([status.position for status in taken.written], at=at + 0.3)
    await journal.change(
        [_delivered(step, n, at=at + 4) for n, step in zip(numbers, steps, strict=True) if step.sid]
    )


def _ended(success: Finish, number: int) -> Finish:
    if number % FAILS_EACH:
        return success
    return replace(
        success,
        reason=Reason.INVALID_PARAMETER,
        outcome=AttemptOutcome.REFUSED,
        message="Twilio error 21211: Invalid 'To' Phone Number",
        code=21211,
        sid=None,
        follow=None,
    )


def _delivered(step: Finish, number: int, *, at: float) -> Change:
    word = "delivered" if number % UNDELIVERED_EACH else "undelivered"
    before = Delivery(channel=Channel.SMS, state="queued", changed_at=step.at)
    return Change(
        request=step.id,
        version=0,
        at=at,
        before=before,
        after=replace(before, state=word, changed_at=at),
        who=Who(sender_number=SENDER_NUMBER, phone_number=phone_number(number), name="Darla"),
        look_at=None,
        happened=Happened(happening=Happening.CHANGED, source=LearnedFrom.POLL, word=word),
        status=None,
    )
