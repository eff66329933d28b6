"""The conformance suite of the port Doubts: attempts whose answer is not known."""

from __future__ import annotations

import pytest

from tests.support.factories import START, a_doubt, a_failure, a_postponement, a_success
from tests.support.journals import A, B, C, OpenJournal, accept, begin, end, in_doubt
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Step


async def test_an_attempt_in_doubt_is_looked_up_when_its_time_has_come(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, retries=2)
        await begin(journal, 1, at=START + 1, clock_offset=-7.5)
        await end(journal, a_doubt(1, at=START + 3, settle_at=START + 5))
        assert [] == await in_doubt(journal, at=START + 4)
        (found,) = await in_doubt(journal, at=START + 5)
        assert (START + 1, START + 3, -7.5) == (found.opened_at, found.doubt_at, found.clock_offset)
        assert (False, "Twilio did not answer") == (found.cut_off, found.message)
        assert (1, 2) == (found.request.id, found.request.notification.retries)


async def test_looking_again_keeps_the_first_doubt(a_store: OpenJournal) -> None:
    again = Doubt(id=1, at=START + 9, settle_at=START + 10, message="not there yet")
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_doubt(1), again)
        assert [] == await in_doubt(journal, at=START + 9)
        (found,) = await in_doubt(journal, at=START + 10)
    assert (START, "Twilio did not answer") == (found.doubt_at, found.message)


async def test_doubts_come_in_the_order_of_their_instants_and_a_few_at_a_time(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C)
        await begin(journal, 1, 2, 3)
        await end(journal, *(a_doubt(id_, settle_at=START + 10 - id_) for id_ in (1, 2, 3)))
        found = await journal.doubtful(now=START + 99, limit=2)
    assert [3, 2] == [each.request.id for each in found]


async def test_doubt_that_is_settled_as_absent_waits_again(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(
            journal,
            a_doubt(1),
            a_postponement(1, due_at=START + 9, counted=True, outcome=AttemptOutcome.FAILED),
        )
        assert [] == await in_doubt(journal)
        (claimed,) = await journal.claim(due_before=START + 9, limit=9)
    assert (1, 0) == (claimed.attempts, claimed.deferrals)


@pytest.mark.parametrize(
    "step",
    [
        a_success(1, attempt=1),
        a_failure(1, outcome=AttemptOutcome.REFUSED, attempt=1),
        a_postponement(1, due_at=START, outcome=AttemptOutcome.DEFERRED, attempt=1),
        a_doubt(1, attempt=1),
    ],
    ids=["success", "failure", "postponement", "doubt"],
)
@pytest.mark.parametrize("settles", [False, True])
async def test_a_step_closes_no_other_attempt_than_its_own(
    a_store: OpenJournal, step: Step, *, settles: bool
) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_postponement(1, due_at=START, outcome=AttemptOutcome.DEFERRED, attempt=1))
        await begin(journal, 1)
        if settles:
            await end(journal, a_doubt(1, attempt=2))
        taken = await journal.take([step], leads=settles)
        assert 1 in taken.failed.keys() | taken.lapsed
        assert all(isinstance(error, ForbiddenTransition) for error in taken.failed.values())
        taken = await journal.take([a_success(1, attempt=2)], leads=settles)
        assert [1] == [status.request for status in taken.written]
