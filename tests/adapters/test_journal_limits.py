"""What was used of the operator's limits is kept with the attempts, and outlives a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.factories import a_request
from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.policy import Charge
from twilio_notifications.ports import Doubt, Finish, Postpone

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports import Step

AT = 1_000.0
CHARGES = (
    Charge(scope="texts/hour", since=0.0, amount=1),
    Charge(scope="segments/hour", since=0.0, amount=3),
)

ACCEPTED = Finish(id=1, at=AT, status=b"{}", reason=None, sid="SM1")
REFUSED = Finish(id=1, at=AT, status=b"{}", reason=Reason.INVALID_PARAMETER)
UNKNOWN = Finish(id=1, at=AT, status=b"{}", reason=Reason.OUTCOME_UNKNOWN)
POSTPONED = Postpone(id=1, at=AT, due_at=AT, reason=Reason.RATE_LIMITED, message="later")
DOUBT = Doubt(id=1, at=AT, settle_at=AT + 1, message="no answer")


async def used(journal: SqliteJournal) -> dict[str, int]:
    tally = await journal.usage(["texts/hour", "segments/hour"], since=0.0)
    return {scope: amount for (scope, _), amount in tally.used.items()}


async def an_open_attempt(journal: SqliteJournal) -> None:
    await journal.record(a_request())
    await journal.open_attempts([1], at=AT, clock_offset=None, charges={1: CHARGES})


@pytest.mark.parametrize(
    ("step", "stays"),
    [(ACCEPTED, True), (UNKNOWN, True), (DOUBT, True), (REFUSED, False), (POSTPONED, False)],
    ids=["accepted", "unknown", "in doubt", "refused", "postponed"],
)
async def test_only_what_certainly_sent_nothing_is_paid_back(step: Step, *, stays: bool) -> None:
    async with SqliteJournal(None, events=RecordingEvents()) as journal:
        await an_open_attempt(journal)
        await journal.apply(step)
        assert ({"texts/hour": 1, "segments/hour": 3} if stays else {}) == await used(journal)


async def test_a_doubt_that_ends_absent_is_paid_back() -> None:
    async with SqliteJournal(None, events=RecordingEvents()) as journal:
        await an_open_attempt(journal)
        await journal.apply(DOUBT)
        await journal.apply(POSTPONED)
        assert {} == await used(journal)


async def test_a_restart_does_not_forget_what_was_used(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        await an_open_attempt(journal)
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        assert {"texts/hour": 1, "segments/hour": 3} == await used(journal)


async def test_windows_that_matter_no_more_are_purged_and_no_others() -> None:
    async with SqliteJournal(None, events=RecordingEvents()) as journal:
        await an_open_attempt(journal)
        await journal.forget_usage(now=AT)
        assert {"texts/hour": 1, "segments/hour": 3} == await used(journal)
        await journal.forget_usage(now=AT + 40 * 86_400)
        assert {} == await used(journal)


async def test_what_waits_for_one_reason_is_made_due_and_nothing_else() -> None:
    async with SqliteJournal(None, events=RecordingEvents()) as journal:
        for number in range(1, 5):
            await journal.record(a_request(f"+1234500000{number}", accepted_at=AT))
        for number, reason in (
            (1, Reason.QUOTA_EXCEEDED),
            (2, Reason.RATE_LIMITED),
            (3, Reason.QUOTA_EXCEEDED),
        ):
            step = Postpone(id=number, at=AT, due_at=AT + 1000, reason=reason, message="later")
            await journal.apply(step)
        assert [4] == [request.id for request in await journal.claim(due_before=AT + 10, limit=9)]
        await journal.hasten(Reason.QUOTA_EXCEEDED, now=AT + 10)
        assert [4, 1, 3] == [request.id for request in await journal.claim(due_before=AT + 10, limit=9)]
        assert AT + 10 == (await journal.claim(due_before=AT + 10, limit=9))[-1].due_at


async def test_what_is_due_already_keeps_its_place() -> None:
    async with SqliteJournal(None, events=RecordingEvents()) as journal:
        await journal.record(a_request("+12345000001", accepted_at=AT))
        await journal.apply(
            Postpone(id=1, at=AT, due_at=AT + 5, reason=Reason.QUOTA_EXCEEDED, message="later")
        )
        await journal.hasten(Reason.QUOTA_EXCEEDED, now=AT + 10)
        (request,) = await journal.claim(due_before=AT + 10, limit=9)
        assert AT + 5 == request.due_at
