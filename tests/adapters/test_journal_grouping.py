"""Connectors that take requests in together: what the broker repeats, and what it hands over."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.factories import START, a_mark, a_rejection, a_request
from tests.support.fakes import RecordingEvents
from tests.support.journals import A, B, record
from tests.support.side_by_side import under_way, waits_for_a_lock
from twilio_notifications.adapters.journal.grouping import Group
from twilio_notifications.adapters.postgres.journal import PostgresJournal
from twilio_notifications.core.errors import LeaseEnded
from twilio_notifications.ports import Recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.journals import OpenJournal
    from twilio_notifications.ports import Journal, NewRequest

LASTING, ENDED = 600.0, 0.0
"""Leases in seconds, as in test_journal_membership.py."""
WEEK = 604_800.0

postgresql = pytest.mark.postgresql


def a_group(client: str = "one", *, handing_over: float = 600.0, lease: float = LASTING) -> Group:
    return Group(client=client, handing_over_seconds=handing_over, session_seconds=WEEK, lease_seconds=lease)


def delivered(packet_id: int = 7, *, again: bool = False, phone_number: str = A) -> NewRequest:
    """The same request each time."""
    return a_request(phone_number, mark=a_mark(packet_id), redelivered=again)


async def beat(journal: Journal, *, times: int = 1) -> None:
    for _ in range(times):
        await journal.beat(places=10, in_use=0, at=START)


@asynccontextmanager
async def group(
    url: str, *clients: str, monotonic: Any = lambda: 0.0, **settings: float
) -> AsyncIterator[list[Journal]]:
    """Connectors of one group; the first one leads."""
    async with AsyncExitStack() as stack:
        opened = []
        for client in clients:
            one = PostgresJournal(
                url,
                events=RecordingEvents(),
                member=client,
                lease_seconds=LASTING,
                report_seconds=0.0,
                monotonic=monotonic,
                group=a_group(client, **settings),
            )
            journal = cast("Journal", await stack.enter_async_context(one))
            await beat(journal)
            opened.append(journal)
        yield opened


async def die(journal: Journal, *others: Journal) -> None:
    """Its lease is over, and the others see that."""
    cast("Any", journal)._sharing.lease_seconds = ENDED
    await beat(journal)
    for other in others:
        await beat(other, times=2)


# One connector of a group, on either engine.


async def test_what_the_session_of_a_member_repeats_is_no_new_request(a_store: OpenJournal) -> None:
    async with a_store(group=a_group()) as journal:
        await beat(journal)
        assert Recording.NEW == await record(journal, delivered())
        journal.connection_ended()
        assert Recording.REPEATED == await record(journal, delivered(9, again=True))
        assert Recording.REPEATED == await record(journal, delivered(9, again=True))


async def test_a_second_equal_request_is_a_new_one(a_store: OpenJournal) -> None:
    async with a_store(group=a_group()) as journal:
        await beat(journal)
        assert Recording.NEW == await record(journal, delivered(1))
        assert Recording.NEW == await record(journal, delivered(2))
        journal.connection_ended()
        assert Recording.REPEATED == await record(journal, delivered(1, again=True))
        assert Recording.REPEATED == await record(journal, delivered(2, again=True))
        assert Recording.NEW == await record(journal, delivered(3, again=True))


async def test_a_member_knows_what_an_earlier_run_has_recorded(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store(group=a_group()) as journal:
        await beat(journal)
        await record(journal, delivered())
    async with a_lasting_store(group=a_group()) as journal:
        await beat(journal)
        assert Recording.REPEATED == await record(journal, delivered(again=True))


async def test_a_member_knows_what_a_run_before_the_group_has_recorded(a_lasting_store: OpenJournal) -> None:
    async with a_lasting_store() as journal:
        await beat(journal)
        await record(journal, delivered())
    async with a_lasting_store(group=a_group()) as journal:
        await beat(journal)
        assert Recording.REPEATED == await record(journal, delivered(again=True))


async def test_what_a_broker_hands_back_without_a_mark_is_no_new_request(a_store: OpenJournal) -> None:
    """As HiveMQ does, where the connection of a member ends and no other member is there."""
    async with a_store(group=a_group()) as journal:
        await beat(journal)
        await record(journal, delivered())
        journal.connection_ended()
        assert Recording.REPEATED == await record(journal, delivered(1))
        assert Recording.NEW == await record(journal, delivered(2))


async def test_after_a_new_session_a_mark_means_nothing(a_store: OpenJournal) -> None:
    async with a_store(group=a_group(handing_over=0.0)) as journal:
        await beat(journal)
        await record(journal, delivered())
        journal.connection_ended()
        await journal.forget_packets()
        assert Recording.NEW == await record(journal, delivered(again=True))


async def test_what_was_acknowledged_long_ago_is_not_repeated(a_store: OpenJournal) -> None:
    """Two beats after it the request is sent, and sure after no time here."""
    async with a_store(group=a_group(), sure_seconds=0.0) as journal:
        await beat(journal)
        await record(journal, delivered())
        await beat(journal, times=3)
        journal.connection_ended()
        assert Recording.NEW == await record(journal, delivered(again=True))


# Several of them.


@postgresql
async def test_all_members_take_requests_in(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        assert Recording.NEW == await record(one, delivered(phone_number=A))
        assert Recording.NEW == await record(two, a_request(B, mark=a_mark(digest=b"another payload!")))


@postgresql
async def test_a_request_of_a_dead_member_is_taken_for_it_once(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        await die(one, two)
        assert Recording.REPEATED == await record(two, delivered(1))
        assert Recording.NEW == await record(two, delivered(2))


@postgresql
async def test_each_of_two_equal_requests_of_a_dead_member_is_taken_for_it_once(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered(1))
        await record(one, delivered(2))
        await die(one, two)
        became = [await record(two, delivered(packet_id)) for packet_id in (1, 2, 3)]
        assert [Recording.REPEATED, Recording.REPEATED, Recording.NEW] == became


@postgresql
async def test_while_its_member_lives_an_equal_request_is_undecided(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        assert Recording.UNDECIDED == await record(two, delivered(1))
        await beat(one, times=2)
        assert Recording.NEW == await record(two, delivered(1))


@postgresql
async def test_an_undecided_request_is_a_repetition_once_its_member_is_gone(postgresql_url: str) -> None:
    """The broker has seen the end of the member before the others have."""
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        assert Recording.UNDECIDED == await record(two, delivered(1))
        await die(one, two)
        assert Recording.REPEATED == await record(two, delivered(1))


@postgresql
async def test_an_undecided_request_is_a_repetition_once_the_connection_has_ended(
    postgresql_url: str,
) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        assert Recording.UNDECIDED == await record(two, delivered(1))
        one.connection_ended()
        await beat(one)
        assert Recording.REPEATED == await record(two, delivered(1))


@postgresql
async def test_what_its_member_has_surely_acknowledged_is_handed_to_none(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        await beat(one, times=2)
        await die(one, two)
        assert Recording.NEW == await record(two, delivered(1))


@postgresql
async def test_a_request_that_waits_for_a_decision_keeps_later_ones_from_being_sure(
    postgresql_url: str,
) -> None:
    """Acknowledgements leave in the order of arrival."""
    async with group(postgresql_url, "one", "two", "three") as (one, two, three):
        await record(one, delivered())
        assert Recording.UNDECIDED == await record(two, delivered(1))
        later = b"another payload!"
        await record(two, a_request(B, mark=a_mark(2, digest=later)))
        await beat(two, times=3)
        again = a_request(B, mark=a_mark(5, digest=later))
        assert Recording.UNDECIDED == await record(three, again)


@postgresql
async def test_two_that_wait_for_each_other_do_not_wait_without_end(postgresql_url: str) -> None:
    now = [0.0]
    async with group(postgresql_url, "one", "two", monotonic=lambda: now[0]) as (one, two):
        await record(one, delivered())
        assert Recording.UNDECIDED == await record(two, delivered(1))
        now[0] = 2 * LASTING
        assert Recording.NEW == await record(two, delivered(1))


@postgresql
async def test_after_the_limited_time_an_equal_request_is_a_new_one(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two", handing_over=0.0) as (one, two):
        await record(one, delivered())
        await die(one, two)
        assert Recording.NEW == await record(two, delivered(1))


@postgresql
async def test_what_was_handed_over_is_handed_on_when_the_next_member_dies(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two", "three") as (one, two, three):
        await record(one, delivered())
        await die(one, two, three)
        assert Recording.REPEATED == await record(two, delivered(1))
        await die(two, three)
        assert Recording.REPEATED == await record(three, delivered(3))
        assert Recording.NEW == await record(three, delivered(4))


@postgresql
async def test_a_member_that_comes_back_knows_what_was_handed_over(postgresql_url: str) -> None:
    """Mosquitto keeps it for the session, and marks it: then no other member has had it."""
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered())
        await die(one, two)
    async with group(postgresql_url, "one") as (one,):
        assert Recording.REPEATED == await record(one, delivered(again=True))
        assert Recording.NEW == await record(one, delivered(8))


@postgresql
async def test_a_rejection_of_a_dead_member_is_answered_once(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, a_rejection(mark=a_mark(7)))
        await die(one, two)
        assert Recording.REPEATED == await record(two, a_rejection(mark=a_mark(1)))


@postgresql
async def test_of_equal_deliveries_to_two_members_one_waits_for_the_other(postgresql_url: str) -> None:
    async with group(postgresql_url, "one", "two") as (one, two):
        for member in (one, two):  # the first record over a connection has the whole journal
            await record(member, delivered(phone_number=B))
        async with under_way(
            one, lambda: record(one, a_rejection(mark=a_mark(7, digest=b"another payload!")))
        ):
            equal = a_rejection(mark=a_mark(1, digest=b"another payload!"))
            second = await waits_for_a_lock(postgresql_url, record(two, equal))
        assert Recording.UNDECIDED == await second


@postgresql
async def test_a_member_whose_lease_has_ended_records_nothing_over_its_connection(
    postgresql_url: str,
) -> None:
    """The broker may have handed over what it holds; the next connection begins under the next lease."""
    async with group(postgresql_url, "one", "two") as (one, two):
        await record(one, delivered(phone_number=B))
        await die(one, two)
        with pytest.raises(LeaseEnded):
            await record(one, a_request(A))
        await beat(one)
        with pytest.raises(LeaseEnded):
            await record(one, a_request(A))
        one.connection_ended()
        assert Recording.NEW == await record(one, a_request(A, mark=a_mark(3, digest=b"another payload!")))
