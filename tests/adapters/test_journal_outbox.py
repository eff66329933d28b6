"""The conformance suite of the port Outbox: what the broker has not acknowledged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_rejection, a_success
from tests.support.journals import (
    EVERY,
    LASTING,
    A,
    B,
    OpenJournal,
    accept,
    begin,
    due,
    end,
    outbox,
    record,
    report,
    store,
)
from twilio_notifications.core.lifecycle import State
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=EVERY)
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store(request.param, tmp_path)


@pytest.fixture(params=LASTING)
def a_lasting_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store(request.param, tmp_path)


# The outbox


async def test_the_outbox_keeps_the_order_in_which_statuses_were_written(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
        await record(journal, a_rejection())
        await begin(journal, 1, 2)
        await end(journal, a_success(2), a_success(1))
        assert [3, 2, 1] == await outbox(journal)
        positions = [row.position for row in await journal.unreported(after=0, limit=9)]
        assert sorted(set(positions)) == positions
        assert [2, 1] == await outbox(journal, after=positions[0])
        assert [3, 2] == [row.request for row in await journal.unreported(after=0, limit=2)]


@pytest.mark.parametrize("origin", [None, *Origin])
async def test_a_status_knows_where_its_request_came_from(
    a_lasting_store: OpenJournal, origin: Origin
) -> None:
    """Over all that lies between: a status goes back there, after a restart too."""
    async with a_lasting_store() as journal:
        await accept(journal, A, origin=origin)
        await record(journal, a_rejection(origin=origin))
        await begin(journal, 1)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        await end(journal, a_success(1))
        assert [origin, origin] == [row.origin for row in await journal.unreported(after=0, limit=9)]


async def test_a_reported_status_leaves_the_outbox(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for _ in range(3):
            await record(journal, a_rejection())
        await report(journal, [1, 3], at=START)
        assert [2] == await outbox(journal)
        await report(journal, [1, 2, 3], at=START + 1)
        assert [] == await outbox(journal)


async def test_reporting_touches_nothing_that_is_not_in_the_outbox(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await report(journal, [1, 99], at=START)
        assert [1] == await due(journal)


async def test_positions_go_on_growing_beyond_what_an_earlier_run_left(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await record(journal, a_rejection())
        await record(journal, a_rejection())
        (_, last) = await journal.unreported(after=0, limit=9)
    async with a_lasting_store() as journal:
        await record(journal, a_rejection())
        assert [3] == await outbox(journal, after=last.position)


# Statuses that the broker does not take


async def test_suspects_come_apart_by_their_points_then_by_their_size(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for status in (b"long one", b"short", b"innocent", b"guilty"):
            await record(journal, a_rejection(status=status))
        await journal.suspect({1: 2, 2: 2, 3: 1, 4: 3})
        await journal.suspect({4: 2})
        assert [3] == await outbox(journal)
        suspects = await journal.suspects(limit=9)
        assert [(2, 2), (1, 2), (4, 5)] == [(each.request, each.suspicion) for each in suspects]
        await report(journal, [2, 4], at=START)
        assert [1] == [each.request for each in await journal.suspects(limit=9)]


async def test_suspects_and_what_was_too_large_are_known_after_a_restart(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await record(journal, a_rejection())
        await journal.suspect({1: 2})
        assert await journal.too_large(since=0.0) is None
        await journal.note_too_large(7150, at=START)
    async with a_lasting_store() as journal:
        assert [1] == [each.request for each in await journal.suspects(limit=9)]
        assert 7150 == await journal.too_large(since=START)
        assert await journal.too_large(since=START + 1) is None


# Reports that ride along


async def test_a_report_rides_in_the_next_transaction_of_another_call(a_store: OpenJournal) -> None:
    async with a_store(report_seconds=3600.0) as journal:
        await journal.record([a_rejection(), a_rejection()])
        reported = journal.report([1], at=START)
        assert not reported.done()
        await record(journal, a_rejection())
        await reported
        assert [2, 3] == await outbox(journal)


async def test_a_report_waits_for_another_call_for_a_while_only(a_store: OpenJournal) -> None:
    async with a_store(report_seconds=0.001) as journal:
        await record(journal, a_rejection())
        await journal.report([1], at=START)
        assert [] == await outbox(journal)


async def test_a_flush_writes_what_rides(a_store: OpenJournal) -> None:
    async with a_store(report_seconds=3600.0) as journal:
        await record(journal, a_rejection())
        reported = journal.report([1], at=START)
        await journal.flush()
        assert reported.done()
        assert [] == await outbox(journal)


async def test_a_journal_that_closes_writes_what_rides(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(report_seconds=3600.0) as journal:
        await record(journal, a_rejection())
        reported = journal.report([1], at=START)
    await reported
    async with a_lasting_store() as journal:
        assert [] == await outbox(journal)
        assert 0 == journal.by_state()[State.FINISHED]
