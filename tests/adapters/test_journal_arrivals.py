"""The conformance suite of the port Arrivals: every adapter passes it unchanged, or keeps no journal."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.factories import START, a_doubt, a_failure, a_mark, a_rejection, a_request, a_success
from tests.support.fakes import RecordingEvents, stalled
from tests.support.journals import (
    A,
    B,
    C,
    D,
    OpenJournal,
    accept,
    begin,
    due,
    end,
    in_doubt,
    leave,
    outbox,
    record,
    report,
    statuses,
    waiting,
)
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.journal.duplicates import MOST_OF_ONE
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.model import Channel, Priority, Text, VoiceLocation
from twilio_notifications.ports import Opening, Origin, Recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.ports import Arrival, Journal, NewRequest


# Recording


async def test_a_request_comes_back_as_it_was_recorded(a_store: OpenJournal) -> None:
    request = a_request(
        A,
        request_id='quoted " id ☎',
        channel=Channel.CALL,
        name="",
        content=VoiceLocation(url="https://example.com/ä?x=1"),
        retries=3,
        priority=Priority.URGENT,
        lifetime=60.5,
    )
    async with a_store() as journal:
        assert Recording.NEW == await record(journal, request)
        (claimed,) = await journal.claim(due_before=START, limit=1)
    assert request.notification == claimed.notification
    assert (1, START, START + 60.5, START) == (
        claimed.id,
        claimed.accepted_at,
        claimed.expires_at,
        claimed.due_at,
    )
    assert (0, 0, None) == (claimed.attempts, claimed.deferrals, claimed.waiting_reason)


@pytest.mark.parametrize("text", ["", "\0", "'; DROP TABLE requests; --", "👩‍👩‍👧", "x" * 1600, "\ufeff"])
async def test_any_text_can_be_kept(a_store: OpenJournal, text: str) -> None:
    async with a_store() as journal:
        await accept(journal, A, name=text, request_id=text)
        (claimed,) = await waiting(journal)
    assert (text, text) == (claimed.notification.recipient.name, claimed.notification.request_id)


async def test_a_rejection_goes_to_the_outbox_and_is_never_claimed(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        assert Recording.NEW == await record(journal, a_rejection(request_id=7, status=b"no"))
        assert [] == await due(journal)
        assert [] == await waiting(journal)
        (status,) = await journal.unreported(after=0, limit=10)
    assert (1, b"no") == (status.request, status.status)


async def test_ids_grow_in_the_order_of_acceptance(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        recordings = [journal.record([a_request(A, request_id=str(n))]) for n in range(50)]
        await asyncio.gather(*recordings)
        found = {claimed.id: claimed.notification.request_id for claimed in await waiting(journal)}
    assert {n + 1: str(n) for n in range(50)} == found


# Known again: contract, section 5.5


async def test_what_the_broker_marks_as_sent_before_is_repeated(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        again = a_request(A, mark=a_mark(7), redelivered=True)
        assert [Recording.REPEATED] * 2 == [await record(journal, again), await record(journal, again)]
        assert [1] == await due(journal)


async def test_a_rejection_is_known_again_too(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_rejection(mark=a_mark(7)))
        assert Recording.REPEATED == await record(journal, a_rejection(mark=a_mark(7), redelivered=True))
        assert [1] == await outbox(journal)


async def test_it_is_known_again_after_a_restart_and_when_it_was_reported(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await record(journal, a_rejection(mark=a_mark(7)))
        await report(journal, [1], at=START)
    async with a_lasting_store() as journal:
        assert Recording.REPEATED == await record(journal, a_rejection(mark=a_mark(7), redelivered=True))


@pytest.mark.parametrize(
    "anew",
    [
        a_request(A, mark=a_mark(7)),
        a_request(A, mark=a_mark(8), redelivered=True),
        a_request(A, mark=a_mark(7, digest=b"another payload!"), redelivered=True),
        a_request(A, mark=None, redelivered=True),
    ],
    ids=["not marked", "another identifier", "other bytes", "without identifier"],
)
async def test_anything_else_is_new(a_store: OpenJournal, anew: Any) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        assert Recording.NEW == await record(journal, anew)


async def test_an_identifier_that_was_used_again_since_is_not_the_old_one(a_store: OpenJournal) -> None:
    """The broker uses it for another packet only after it had the acknowledgement of the first."""
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        await record(journal, a_request(A, mark=a_mark(7, digest=b"another payload!")))
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(7), redelivered=True))


async def test_a_new_session_knows_none_of_the_packets_of_the_last_one(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        journal.forget_packets()
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(7), redelivered=True))
        assert Recording.REPEATED == await record(journal, a_request(A, mark=a_mark(7), redelivered=True))


async def test_over_the_next_connection_it_is_known_again_under_any_identifier(a_store: OpenJournal) -> None:
    """RabbitMQ and LavinMQ give the packets of a session new numbers on each connection."""
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        journal.connection_ended()
        again = a_request(A, mark=a_mark(1), redelivered=True)
        assert [Recording.REPEATED] * 2 == [await record(journal, again), await record(journal, again)]
        assert [1] == await due(journal)


async def test_after_a_restart_it_is_known_again_under_any_identifier(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await record(journal, a_rejection(mark=a_mark(7)))
        await report(journal, [1], at=START)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        assert Recording.REPEATED == await record(journal, a_rejection(mark=a_mark(1), redelivered=True))


async def test_each_recorded_request_accounts_for_one_repetition_over_a_connection(
    a_store: OpenJournal,
) -> None:
    """Equal requests are common, and a broker may repeat each of them."""
    async with a_store() as journal:
        for packet_id in (1, 2, 3):
            await record(journal, a_request(A, mark=a_mark(packet_id)))
        for _ in range(2):
            journal.connection_ended()
            recorded = [
                await record(journal, a_request(A, mark=a_mark(packet_id), redelivered=True))
                for packet_id in (3, 4, 5)
            ]
            assert [Recording.REPEATED] * 3 == recorded
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(6), redelivered=True))


async def test_what_is_published_anew_over_the_next_connection_is_new(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(1)))
        journal.connection_ended()
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(1)))
        assert Recording.REPEATED == await record(journal, a_request(A, mark=a_mark(2), redelivered=True))


async def test_an_identifier_that_was_used_again_proves_the_acknowledgement(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        await record(journal, a_request(A, mark=a_mark(7, digest=b"another payload!")))
        journal.connection_ended()
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(8), redelivered=True))


async def test_an_acknowledgement_that_its_connection_has_outlived_has_arrived(a_store: OpenJournal) -> None:
    """An alarm that is repeated every hour, byte by byte, may be on its way when the connection breaks."""
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await record(journal, a_request(A, mark=a_mark(1)))
        now[0] = 61.0
        journal.connection_ended()
        assert Recording.NEW == await record(journal, a_request(A, mark=a_mark(2), redelivered=True))


async def test_without_a_connection_time_proves_nothing(a_store: OpenJournal) -> None:
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await record(journal, a_request(A, mark=a_mark(1)))
        now[0] = 59.0
        journal.connection_ended()
        now[0] = 9999.0
        await journal.purge(finished_before=START, limit=1)
        assert Recording.REPEATED == await record(journal, a_request(A, mark=a_mark(2), redelivered=True))


async def test_a_repetition_has_to_be_outlived_too(a_store: OpenJournal) -> None:
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await record(journal, a_request(A, mark=a_mark(1)))
        journal.connection_ended()
        await record(journal, a_request(B, mark=a_mark(1, digest=b"another payload!")))
        now[0] = 59.0
        again = a_request(A, mark=a_mark(2), redelivered=True)
        assert Recording.REPEATED == await record(journal, again)
        now[0] = 61.0
        journal.connection_ended()
        assert Recording.REPEATED == await record(journal, again)


async def test_what_has_arrived_is_remembered_after_a_crash(a_lasting_store: OpenJournal) -> None:
    """It is written down with whatever is written next, such as a status that was acknowledged."""
    now = [0.0]
    async with a_lasting_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await record(journal, a_rejection(mark=a_mark(1)))
        now[0] = 61.0
        await report(journal, [1], at=START)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        assert Recording.NEW == await record(journal, a_rejection(mark=a_mark(2), redelivered=True))


@asynccontextmanager
async def one_transaction(journal: Journal) -> AsyncIterator[None]:
    """The journal writes all calls of the block in one transaction, which a defect then fails."""
    goes_on = threading.Event()
    writer = cast("Any", journal)._store.writer
    writer.submit(lambda _connection: goes_on.wait(WAIT_SECONDS))
    try:
        yield
        failing = writer.submit(lambda connection: connection.execute("SELECT 1 FROM nothing"))
    finally:
        goes_on.set()
    with pytest.raises(Exception, match="nothing"):
        await failing


async def test_the_end_of_a_connection_outlasts_a_transaction_that_fails(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await record(journal, a_request(A, mark=a_mark(7)))
        async with one_transaction(journal):
            journal.connection_ended()
        assert Recording.REPEATED == await record(journal, a_request(A, mark=a_mark(1), redelivered=True))


async def test_what_has_arrived_is_known_after_a_transaction_that_failed(a_store: OpenJournal) -> None:
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await record(journal, a_rejection(mark=a_mark(1)))
        [status] = await statuses(journal)
        now[0] = 61.0
        async with one_transaction(journal):
            reporting = journal.report([status.position], at=START)
        await reporting
        journal.connection_ended()
        assert Recording.NEW == await record(journal, a_rejection(mark=a_mark(2), redelivered=True))


# The limit


async def test_a_full_journal_records_no_request_but_every_rejection(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        assert Recording.FULL == await record(journal, a_request(C))
        assert Recording.NEW == await record(journal, a_rejection())
        assert 2 == len(await waiting(journal))


async def test_whatever_is_not_finished_takes_a_place(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        await begin(journal, 1, 2)
        await end(journal, a_doubt(2))
        assert Recording.FULL == await record(journal, a_request(C))
        await end(journal, a_success(1))
        assert Recording.NEW == await record(journal, a_request(C))
        assert Recording.FULL == await record(journal, a_request(D))


async def test_places_are_counted_anew_after_a_restart(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        await record(journal, a_rejection())
    async with a_lasting_store(maximum_waiting=2) as journal:
        assert Recording.FULL == await record(journal, a_request(C))
        await end(journal, a_failure(1))
        assert Recording.NEW == await record(journal, a_request(C))


async def test_a_forbidden_step_leaves_the_count_as_it_was(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=1) as journal:
        await accept(journal, A)
        await end(journal, a_failure(1))
        for _ in range(3):
            with pytest.raises(ForbiddenTransition):
                await end(journal, a_failure(1))
        await accept(journal, B)
        assert Recording.FULL == await record(journal, a_request(C))


# Unique ids, where the operator says that they are


async def test_a_request_that_repeats_one_of_a_short_while_ago_is_a_duplicate(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        recorded = [
            await record(journal, a_request(A, request_id="x", accepted_at=START + 59)),
            await record(journal, a_request(A, request_id="y", accepted_at=START + 59)),
            await record(journal, a_request(A, request_id="x", accepted_at=START + 60)),
        ]
    assert [Recording.DUPLICATE, Recording.NEW, Recording.NEW] == recorded


@pytest.mark.parametrize(
    "other",
    [
        a_request(B, request_id="x"),
        a_request(A, request_id="x", name="Deputy"),
        a_request(A, request_id="x", content=Text(body="Another alarm")),
        a_request(A, request_id="x", channel=Channel.CALL, content=VoiceLocation(url="https://example.com")),
    ],
    ids=["number", "name", "text", "channel"],
)
async def test_the_id_of_another_request_suppresses_nothing(a_store: OpenJournal, other: NewRequest) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        assert Recording.NEW == await record(journal, other)


async def test_a_duplicate_of_what_is_finished_has_its_status_at_once(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        await end(journal, a_success(1, status=b"the status"))
        await report(journal, [1], at=START)
        again = a_request(A, request_id="x", origin=Origin.LOCAL)
        assert Recording.DUPLICATE == await record(journal, again)
        (status,) = await journal.unreported(after=0, limit=9)
        assert (2, b"the status", Origin.LOCAL) == (status.request, status.status, status.origin)
        assert [] == await due(journal)


async def test_duplicates_of_what_waits_are_answered_when_it_ends(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        for origin in (Origin.LOCAL, Origin.IOT_CORE):
            again = a_request(A, request_id="x", origin=origin)
            assert Recording.DUPLICATE == await record(journal, again)
        assert [] == await outbox(journal)
    async with a_lasting_store(deduplicate_seconds=0.0) as journal:
        await begin(journal, 1)
        await end(journal, a_success(1, status=b"the status"))
        statuses = await journal.unreported(after=0, limit=9)
        assert [None, Origin.LOCAL, Origin.IOT_CORE] == [each.origin for each in statuses]
        assert {b"the status"} == {each.status for each in statuses}
        await report(journal, [each.request for each in statuses], at=START)
        assert [] == await outbox(journal)


async def test_statuses_of_duplicates_keep_to_the_order_of_the_calls(tmp_path: Path) -> None:
    async with SqliteJournal(
        tmp_path / "journal.db", events=RecordingEvents(), deduplicate_seconds=60
    ) as journal:
        await accept(journal, A, request_id="x")
        await accept(journal, B, request_id="y")
        await record(journal, a_request(A, request_id="x"))
        with stalled(journal):
            calls = [journal.take([a_failure(number)]) for number in (1, 2)]
        written = [status for call in calls for status in (await call).written]
        assert [(1, 1), (2, 3), (3, 2)] == [(status.position, status.request) for status in written]


async def test_a_duplicate_that_the_broker_delivers_again_is_answered_once(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await record(journal, a_request(A, request_id="x", mark=a_mark(1)))
        await record(journal, a_request(A, request_id="x", mark=a_mark(2)))
        journal.connection_ended()
        for packet_id in (3, 4):
            again = a_request(A, request_id="x", mark=a_mark(packet_id), redelivered=True)
            assert Recording.REPEATED == await record(journal, again)
        await end(journal, a_failure(1))
        assert [1, 2] == await outbox(journal)


async def test_what_waits_for_one_original_has_a_bound(a_store: OpenJournal) -> None:
    """They are all answered in one transaction."""
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        recorded = [await record(journal, a_request(A, request_id="x")) for _ in range(MOST_OF_ONE + 1)]
        assert Recording.FULL == recorded.pop()
        assert {Recording.DUPLICATE} == set(recorded)


async def test_duplicates_that_wait_take_a_place(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0, maximum_waiting=2) as journal:
        await accept(journal, A, request_id="x")
        assert Recording.DUPLICATE == await record(journal, a_request(A, request_id="x"))
        assert Recording.FULL == await record(journal, a_request(A, request_id="x"))
        assert Recording.FULL == await record(journal, a_request(B))


async def test_the_id_of_a_rejection_is_free(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await record(journal, a_rejection(request_id="x"))
        assert Recording.NEW == await record(journal, a_request(A, request_id="x"))


# Batches, and attempts that are opened with their arrivals


async def test_what_came_together_is_recorded_in_its_order(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        arrivals: list[Arrival] = [
            a_request(A),
            a_rejection(request_id="x", status=b"no"),
            a_request(B),
        ]
        found = await journal.record(arrivals)
        assert [1, 2, 3] == [recorded.id for recorded in found.recorded]
        assert [(2, b"no")] == [(status.request, status.status) for status in found.written]
        assert list(found.written) == await journal.unreported(after=0, limit=9)
        assert [1, 3] == await due(journal)


async def test_what_may_leave_is_open_as_soon_as_it_is_recorded(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        found = await leave(journal, A, B, at=START + 1)
        assert [True, True] == [recorded.opened for recorded in found]
        assert [] == await due(journal, at=START + 9)
        await end(journal, a_doubt(1), a_success(2))
        assert [START + 1] == [each.opened_at for each in await in_doubt(journal)]


async def test_what_may_leave_and_the_rest_wait_for_their_places(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        found = await leave(journal, A, B, C, places=2)
        assert [True, True, False] == [recorded.opened for recorded in found]
        assert [3] == await due(journal)


async def test_without_an_opening_everything_waits(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        (recorded,) = (await journal.record([a_request(A, may_leave=True)])).recorded
        assert not recorded.opened
        assert [1] == await due(journal)


async def test_what_the_policy_does_not_admit_waits(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        opening = Opening(at=START, clock_offset=None, places=9)
        found = await journal.record([a_request(A), a_request(B, may_leave=True)], opening=opening)
        assert [False, True] == [recorded.opened for recorded in found.recorded]


@pytest.mark.parametrize("before", ["in the same call", "open", "in doubt", "waiting"])
async def test_a_recipient_of_whom_something_is_unfinished_waits(a_store: OpenJournal, before: str) -> None:
    """Contract, section 5.4."""
    async with a_store() as journal:
        if before == "in the same call":
            assert [True, False] == [recorded.opened for recorded in await leave(journal, A, A)]
            return
        await accept(journal, A)
        if before != "waiting":
            await begin(journal, 1)
        if before == "in doubt":
            await end(journal, a_doubt(1))
        assert [False, True] == [recorded.opened for recorded in await leave(journal, A, B)]


@pytest.mark.parametrize("before", [True, False], ids=["recovered", "not recovered"])
async def test_a_recipient_whose_attempt_an_earlier_run_left_open_waits(
    a_lasting_store: OpenJournal, *, before: bool
) -> None:
    async with a_lasting_store() as journal:
        await leave(journal, A)
    async with a_lasting_store() as journal:
        if before:
            await journal.recover(now=START)
        assert [False, True] == [recorded.opened for recorded in await leave(journal, A, B)]


async def test_a_recipient_that_is_free_again_may_be_left_for(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await leave(journal, A)
        await end(journal, a_success(1))
        assert [True] == [recorded.opened for recorded in await leave(journal, A)]


async def test_what_ends_in_the_same_transaction_makes_its_place_free(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=1) as journal:
        await leave(journal, A)
        taking = journal.take([a_success(1)])
        assert [True] == [recorded.opened for recorded in await leave(journal, A)]
        assert {} == (await taking).failed


async def test_a_full_journal_records_the_rejection_that_the_request_brings(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=1) as journal:
        answer = a_rejection(status=b"full")
        arrivals = [a_request(A), a_request(B, if_full=answer), a_request(C)]
        found = await journal.record(arrivals)
        kinds = [recorded.recording for recorded in found.recorded]
        assert [Recording.NEW, Recording.FULL, Recording.FULL] == kinds
        assert [1, 2, None] == [recorded.id for recorded in found.recorded]
        assert [(2, b"full")] == [(status.request, status.status) for status in found.written]


async def test_it_is_roomy_until_nine_tenths_are_taken(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=20) as journal:
        assert journal.is_roomy(18)
        assert not journal.is_roomy(19)
        await accept(journal, *[A] * 17)
        for _ in range(5):  # what only waits to be reported takes no place
            await record(journal, a_rejection())
        assert journal.is_roomy(1)
        assert not journal.is_roomy(2)


async def test_a_repetition_that_comes_with_its_original_is_known_again(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        again = a_request(A, mark=a_mark(7), redelivered=True)
        found = await journal.record([a_request(A, mark=a_mark(7)), again])
        assert [Recording.NEW, Recording.REPEATED] == [recorded.recording for recorded in found.recorded]


async def test_a_duplicate_that_comes_with_its_original_is_one(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        found = await journal.record([a_request(A), a_request(A)])
        assert [Recording.NEW, Recording.DUPLICATE] == [recorded.recording for recorded in found.recorded]


async def test_an_arrival_that_fails_by_itself_does_not_spoil_its_call(a_store: OpenJournal) -> None:
    broken = a_request(B, retries=-1)  # which the schema refuses
    async with a_store() as journal:
        calls = [journal.record([a_request(A), broken, a_request(C)]), journal.record([a_request(D)])]
        first, second = await asyncio.gather(*calls)
        kinds = [recorded.recording for recorded in first.recorded]
        assert [Recording.NEW, Recording.FAILED, Recording.NEW] == kinds
        assert first.recorded[1].error is not None
        assert Recording.NEW == second.recorded[0].recording
        assert 3 == len(await due(journal))
