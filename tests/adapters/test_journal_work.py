"""The conformance suite of the port Work: claims, attempts and steps."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import (
    START,
    a_doubt,
    a_failure,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.journals import (
    A,
    B,
    C,
    D,
    OpenJournal,
    accept,
    became,
    begin,
    due,
    end,
    in_doubt,
    leave,
    outbox,
    picture,
    record,
    report,
    waiting,
)
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.model import Channel, Priority, VoiceLocation
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import Agenda, Origin, Recording

if TYPE_CHECKING:
    from twilio_notifications.core.steps import Step
    from twilio_notifications.ports import Journal


# Claiming


async def test_claims_go_by_priority_then_by_age(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for number, priority, accepted_at in (
            (A, Priority.LOW, START),
            (B, Priority.NORMAL, START + 2),
            (C, Priority.NORMAL, START + 1),
            (D, Priority.URGENT, START + 3),
        ):
            await accept(journal, number, priority=priority, accepted_at=accepted_at)
        assert [4, 3, 2, 1] == await due(journal, at=START + 9)
        assert [4, 3] == await due(journal, at=START + 9, limit=2)
        assert [3, 1] == await due(journal, at=START + 1)


async def test_a_claim_changes_nothing(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
        assert [1, 2] == await due(journal) == await due(journal)


async def test_an_urgent_request_that_waits_does_not_hide_others(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, priority=Priority.URGENT)
        await accept(journal, B, priority=Priority.LOW)
        await end(journal, a_postponement(1, due_at=START + 60))
        assert [2] == await due(journal)
        assert [1, 2] == await due(journal, at=START + 60)


async def test_what_was_postponed_is_due_at_its_instant_with_its_history(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        unavailable = WaitReason.RETRY
        await end(journal, a_postponement(1, due_at=START + 8, reason=unavailable, counted=True))
        await begin(journal, 1)
        await end(journal, a_postponement(1, due_at=START + 9))
        assert [] == await due(journal, at=START + 8.9)
        (claimed,) = await journal.claim(due_before=START + 9, limit=9)
    assert (START + 9, 1, 1, WaitReason.ACCOUNT_SLOWED) == (
        claimed.due_at,
        claimed.attempts,
        claimed.deferrals,
        claimed.waiting_reason,
    )


# One open attempt for a recipient, and the order of those who wait: contract, section 5.4


async def test_a_recipients_requests_come_one_by_one_in_the_order_of_acceptance(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A, A)
        for id_ in (1, 2, 3):
            assert [id_] == await due(journal)
            await begin(journal, id_)
            assert [] == await due(journal)
            await end(journal, a_success(id_))
        assert [] == await due(journal)


async def test_a_postponed_request_keeps_its_place(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        await end(journal, a_postponement(1, due_at=START + 60))
        assert [] == await due(journal, at=START + 59)
        assert [1] == await due(journal, at=START + 60)


async def test_a_request_in_doubt_keeps_the_others_of_its_recipient_waiting(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        await end(journal, a_doubt(1), a_doubt(1, settle_at=START + 9))
        assert [] == await due(journal, at=START + 60)
        outcome = AttemptOutcome.IN_DOUBT
        await end(journal, a_failure(1, reason=Reason.OUTCOME_UNKNOWN, counted=True, outcome=outcome))
        assert [2] == await due(journal)


async def test_a_request_that_ends_in_the_queue_leaves_the_turn_where_it_is(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A, A)
        await end(journal, a_failure(2))
        assert [1] == await due(journal)
        await begin(journal, 1)
        await end(journal, a_success(1))
        assert [3] == await due(journal)


async def test_a_request_that_ends_with_the_turn_passes_it_on(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A)
        await end(journal, a_failure(1))
        assert [2] == await due(journal)


async def test_texts_and_calls_have_an_order_each(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A)
        await accept(journal, A, channel=Channel.CALL, content=VoiceLocation(url="https://example.com"))
        assert [1, 3] == await due(journal)


async def test_an_urgent_request_does_not_overtake_its_own_recipient(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, priority=Priority.LOW)
        await accept(journal, A, priority=Priority.URGENT)
        assert [1] == await due(journal)


async def test_without_ordering_whoever_is_due_first_has_the_turn(a_store: OpenJournal) -> None:
    async with a_store(ordering="none") as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        await end(journal, a_postponement(1, due_at=START + 60))
        assert [2] == await due(journal)
        await end(journal, a_postponement(2, due_at=START + 90))
        assert [1] == await due(journal, at=START + 100)
        await accept(journal, A, accepted_at=START + 50)
        assert [3] == await due(journal, at=START + 100)


async def test_without_ordering_what_is_overtaken_after_its_claim_waits_on(a_store: OpenJournal) -> None:
    """The clock was set back in between, so what comes later is due earlier."""
    async with a_store(ordering="none") as journal:
        await accept(journal, A, B)
        assert [1, 2] == [each.id for each in await journal.claim(due_before=START, limit=9)]
        await accept(journal, A, accepted_at=START - 1)
        assert [2] == await journal.open_attempts([1, 2], at=START, clock_offset=None)
        assert [3] == await begin(journal, 3)
        await end(journal, a_success(3))
        assert [1] == await begin(journal, 1)


async def test_without_ordering_a_recipient_still_has_one_open_attempt_at_most(a_store: OpenJournal) -> None:
    async with a_store(ordering="none") as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        await accept(journal, A)
        assert [] == await due(journal)
        await end(journal, a_doubt(1))
        assert [] == await due(journal)


async def test_a_changed_ordering_loses_nobody(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(ordering="none") as journal:
        await accept(journal, A, A, A)
        await end(journal, a_postponement(1, due_at=START + 60))
    async with a_lasting_store(ordering="recipient") as journal:
        for _ in range(3):
            (id_,) = await due(journal, at=START + 99)
            await begin(journal, id_)
            await end(journal, a_success(id_))
        assert [] == await waiting(journal)


# Steps


async def test_a_status_and_the_end_of_its_attempt_are_one_step(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1, sid="SM1", status=b"done"))
        assert [b"done"] == [row.status for row in await journal.unreported(after=0, limit=9)]
        assert frozenset({"SM1"}) == await journal.known_sids(["SM1", "SM2"])
        assert [] == await in_doubt(journal)


FORBIDDEN: dict[str, tuple[list[str], Step]] = {
    "finish what is finished": (["open", "finish"], a_success(1)),
    "finish what is reported": (["open", "finish", "report"], a_success(1)),
    "postpone what is finished": (["open", "finish"], a_postponement(1, due_at=START)),
    "postpone what is reported": (["open", "finish", "report"], a_postponement(1, due_at=START)),
    "doubt what waits": ([], a_doubt(1)),
    "doubt what is finished": (["open", "finish"], a_doubt(1)),
    "finish nothing": ([], a_success(99)),
    "postpone nothing": ([], a_postponement(99, due_at=START)),
    "doubt nothing": ([], a_doubt(99)),
}


@pytest.mark.parametrize("name", FORBIDDEN)
async def test_a_step_that_the_life_cycle_forbids_is_a_defect_and_changes_nothing(
    a_store: OpenJournal, name: str
) -> None:
    history, step = FORBIDDEN[name]
    async with a_store() as journal:
        await accept(journal, A)
        for word in history:
            await _history(journal, word)
        before = await picture(journal)
        with pytest.raises(ForbiddenTransition):
            await end(journal, step)
        assert before == await picture(journal)


async def _history(journal: Journal, word: str) -> None:
    match word:
        case "open":
            await begin(journal, 1)
        case "finish":
            await end(journal, a_success(1))
        case _:
            await report(journal, [1])


@pytest.mark.parametrize("ids", [[1, 1], [1, 2], [3], [1, 99]])
async def test_an_attempt_that_must_not_be_opened_opens_none_of_its_group(
    a_store: OpenJournal, ids: list[int]
) -> None:
    """Twice the same; two of one recipient; one that is open already; one that is not there."""
    async with a_store() as journal:
        await accept(journal, A, A, B)
        await begin(journal, 3)
        if journal.is_shared and ids in ([1, 2], [3]):  # it has no lease of the second and the third one
            assert [1][: len(ids) - 1] == await begin(journal, *ids)
            return
        with pytest.raises(ForbiddenTransition):
            await begin(journal, *ids)
        await journal.release(ids)
        assert [1] == await due(journal)


async def test_a_defect_does_not_spoil_what_shares_its_commit(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        recordings = [journal.record([a_request(A)]), journal.record([a_request(B)])]
        forbidden = asyncio.ensure_future(end(journal, a_success(99)))
        recordings.append(journal.record([a_request(C)]))
        assert [Recording.NEW] * 3 == await became(recordings)
        with pytest.raises(ForbiddenTransition):
            await forbidden
        assert [1, 2, 3] == await due(journal)


# Waiting for instants


async def test_overdue_are_those_whose_lifetime_has_ended_wherever_they_stand(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, lifetime=50)
        await accept(journal, A, lifetime=10)
        await accept(journal, B, lifetime=20)
        await begin(journal, 3)
        assert [] == await journal.overdue(now=START + 9.9, limit=9)
        assert [2] == [request.id for request in await journal.overdue(now=START + 20, limit=9)]
        assert [2, 1] == [request.id for request in await journal.overdue(now=START + 99, limit=9)]
        assert [2] == [request.id for request in await journal.overdue(now=START + 99, limit=1)]


async def test_the_agenda_of_an_empty_journal_is_empty(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_rejection())
        assert Agenda(next_due=None, next_expiry=None, next_settlement=None) == await journal.agenda()


async def test_the_agenda_names_the_first_instant_of_each_kind(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A, lifetime=100)
        await accept(journal, B, lifetime=90, priority=Priority.LOW)
        await accept(journal, C, lifetime=10)
        await end(journal, a_postponement(1, due_at=START + 30), a_postponement(3, due_at=START + 20))
        await begin(journal, 4)
        await end(journal, a_doubt(4, settle_at=START + 7))
        found = await journal.agenda()
    # Request 2 is due, but its turn has not come; request 4 is in doubt, so its lifetime bounds nothing now.
    assert Agenda(next_due=START + 20, next_expiry=START + 90, next_settlement=START + 7) == found


# Batches of steps


async def test_steps_of_one_call_are_taken_together(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await leave(journal, A, B, C)
        steps: list[Step] = [
            a_success(1),
            a_postponement(2, due_at=START + 9, outcome=AttemptOutcome.DEFERRED),
            a_doubt(3),
        ]
        taken = await journal.take(steps)
        assert {} == taken.failed
        assert list(taken.written) == await journal.unreported(after=0, limit=9)
        assert [2] == await due(journal, at=START + 9)
        assert [3] == [each.request.id for each in await in_doubt(journal)]


async def test_a_step_that_fails_by_itself_does_not_spoil_its_call(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await leave(journal, A, B)
        taken = await journal.take([a_success(1), a_success(99), a_success(2)])
        assert {99: ForbiddenTransition} == {id_: type(error) for id_, error in taken.failed.items()}
        assert [1, 2] == [status.request for status in taken.written]
        assert [1, 2] == await outbox(journal)


async def test_the_statuses_of_duplicates_come_with_the_step_that_answers_them(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await journal.record([a_request(A), a_request(A, origin=Origin.LOCAL)])
        await begin(journal, 1)
        taken = await journal.take([a_success(1, status=b"done")])
        assert [(b"done", None), (b"done", Origin.LOCAL)] == [
            (status.status, status.origin) for status in taken.written
        ]
        assert list(taken.written) == await journal.unreported(after=0, limit=9)


async def test_a_status_is_given_back_as_it_will_be_read(a_store: OpenJournal) -> None:
    status = b'{"response":{"status":"success"},"id":"request123"}'
    async with a_store() as journal:
        await accept(journal, A, origin=Origin.IOT_CORE)
        await begin(journal, 1)
        taken = await journal.take([a_success(1, status=status)])
        assert list(taken.written) == await journal.unreported(after=0, limit=9)
        assert (status, Origin.IOT_CORE) == (taken.written[0].status, taken.written[0].origin)
