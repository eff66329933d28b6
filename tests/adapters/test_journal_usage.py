"""The conformance suite of the port Usage: what was used is kept with the attempts, over a restart too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.factories import a_request
from tests.support.journals import OpenJournal, begin, due, end, record
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.policy import Charge
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone

if TYPE_CHECKING:
    from twilio_notifications.core.steps import Step
    from twilio_notifications.ports import Journal

AT = 1_000.0
CHARGES = (
    Charge(scope="texts/hour", since=0.0, amount=1, most=100, of_account=True),
    Charge(scope="segments/hour", since=0.0, amount=3, most=100, of_account=True),
    Charge(scope="recipient/SMS/+12345000001", since=0.0, amount=1, most=5),
)
USED = {charge.scope: charge.amount for charge in CHARGES}

ACCEPTED = Finish(id=1, at=AT, status=b"{}", reason=None, outcome=AttemptOutcome.ACCEPTED, sid="SM1")
REFUSED = Finish(id=1, at=AT, status=b"{}", reason=Reason.INVALID_PARAMETER, outcome=AttemptOutcome.REFUSED)
UNSENT = Finish(id=1, at=AT, status=b"{}", reason=Reason.EXPIRED, outcome=AttemptOutcome.UNSENT)
UNKNOWN = Finish(id=1, at=AT, status=b"{}", reason=Reason.OUTCOME_UNKNOWN, outcome=AttemptOutcome.IN_DOUBT)
POSTPONED = Postpone(
    id=1,
    at=AT,
    due_at=AT,
    reason=WaitReason.ACCOUNT_SLOWED,
    message="later",
    outcome=AttemptOutcome.DEFERRED,
)
DOUBT = Doubt(id=1, at=AT, settle_at=AT + 1, message="no answer")


async def used(journal: Journal) -> dict[str, int]:
    tally = await journal.usage(list(USED), since=0.0)
    return {scope: amount for (scope, _), amount in tally.used.items()}


async def an_open_attempt(journal: Journal) -> None:
    await record(journal, a_request())
    await begin(journal, 1, at=AT, charges={1: CHARGES})


@pytest.mark.parametrize(
    ("step", "stays"),
    [
        (ACCEPTED, True),
        (UNKNOWN, True),
        (DOUBT, True),
        (REFUSED, False),
        (UNSENT, False),
        (POSTPONED, False),
    ],
    ids=["accepted", "unknown", "in doubt", "refused", "unsent", "postponed"],
)
async def test_only_what_certainly_sent_nothing_is_paid_back(
    a_store: OpenJournal, step: Step, *, stays: bool
) -> None:
    async with a_store() as journal:
        await an_open_attempt(journal)
        await end(journal, step)
        assert (USED if stays else {}) == await used(journal)


async def test_a_doubt_that_ends_absent_is_paid_back(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await an_open_attempt(journal)
        await end(journal, DOUBT)
        await end(journal, POSTPONED)
        assert {} == await used(journal)


async def test_a_restart_does_not_forget_what_was_used(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await an_open_attempt(journal)
    async with a_lasting_store() as journal:
        assert USED == await used(journal)


async def test_windows_that_matter_no_more_are_purged_and_no_others(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await an_open_attempt(journal)
        await journal.forget_usage(now=AT)
        assert USED == await used(journal)
        await journal.forget_usage(now=AT + 40 * 86_400)
        assert {} == await used(journal)


async def test_what_waits_for_one_reason_is_made_due_and_nothing_else(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for number in range(1, 5):
            await record(journal, a_request(f"+1234500000{number}", accepted_at=AT))
        for number, reason in (
            (1, WaitReason.QUOTA_USED_UP),
            (2, WaitReason.ACCOUNT_SLOWED),
            (3, WaitReason.QUOTA_USED_UP),
        ):
            step = Postpone(id=number, at=AT, due_at=AT + 1000, reason=reason, message="later", outcome=None)
            await end(journal, step)
        assert [4] == await due(journal, at=AT + 10)
        await journal.hasten(WaitReason.QUOTA_USED_UP, now=AT + 10)
        assert [4, 1, 3] == await due(journal, at=AT + 10)
        assert AT + 10 == (await journal.claim(due_before=AT + 10, limit=9))[-1].due_at


async def test_what_is_due_already_keeps_its_place(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request("+12345000001", accepted_at=AT))
        await end(
            journal,
            Postpone(
                id=1, at=AT, due_at=AT + 5, reason=WaitReason.QUOTA_USED_UP, message="later", outcome=None
            ),
        )
        await journal.hasten(WaitReason.QUOTA_USED_UP, now=AT + 10)
        (request,) = await journal.claim(due_before=AT + 10, limit=9)
        assert AT + 5 == request.due_at
