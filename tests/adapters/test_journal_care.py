"""The conformance suite of the port Care: starts, retention, counts."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_doubt, a_mark, a_postponement, a_rejection, a_request, a_success
from tests.support.fakes import RecordingEvents
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
    outbox,
    picture,
    record,
    recover,
    report,
)
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.steps import Doubt
from twilio_notifications.ports import Recording, Recovery

if TYPE_CHECKING:
    from pathlib import Path


# A start after an end, however it came


async def test_an_attempt_left_open_is_in_doubt_and_marked_as_cut_off_by_us(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await accept(journal, A, B, C, C)
        await record(journal, a_rejection())
        await begin(journal, 1, 2, at=START + 1)
        await end(journal, a_doubt(2))
    async with a_lasting_store() as journal:
        recovery = await journal.recover(now=START + 50)
        found = {each.request.id: each for each in await in_doubt(journal, at=START + 50)}
        assert [3] == await due(journal)
    assert Recovery(waiting=2, in_doubt=2, unreported=1) == recovery
    assert {1: True, 2: False} == {id_: each.cut_off for id_, each in found.items()}
    assert START + 1 == found[1].opened_at


async def test_a_row_that_cannot_be_recovered_makes_no_repetition_a_new_request(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        await accept(journal, B)
        await begin(journal, 2)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TRIGGER spoilt BEFORE UPDATE ON states WHEN NEW.request = 2"
            " BEGIN SELECT RAISE(ABORT, 'a defect'); END"
        )
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        await journal.recover(now=START)
        assert Recording.REPEATED == await record(journal, a_request(A, mark=a_mark(1), redelivered=True))


async def test_a_recovery_of_what_ended_well_changes_nothing(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        before = await picture(journal)
        assert Recovery(waiting=1, in_doubt=0, unreported=0) == await journal.recover(now=START + 1)
        assert before == await picture(journal)


async def test_a_clock_that_was_set_back_between_two_runs_lets_nobody_wait_for_it(
    a_store: OpenJournal,
) -> None:
    """A machine without a battery clock starts in the past until it finds the time."""
    async with a_store() as journal:
        await accept(journal, A, accepted_at=START + 3600, lifetime=100)
        await journal.recover(now=START)
        (claimed,) = await journal.claim(due_before=START, limit=9)
    assert (START, START + 100) == (claimed.accepted_at, claimed.expires_at)


async def test_everything_is_there_after_a_restart(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await accept(journal, A, A, B)
        await record(journal, a_rejection())
        await begin(journal, 3)
        await end(journal, a_postponement(3, due_at=START + 60))
        before = await picture(journal)
    async with a_lasting_store() as journal:
        assert before == await picture(journal)
        await accept(journal, C)
        assert 5 in await due(journal)  # an id is never given twice


async def test_what_waits_when_the_journal_is_closed_is_written(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        recordings = [journal.record([a_request(A)]) for _ in range(300)]
    assert {Recording.NEW} == set(await became(recordings))
    async with a_lasting_store() as journal:
        assert 300 == len(await journal.overdue(now=float("inf"), limit=1000))


# The retention


async def test_only_what_was_reported_and_finished_long_ago_is_removed(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C, D)
        await begin(journal, 1, 2, 3)
        await end(journal, a_success(1, at=START + 1), a_success(2, at=START + 5), a_success(3, at=START + 1))
        await report(journal, [1, 2], at=START + 6)
        assert 1 == await journal.purge(finished_before=START + 5, limit=10)
        assert 0 == await journal.purge(finished_before=START + 5, limit=10)
        assert [3] == await outbox(journal)
        assert [4] == await due(journal)


async def test_a_purge_takes_the_attempts_with_it(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1, sid="SM1"))
        await report(journal, [1], at=START)
        await journal.purge(finished_before=START + 1, limit=10)
        assert frozenset() == await journal.known_sids(["SM1"])


async def test_a_purge_removes_at_most_so_many_the_oldest_first(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C)
        await begin(journal, 1, 2, 3)
        await end(journal, *(a_success(id_, at=START + 10 - id_, sid=f"SM{id_}") for id_ in (1, 2, 3)))
        await report(journal, [1, 2, 3], at=START + 10)
        assert 2 == await journal.purge(finished_before=START + 99, limit=2)
        assert frozenset({"SM1"}) == await journal.known_sids(["SM1", "SM2", "SM3"])


async def test_an_id_is_not_given_again_after_a_purge(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_rejection())
        await report(journal, [1], at=START)
        assert 1 == await journal.purge(finished_before=START + 1, limit=10)
        await accept(journal, A)
        assert [2] == await due(journal)


async def test_a_position_is_not_given_again_after_a_purge_and_a_start(a_lasting_store: OpenJournal) -> None:
    """A status that is noted as reported may never be another one."""
    async with a_lasting_store() as journal:
        await record(journal, a_rejection())
        (first,) = await journal.unreported(after=0, limit=9)
        await report(journal, [1], at=START)
        assert 1 == await journal.purge(finished_before=START + 1, limit=10)
    async with a_lasting_store() as journal:
        await record(journal, a_rejection())
        (second,) = await journal.unreported(after=0, limit=9)
    assert first.position < second.position


async def test_a_position_is_not_given_again_after_a_person_has_purged(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    positions = []
    for _ in range(2):
        async with SqliteJournal(path, events=RecordingEvents()) as journal:
            await record(journal, a_rejection())
            (status,) = await journal.unreported(after=0, limit=9)
            positions.append(status.position)
            await report(journal, [status.request], at=START)
        assert 1 == JournalFile(path).purge(finished_before=START + 1)
    assert positions[0] < positions[1]


async def test_a_clock_that_was_set_back_does_not_prolong_a_doubt(a_store: OpenJournal) -> None:
    """With lists that cannot be read, its recipient would wait until that far day."""
    async with a_store() as journal:
        await record(journal, a_request(accepted_at=START + 1e6, lifetime=60.0))
        await begin(journal, 1, at=START + 1e6)
        await recover(journal)
        (doubtful,) = await journal.doubtful(now=START, limit=1)
        assert START + 60.0 == doubtful.request.expires_at


async def test_the_counts_by_state_follow_what_is_committed(tmp_path: Path) -> None:
    """From a record to its report, by every way round; a restart counts the file and agrees."""
    path = tmp_path / "journal.db"

    def counted() -> list[int]:
        return list(journal.by_state().values())

    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        for number in ("+12345000001", "+12345000002", "+12345000003"):
            await record(journal, a_request(number))
        assert [3, 0, 0, 0] == counted()
        first, second, third = await journal.claim(due_before=START, limit=3)
        await journal.open_attempts([first.id, second.id], at=START, clock_offset=None)
        assert [1, 2, 0, 0] == counted()
        doubt = Doubt(id=first.id, at=START, settle_at=START, message="no answer")
        await end(journal, doubt)
        await end(journal, doubt)
        assert [1, 1, 1, 0] == counted()
        await end(journal, a_success(second.id))
        with pytest.raises(ForbiddenTransition):
            await end(journal, a_success(second.id))
        assert [1, 0, 1, 1] == counted()
        await report(journal, [second.id], at=START)
        await end(journal, a_success(first.id))
        assert [1, 0, 0, 1] == counted()
        await journal.open_attempts([third.id], at=START, clock_offset=None)
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        assert [0, 1, 0, 1] == counted()
        await journal.recover(now=START)
        assert [0, 0, 1, 1] == counted()
