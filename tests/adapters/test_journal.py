"""The conformance suite of the port Journal: every adapter passes it unchanged, or is no journal.

It uses the port alone. An adapter is a parameter of `a_store`: what can be opened, and opened again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.factories import (
    START,
    a_failure,
    a_mark,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.duplicates import MOST_OF_ONE
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.model import Channel, Priority, Text, VoiceLocation
from twilio_notifications.ports import Agenda, Doubt, Journal, Origin, Recording, Recovery

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.ports import Claimed, Doubtful, NewRequest, Step

A, B, C, D = (f"+1234500000{n}" for n in range(1, 5))

OpenJournal = Callable[..., AbstractAsyncContextManager[Journal]]
"""Opens the journal; the same one each time, where the adapter keeps one. Arguments: its settings."""

LASTING = ["sqlite file"]
"""Adapters whose journal can be closed and opened again."""
EVERY = ["sqlite memory", *LASTING]


@pytest.fixture(params=EVERY)
def a_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store(request.param, tmp_path)


@pytest.fixture(params=LASTING)
def a_lasting_store(request: pytest.FixtureRequest, tmp_path: Path) -> OpenJournal:
    return store(request.param, tmp_path)


def store(adapter: str, tmp_path: Path) -> OpenJournal:
    path = {"sqlite memory": None, "sqlite file": tmp_path / "journal.db"}[adapter]

    def opened(**settings: Any) -> AbstractAsyncContextManager[Journal]:
        journal = SqliteJournal(path, events=RecordingEvents(), **settings)
        return cast("AbstractAsyncContextManager[Journal]", journal)

    return opened


# Words of these tests. Requests are numbered from 1 in the order of their acceptance.


async def accept(journal: Journal, *phone_numbers: str, **arguments: Any) -> None:
    for phone_number in phone_numbers:
        assert Recording.NEW == await journal.record(a_request(phone_number, **arguments))


async def due(journal: Journal, *, at: float = START, limit: int = 100) -> list[int]:
    return [request.id for request in await journal.claim(due_before=at, limit=limit)]


async def begin(journal: Journal, *ids: int, at: float = START) -> None:
    await journal.open_attempts(ids, at=at, clock_offset=None)


async def end(journal: Journal, *steps: Step) -> None:
    for step in steps:
        await journal.apply(step)


async def waiting(journal: Journal) -> list[Claimed]:
    return await journal.overdue(now=float("inf"), limit=100)


async def in_doubt(journal: Journal, *, at: float = START + 1e6) -> list[Doubtful]:
    return await journal.doubtful(now=at, limit=100)


async def outbox(journal: Journal, *, after: int = 0) -> list[int]:
    return [status.id for status in await journal.unreported(after=after, limit=100)]


def doubt(id_: int, *, at: float = START, settle_at: float = START + 5) -> Doubt:
    return Doubt(id=id_, at=at, settle_at=settle_at, message="Twilio did not answer")


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
        assert Recording.NEW == await journal.record(request)
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
        assert Recording.NEW == await journal.record(a_rejection(request_id=7, status=b"no"))
        assert [] == await due(journal)
        assert [] == await waiting(journal)
        (status,) = await journal.unreported(after=0, limit=10)
    assert (1, b"no") == (status.id, status.status)


async def test_ids_grow_in_the_order_of_acceptance(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        recordings = [journal.record(a_request(A, request_id=str(n))) for n in range(50)]
        await asyncio.gather(*recordings)
        found = {claimed.id: claimed.notification.request_id for claimed in await waiting(journal)}
    assert {n + 1: str(n) for n in range(50)} == found


# Known again: contract, section 5.5


async def test_what_the_broker_marks_as_sent_before_is_repeated(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(7)))
        again = a_request(A, mark=a_mark(7), redelivered=True)
        assert [Recording.REPEATED] * 2 == [await journal.record(again), await journal.record(again)]
        assert [1] == await due(journal)


async def test_a_rejection_is_known_again_too(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_rejection(mark=a_mark(7)))
        assert Recording.REPEATED == await journal.record(a_rejection(mark=a_mark(7), redelivered=True))
        assert [1] == await outbox(journal)


async def test_it_is_known_again_after_a_restart_and_when_it_was_reported(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await journal.record(a_rejection(mark=a_mark(7)))
        await journal.report([1], at=START)
    async with a_lasting_store() as journal:
        assert Recording.REPEATED == await journal.record(a_rejection(mark=a_mark(7), redelivered=True))


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
        await journal.record(a_request(A, mark=a_mark(7)))
        assert Recording.NEW == await journal.record(anew)


async def test_an_identifier_that_was_used_again_since_is_not_the_old_one(a_store: OpenJournal) -> None:
    """The broker uses it for another packet only after it had the acknowledgement of the first."""
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(7)))
        await journal.record(a_request(A, mark=a_mark(7, digest=b"another payload!")))
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(7), redelivered=True))


async def test_a_new_session_knows_none_of_the_packets_of_the_last_one(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(7)))
        journal.forget_packets()
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(7), redelivered=True))
        assert Recording.REPEATED == await journal.record(a_request(A, mark=a_mark(7), redelivered=True))


async def test_over_the_next_connection_it_is_known_again_under_any_identifier(a_store: OpenJournal) -> None:
    """RabbitMQ and LavinMQ number the packets of a session anew on each connection."""
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(7)))
        journal.connection_ended()
        again = a_request(A, mark=a_mark(1), redelivered=True)
        assert [Recording.REPEATED] * 2 == [await journal.record(again), await journal.record(again)]
        assert [1] == await due(journal)


async def test_after_a_restart_it_is_known_again_under_any_identifier(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await journal.record(a_rejection(mark=a_mark(7)))
        await journal.report([1], at=START)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        assert Recording.REPEATED == await journal.record(a_rejection(mark=a_mark(1), redelivered=True))


async def test_each_recorded_request_accounts_for_one_repetition_over_a_connection(
    a_store: OpenJournal,
) -> None:
    """Equal requests are common, and a broker may repeat each of them."""
    async with a_store() as journal:
        for packet_id in (1, 2, 3):
            await journal.record(a_request(A, mark=a_mark(packet_id)))
        for _ in range(2):
            journal.connection_ended()
            recorded = [
                await journal.record(a_request(A, mark=a_mark(packet_id), redelivered=True))
                for packet_id in (3, 4, 5)
            ]
            assert [Recording.REPEATED] * 3 == recorded
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(6), redelivered=True))


async def test_what_is_published_anew_over_the_next_connection_is_new(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(1)))
        journal.connection_ended()
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(1)))
        assert Recording.REPEATED == await journal.record(a_request(A, mark=a_mark(2), redelivered=True))


async def test_an_identifier_that_was_used_again_proves_the_acknowledgement(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_request(A, mark=a_mark(7)))
        await journal.record(a_request(A, mark=a_mark(7, digest=b"another payload!")))
        journal.connection_ended()
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(8), redelivered=True))


async def test_an_acknowledgement_that_its_connection_has_outlived_has_arrived(a_store: OpenJournal) -> None:
    """An alarm that is repeated every hour, byte by byte, may be on its way when the connection breaks."""
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await journal.record(a_request(A, mark=a_mark(1)))
        now[0] = 61.0
        journal.connection_ended()
        assert Recording.NEW == await journal.record(a_request(A, mark=a_mark(2), redelivered=True))


async def test_without_a_connection_time_proves_nothing(a_store: OpenJournal) -> None:
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await journal.record(a_request(A, mark=a_mark(1)))
        now[0] = 59.0
        journal.connection_ended()
        now[0] = 9999.0
        await journal.purge(finished_before=START, limit=1)
        assert Recording.REPEATED == await journal.record(a_request(A, mark=a_mark(2), redelivered=True))


async def test_a_repetition_has_to_be_outlived_too(a_store: OpenJournal) -> None:
    now = [0.0]
    async with a_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await journal.record(a_request(A, mark=a_mark(1)))
        journal.connection_ended()
        await journal.record(a_request(B, mark=a_mark(1, digest=b"another payload!")))
        now[0] = 59.0
        again = a_request(A, mark=a_mark(2), redelivered=True)
        assert Recording.REPEATED == await journal.record(again)
        now[0] = 61.0
        journal.connection_ended()
        assert Recording.REPEATED == await journal.record(again)


async def test_what_has_arrived_is_remembered_after_a_crash(a_lasting_store: OpenJournal) -> None:
    """It is written down with whatever is written next, such as a status that was acknowledged."""
    now = [0.0]
    async with a_lasting_store(sure_seconds=60.0, monotonic=lambda: now[0]) as journal:
        await journal.record(a_rejection(mark=a_mark(1)))
        now[0] = 61.0
        await journal.report([1], at=START)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        assert Recording.NEW == await journal.record(a_rejection(mark=a_mark(2), redelivered=True))


# The limit


async def test_a_full_journal_records_no_request_but_every_rejection(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        assert Recording.FULL == await journal.record(a_request(C))
        assert Recording.NEW == await journal.record(a_rejection())
        assert 2 == len(await waiting(journal))


async def test_whatever_is_not_finished_takes_a_place(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        await begin(journal, 1, 2)
        await end(journal, doubt(2))
        assert Recording.FULL == await journal.record(a_request(C))
        await end(journal, a_success(1))
        assert Recording.NEW == await journal.record(a_request(C))
        assert Recording.FULL == await journal.record(a_request(D))


async def test_places_are_counted_anew_after_a_restart(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(maximum_waiting=2) as journal:
        await accept(journal, A, B)
        await journal.record(a_rejection())
    async with a_lasting_store(maximum_waiting=2) as journal:
        assert Recording.FULL == await journal.record(a_request(C))
        await end(journal, a_failure(1))
        assert Recording.NEW == await journal.record(a_request(C))


async def test_a_forbidden_step_leaves_the_count_as_it_was(a_store: OpenJournal) -> None:
    async with a_store(maximum_waiting=1) as journal:
        await accept(journal, A)
        await end(journal, a_failure(1))
        for _ in range(3):
            with pytest.raises(ForbiddenTransition):
                await end(journal, a_failure(1))
        await accept(journal, B)
        assert Recording.FULL == await journal.record(a_request(C))


# Unique ids, where the operator says that they are


async def test_a_request_that_repeats_one_of_a_short_while_ago_is_a_duplicate(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        recorded = [
            await journal.record(a_request(A, request_id="x", accepted_at=START + 59)),
            await journal.record(a_request(A, request_id="y", accepted_at=START + 59)),
            await journal.record(a_request(A, request_id="x", accepted_at=START + 60)),
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
        assert Recording.NEW == await journal.record(other)


async def test_a_duplicate_of_what_is_finished_has_its_status_at_once(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        await end(journal, a_success(1, status=b"the status"))
        await journal.report([1], at=START)
        again = a_request(A, request_id="x", origin=Origin.LOCAL)
        assert Recording.DUPLICATE == await journal.record(again)
        (status,) = await journal.unreported(after=0, limit=9)
        assert (2, b"the status", Origin.LOCAL) == (status.id, status.status, status.origin)
        assert [] == await due(journal)


async def test_duplicates_of_what_waits_are_answered_when_it_ends(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        for origin in (Origin.LOCAL, Origin.IOT_CORE):
            again = a_request(A, request_id="x", origin=origin)
            assert Recording.DUPLICATE == await journal.record(again)
        assert [] == await outbox(journal)
    async with a_lasting_store(deduplicate_seconds=0.0) as journal:
        await begin(journal, 1)
        await end(journal, a_success(1, status=b"the status"))
        statuses = await journal.unreported(after=0, limit=9)
        assert [None, Origin.LOCAL, Origin.IOT_CORE] == [each.origin for each in statuses]
        assert {b"the status"} == {each.status for each in statuses}
        await journal.report([each.id for each in statuses], at=START)
        assert [] == await outbox(journal)


async def test_a_duplicate_that_the_broker_delivers_again_is_answered_once(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await journal.record(a_request(A, request_id="x", mark=a_mark(1)))
        await journal.record(a_request(A, request_id="x", mark=a_mark(2)))
        journal.connection_ended()
        for packet_id in (3, 4):
            again = a_request(A, request_id="x", mark=a_mark(packet_id), redelivered=True)
            assert Recording.REPEATED == await journal.record(again)
        await end(journal, a_failure(1))
        assert [1, 2] == await outbox(journal)


async def test_what_waits_for_one_original_has_a_bound(a_store: OpenJournal) -> None:
    """They are all answered in one transaction."""
    async with a_store(deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id="x")
        recorded = [await journal.record(a_request(A, request_id="x")) for _ in range(MOST_OF_ONE + 1)]
        assert Recording.FULL == recorded.pop()
        assert {Recording.DUPLICATE} == set(recorded)


async def test_duplicates_that_wait_take_a_place(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0, maximum_waiting=2) as journal:
        await accept(journal, A, request_id="x")
        assert Recording.DUPLICATE == await journal.record(a_request(A, request_id="x"))
        assert Recording.FULL == await journal.record(a_request(A, request_id="x"))
        assert Recording.FULL == await journal.record(a_request(B))


async def test_the_id_of_a_rejection_is_free(a_store: OpenJournal) -> None:
    async with a_store(deduplicate_seconds=60.0) as journal:
        await journal.record(a_rejection(request_id="x"))
        assert Recording.NEW == await journal.record(a_request(A, request_id="x"))


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
        unavailable = Reason.TWILIO_UNAVAILABLE
        await end(journal, a_postponement(1, due_at=START + 8, reason=unavailable, counted=True))
        await begin(journal, 1)
        await end(journal, a_postponement(1, due_at=START + 9))
        assert [] == await due(journal, at=START + 8.9)
        (claimed,) = await journal.claim(due_before=START + 9, limit=9)
    assert (START + 9, 1, 1, Reason.RATE_LIMITED) == (
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
        await end(journal, doubt(1), doubt(1, settle_at=START + 9))
        assert [] == await due(journal, at=START + 60)
        await end(journal, a_failure(1, reason=Reason.OUTCOME_UNKNOWN, counted=True))
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


async def test_without_ordering_a_recipient_still_has_one_open_attempt_at_most(a_store: OpenJournal) -> None:
    async with a_store(ordering="none") as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        await accept(journal, A)
        assert [] == await due(journal)
        await end(journal, doubt(1))
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


async def test_an_attempt_in_doubt_is_looked_up_when_its_time_has_come(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, retries=2)
        await journal.open_attempts([1], at=START + 1, clock_offset=-7.5)
        await end(journal, doubt(1, at=START + 3, settle_at=START + 5))
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
        await end(journal, doubt(1), again)
        assert [] == await in_doubt(journal, at=START + 9)
        (found,) = await in_doubt(journal, at=START + 10)
    assert (START, "Twilio did not answer") == (found.doubt_at, found.message)


async def test_doubts_come_in_the_order_of_their_instants_and_a_few_at_a_time(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C)
        await begin(journal, 1, 2, 3)
        await end(journal, *(doubt(id_, settle_at=START + 10 - id_) for id_ in (1, 2, 3)))
        found = await journal.doubtful(now=START + 99, limit=2)
    assert [3, 2] == [each.request.id for each in found]


async def test_doubt_that_is_settled_as_absent_waits_again(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, doubt(1), a_postponement(1, due_at=START + 9, counted=True))
        assert [] == await in_doubt(journal)
        (claimed,) = await journal.claim(due_before=START + 9, limit=9)
    assert (1, 0) == (claimed.attempts, claimed.deferrals)


FORBIDDEN: dict[str, tuple[list[str], Step]] = {
    "finish what is finished": (["open", "finish"], a_success(1)),
    "finish what is reported": (["open", "finish", "report"], a_success(1)),
    "postpone what is finished": (["open", "finish"], a_postponement(1, due_at=START)),
    "postpone what is reported": (["open", "finish", "report"], a_postponement(1, due_at=START)),
    "doubt what waits": ([], doubt(1)),
    "doubt what is finished": (["open", "finish"], doubt(1)),
    "finish nothing": ([], a_success(99)),
    "postpone nothing": ([], a_postponement(99, due_at=START)),
    "doubt nothing": ([], doubt(99)),
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
        before = await _picture(journal)
        with pytest.raises(ForbiddenTransition):
            await journal.apply(step)
        assert before == await _picture(journal)


async def _history(journal: Journal, word: str) -> None:
    steps = {
        "open": lambda: begin(journal, 1),
        "finish": lambda: end(journal, a_success(1)),
        "report": lambda: journal.report([1], at=START),
    }
    await steps[word]()


async def _picture(journal: Journal) -> tuple[Any, ...]:
    return await waiting(journal), await in_doubt(journal), await outbox(journal), await journal.agenda()


@pytest.mark.parametrize("ids", [[1, 1], [1, 2], [3], [1, 99]])
async def test_an_attempt_that_must_not_be_opened_opens_none_of_its_group(
    a_store: OpenJournal, ids: list[int]
) -> None:
    """Twice the same; two of one recipient; one that is open already; one that is not there."""
    async with a_store() as journal:
        await accept(journal, A, A, B)
        await begin(journal, 3)
        with pytest.raises(ForbiddenTransition):
            await begin(journal, *ids)
        assert [1] == await due(journal)


async def test_a_defect_does_not_spoil_what_shares_its_commit(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        recordings = [journal.record(a_request(A)), journal.record(a_request(B))]
        forbidden = asyncio.ensure_future(journal.apply(a_success(99)))
        recordings.append(journal.record(a_request(C)))
        assert [Recording.NEW] * 3 == await asyncio.gather(*recordings)
        with pytest.raises(ForbiddenTransition):
            await forbidden
        assert [1, 2, 3] == await due(journal)


# The outbox


async def test_the_outbox_keeps_the_order_in_which_statuses_were_written(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B)
        await journal.record(a_rejection())
        await begin(journal, 1, 2)
        await end(journal, a_success(2), a_success(1))
        assert [3, 2, 1] == await outbox(journal)
        positions = [row.position for row in await journal.unreported(after=0, limit=9)]
        assert sorted(set(positions)) == positions
        assert [2, 1] == await outbox(journal, after=positions[0])
        assert [3, 2] == [row.id for row in await journal.unreported(after=0, limit=2)]


@pytest.mark.parametrize("origin", [None, *Origin])
async def test_a_status_knows_where_its_request_came_from(
    a_lasting_store: OpenJournal, origin: Origin
) -> None:
    """Over all that lies between: a status goes back there, after a restart too."""
    async with a_lasting_store() as journal:
        await accept(journal, A, origin=origin)
        await journal.record(a_rejection(origin=origin))
        await begin(journal, 1)
    async with a_lasting_store() as journal:
        await journal.recover(now=START)
        await end(journal, a_success(1))
        assert [origin, origin] == [row.origin for row in await journal.unreported(after=0, limit=9)]


async def test_a_reported_status_leaves_the_outbox(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for _ in range(3):
            await journal.record(a_rejection())
        await journal.report([1, 3], at=START)
        assert [2] == await outbox(journal)
        await journal.report([1, 2, 3], at=START + 1)
        assert [] == await outbox(journal)


async def test_reporting_touches_nothing_that_is_not_in_the_outbox(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await journal.report([1, 99], at=START)
        assert [1] == await due(journal)


async def test_positions_go_on_growing_beyond_what_an_earlier_run_left(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await journal.record(a_rejection())
        await journal.record(a_rejection())
        (_, last) = await journal.unreported(after=0, limit=9)
    async with a_lasting_store() as journal:
        await journal.record(a_rejection())
        assert [3] == await outbox(journal, after=last.position)


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
        await journal.record(a_rejection())
        assert Agenda(next_due=None, next_expiry=None, next_settlement=None) == await journal.agenda()


async def test_the_agenda_names_the_first_instant_of_each_kind(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, A, lifetime=100)
        await accept(journal, B, lifetime=90, priority=Priority.LOW)
        await accept(journal, C, lifetime=10)
        await end(journal, a_postponement(1, due_at=START + 30), a_postponement(3, due_at=START + 20))
        await begin(journal, 4)
        await end(journal, doubt(4, settle_at=START + 7))
        found = await journal.agenda()
    # Request 2 is due, but its turn has not come; request 4 is in doubt, so its lifetime bounds nothing now.
    assert Agenda(next_due=START + 20, next_expiry=START + 90, next_settlement=START + 7) == found


# A start after an end, however it came


async def test_an_attempt_left_open_is_in_doubt_and_marked_as_cut_off_by_us(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await accept(journal, A, B, C, C)
        await journal.record(a_rejection())
        await begin(journal, 1, 2, at=START + 1)
        await end(journal, doubt(2))
    async with a_lasting_store() as journal:
        recovery = await journal.recover(now=START + 50)
        found = {each.request.id: each for each in await in_doubt(journal, at=START + 50)}
        assert [3] == await due(journal)
    assert Recovery(waiting=2, in_doubt=2, unreported=1) == recovery
    assert {1: True, 2: False} == {id_: each.cut_off for id_, each in found.items()}
    assert START + 1 == found[1].opened_at


async def test_a_recovery_of_what_ended_well_changes_nothing(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        before = await _picture(journal)
        assert Recovery(waiting=1, in_doubt=0, unreported=0) == await journal.recover(now=START + 1)
        assert before == await _picture(journal)


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
        await journal.record(a_rejection())
        await begin(journal, 3)
        await end(journal, a_postponement(3, due_at=START + 60))
        before = await _picture(journal)
    async with a_lasting_store() as journal:
        assert before == await _picture(journal)
        await accept(journal, C)
        assert 5 in await due(journal)  # an id is never given twice


async def test_what_waits_when_the_journal_is_closed_is_written(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        recordings = [journal.record(a_request(A)) for _ in range(300)]
    assert {Recording.NEW} == set(await asyncio.gather(*recordings))
    async with a_lasting_store() as journal:
        assert 300 == len(await journal.overdue(now=float("inf"), limit=1000))


# The retention


async def test_only_what_was_reported_and_finished_long_ago_is_removed(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C, D)
        await begin(journal, 1, 2, 3)
        await end(journal, a_success(1, at=START + 1), a_success(2, at=START + 5), a_success(3, at=START + 1))
        await journal.report([1, 2], at=START + 6)
        assert 1 == await journal.purge(finished_before=START + 5, limit=10)
        assert 0 == await journal.purge(finished_before=START + 5, limit=10)
        assert [3] == await outbox(journal)
        assert [4] == await due(journal)


async def test_a_purge_takes_the_attempts_with_it(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A)
        await begin(journal, 1)
        await end(journal, a_success(1, sid="SM1"))
        await journal.report([1], at=START)
        await journal.purge(finished_before=START + 1, limit=10)
        assert frozenset() == await journal.known_sids(["SM1"])


async def test_a_purge_removes_at_most_so_many_the_oldest_first(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await accept(journal, A, B, C)
        await begin(journal, 1, 2, 3)
        await end(journal, *(a_success(id_, at=START + 10 - id_, sid=f"SM{id_}") for id_ in (1, 2, 3)))
        await journal.report([1, 2, 3], at=START + 10)
        assert 2 == await journal.purge(finished_before=START + 99, limit=2)
        assert frozenset({"SM1"}) == await journal.known_sids(["SM1", "SM2", "SM3"])


async def test_an_id_is_not_given_again_after_a_purge(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        await journal.record(a_rejection())
        await journal.report([1], at=START)
        assert 1 == await journal.purge(finished_before=START + 1, limit=10)
        await accept(journal, A)
        assert [2] == await due(journal)


async def test_a_clock_that_was_set_back_does_not_prolong_a_doubt(a_store: OpenJournal) -> None:
    """With lists that cannot be read, its recipient would wait until that far day."""
    async with a_store() as journal:
        await journal.record(a_request(accepted_at=START + 1e6, lifetime=60.0))
        await journal.open_attempts([1], at=START + 1e6, clock_offset=None)
        await journal.recover(now=START)
        (doubtful,) = await journal.doubtful(now=START, limit=1)
        assert START + 60.0 == doubtful.request.expires_at


async def test_the_counts_by_state_follow_what_is_committed(tmp_path: Path) -> None:
    """From a record to its report, by every way round; a restart counts the file and agrees."""
    path = tmp_path / "journal.db"

    def counted() -> list[int]:
        return list(journal.by_state().values())

    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        for number in ("+12345000001", "+12345000002", "+12345000003"):
            await journal.record(a_request(number))
        assert [3, 0, 0, 0] == counted()
        first, second, third = await journal.claim(due_before=START, limit=3)
        await journal.open_attempts([first.id, second.id], at=START, clock_offset=None)
        assert [1, 2, 0, 0] == counted()
        doubt = Doubt(id=first.id, at=START, settle_at=START, message="no answer")
        await journal.apply(doubt)
        await journal.apply(doubt)
        assert [1, 1, 1, 0] == counted()
        await journal.apply(a_success(second.id))
        with pytest.raises(ForbiddenTransition):
            await journal.apply(a_success(second.id))
        assert [1, 0, 1, 1] == counted()
        await journal.report([second.id], at=START)
        await journal.apply(a_success(first.id))
        assert [1, 0, 0, 1] == counted()
        await journal.open_attempts([third.id], at=START, clock_offset=None)
    async with SqliteJournal(path, events=RecordingEvents()) as journal:
        assert [0, 1, 0, 1] == counted()
        await journal.recover(now=START)
        assert [0, 0, 1, 1] == counted()


# Statuses that the broker does not take


async def test_suspects_come_apart_by_their_points_then_by_their_size(a_store: OpenJournal) -> None:
    async with a_store() as journal:
        for status in (b"long one", b"short", b"innocent", b"guilty"):
            await journal.record(a_rejection(status=status))
        await journal.suspect({1: 2, 2: 2, 3: 1, 4: 3})
        await journal.suspect({4: 2})
        assert [3] == await outbox(journal)
        suspects = await journal.suspects(limit=9)
        assert [(2, 2), (1, 2), (4, 5)] == [(each.id, each.suspicion) for each in suspects]
        await journal.report([2, 4], at=START)
        assert [1] == [each.id for each in await journal.suspects(limit=9)]


async def test_suspects_and_what_was_too_large_are_known_after_a_restart(
    a_lasting_store: OpenJournal,
) -> None:
    async with a_lasting_store() as journal:
        await journal.record(a_rejection())
        await journal.suspect({1: 2})
        assert await journal.too_large(since=0.0) is None
        await journal.note_too_large(7150, at=START)
    async with a_lasting_store() as journal:
        assert [1] == [each.id for each in await journal.suspects(limit=9)]
        assert 7150 == await journal.too_large(since=START)
        assert await journal.too_large(since=START + 1) is None
