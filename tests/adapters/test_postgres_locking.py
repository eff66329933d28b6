"""Which transactions of connectors on one database are written side by side, and which follow each other."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.factories import SENDER_NUMBER, START, a_failure, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import A, B, C, accept, due
from tests.support.patience import WAIT_SECONDS
from tests.support.side_by_side import held, under_way, waits_for_a_lock
from twilio_notifications.adapters.journal.lanes import (
    NO_LANES,
    Lanes,
    joined,
    of_recipient,
)
from twilio_notifications.adapters.postgres.journal import PostgresJournal
from twilio_notifications.adapters.postgres.locking import locks
from twilio_notifications.core.model import Channel
from twilio_notifications.core.pace import NO_PACES, Rate, SenderRates
from twilio_notifications.core.policy import Charge
from twilio_notifications.core.steps import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.ports import Beat, Journal

pytestmark = pytest.mark.postgresql

OTHER_SENDER = "+12065550177"


@asynccontextmanager
async def two_connectors(
    url: str,
    *,
    paces: Mapping[str, SenderRates] = NO_PACES,
    monotonic: Callable[[], float] = time.monotonic,
) -> AsyncIterator[tuple[Journal, Journal]]:
    """Of which the first one leads; requests for A, B and C wait, with the numbers 1, 2 and 3."""
    async with AsyncExitStack() as stack:
        opened = []
        for name in ("one", "two"):
            one = PostgresJournal(
                url,
                events=RecordingEvents(),
                member=name,
                lease_seconds=600.0,
                report_seconds=0.0,
                paces=paces,
                monotonic=monotonic,
            )
            journal = cast("Journal", await stack.enter_async_context(one))
            await _beat(journal)
            opened.append(journal)
        await accept(opened[0], A, B, C)
        yield opened[0], opened[1]


async def have(journal: Journal, *ids: int) -> None:
    """The connector has claimed these requests."""
    claimed = {request.id for request in await journal.claim(due_before=START, limit=100)}
    assert claimed.issuperset(ids)
    await journal.release(sorted(claimed.difference(ids)))


async def opened(journal: Journal, *ids: int, **charges: Charge) -> list[int]:
    """Opens attempts, each with these charges."""
    of_each = dict.fromkeys(ids, tuple(charges.values()))
    return await journal.open_attempts(ids, at=START, clock_offset=None, charges=of_each)


async def test_texts_to_different_recipients_are_written_side_by_side(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(one, 1)
        await have(two, 2)
        async with under_way(one, lambda: opened(one, 1)):
            assert [2] == await opened(two, 2)
            assert (await two.take([a_success(2)])).written
            assert [3] == [request.id for request in await two.claim(due_before=START, limit=10)]
            await two.release([3])


async def test_texts_to_one_recipient_follow_each_other(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(one, 1)
        async with under_way(one, lambda: opened(one, 1)):
            second = await waits_for_a_lock(postgresql_url, opened(two, 1))
        assert [] == await second


async def test_the_leader_records_while_others_take_steps(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(two, 1)
        await opened(two, 1)
        async with under_way(two, lambda: _take(two, 1)):
            await accept(one, B)
            behind = await waits_for_a_lock(postgresql_url, accept(one, A))
        await behind
        # What was recorded behind the step has its turn, because nothing of its recipient is unfinished.
        assert [2, 3, 5] == await due(one)


async def test_a_recipient_has_its_texts_in_the_order_in_which_they_were_recorded(
    postgresql_url: str,
) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(two, 1)
        await opened(two, 1)
        await accept(one, A, A)
        await two.take([a_success(1)])
        assert 4 in await due(one)
        await have(two, 4)
        assert [4] == await opened(two, 4)


async def test_a_claim_waits_only_where_others_have_all_that_it_finds_in_hand(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        async with under_way(one, lambda: one.claim(due_before=START, limit=2)):
            behind = await waits_for_a_lock(postgresql_url, two.claim(due_before=START, limit=2))
        assert [3] == [request.id for request in await behind]
        await two.release([3])
        await one.release([1, 2])
        async with under_way(one, lambda: one.claim(due_before=START, limit=2)):
            assert [3] == [request.id for request in await two.claim(due_before=START, limit=10)]


async def test_what_is_no_text_has_the_journal_for_itself(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(two, 1, 2)
        async with under_way(two, lambda: opened(two, 1)):
            order = await waits_for_a_lock(postgresql_url, one.recover(now=START))
        await order
        async with under_way(one, lambda: one.recover(now=START)):
            text = await waits_for_a_lock(postgresql_url, opened(two, 2))
        assert [2] == await text


async def test_texts_that_charge_one_limit_for_the_account_are_written_side_by_side(
    postgresql_url: str,
) -> None:
    hourly = Charge(scope="texts/hour", since=START, amount=1, most=1_000, of_account=True)
    async with two_connectors(postgresql_url, monotonic=lambda: 0.0) as (one, two):
        await accept(one, *(f"+1555555{number:04}" for number in range(200, 206)))
        await have(one, 1, 2, 5)
        await have(two, 3, 4, 6)
        for journal, ids in ((one, (1, 2)), (two, (3, 4))):
            for id_ in ids:  # the first one takes no more than it needs
                assert [id_] == await opened(journal, id_, hourly=hourly)
        async with under_way(one, lambda: opened(one, 5, hourly=hourly)):
            assert [6] == await opened(two, 6, hourly=hourly)
            assert 5 == (await two.usage([hourly.scope], since=START)).of(hourly)
            assert (await two.take([a_failure(3, outcome=AttemptOutcome.REFUSED)])).written
        assert 5 == (await two.usage([hourly.scope], since=START)).of(hourly)


async def test_what_is_taken_ahead_of_a_limit_is_taken_by_one_at_a_time(postgresql_url: str) -> None:
    hourly = Charge(scope="texts/hour", since=START, amount=1, most=1, of_account=True)
    daily = replace(hourly, scope="texts/day")
    async with two_connectors(postgresql_url) as (one, two):
        await have(one, 1)
        await have(two, 2, 3)
        async with under_way(one, lambda: opened(one, 1, hourly=hourly)):
            assert [2] == await opened(two, 2, daily=daily)
            same = await waits_for_a_lock(postgresql_url, opened(two, 3, hourly=hourly))
        assert [] == await same


async def test_what_others_have_not_used_is_taken_back_with_the_whole_journal(postgresql_url: str) -> None:
    hourly = Charge(scope="texts/hour", since=START, amount=1, most=9, of_account=True)
    async with two_connectors(postgresql_url, monotonic=lambda: 0.0) as (one, two):
        await accept(one, *(f"+1555555{number:04}" for number in range(200, 210)))
        await have(one, 1, 2, 3)
        await have(two, *range(4, 11))
        for id_ in (1, 2):
            await opened(one, id_, hourly=hourly)
        assert [4, 5, 6, 7, 8] == await opened(two, 4, 5, 6, 7, 8, hourly=hourly)
        async with under_way(one, lambda: opened(one, 3, hourly=hourly)):
            last = await waits_for_a_lock(postgresql_url, opened(two, 9, 10, hourly=hourly))
        assert [9] == await last
        assert 9 == (await one.usage([hourly.scope], since=START)).of(hourly)


async def test_calls_that_use_up_together_what_is_reserved_take_more_with_the_whole_journal(
    postgresql_url: str,
) -> None:
    """Each of them was known to have enough before they shared a transaction."""
    hourly = Charge(scope="texts/hour", since=START, amount=1, most=1_000, of_account=True)
    async with two_connectors(postgresql_url, monotonic=lambda: 0.0) as (one, two):
        await accept(one, *(f"+1555555{number:04}" for number in range(200, 206)))
        await have(one, 3)
        await have(two, 1, 2, *range(4, 8))
        for id_ in (1, 2):
            await opened(two, id_, hourly=hourly)
        async with under_way(one, lambda: opened(one, 3)):
            async with held(two):
                calls = asyncio.gather(opened(two, 4, 5, hourly=hourly), opened(two, 6, 7, hourly=hourly))
                await asyncio.sleep(0)  # both are handed to the writer
            both = await waits_for_a_lock(postgresql_url, calls)
        assert [[4, 5], [6, 7]] == await both


async def test_what_a_transaction_took_ahead_that_was_rolled_back_is_not_believed_to_be_there(
    postgresql_url: str,
) -> None:
    def fail(_connection: Connection) -> None:
        raise ArithmeticError

    hourly = Charge(scope="texts/hour", since=START, amount=1, most=1_000, of_account=True)
    async with AsyncExitStack() as stack:
        one, two = await stack.enter_async_context(two_connectors(postgresql_url, monotonic=lambda: 0.0))
        await have(one, 1)
        await have(two, 2, 3)
        await opened(two, 2, hourly=hourly)  # the first one takes no more than it needs
        await stack.enter_async_context(under_way(one, lambda: opened(one, 1)))
        async with held(two):
            text = asyncio.ensure_future(opened(two, 3, hourly=hourly))
            await asyncio.sleep(0)  # it is handed to the writer before what fails
            failing = cast("Any", two)._store.writer.submit(fail, lanes=NO_LANES)
        async with asyncio.timeout(WAIT_SECONDS):
            assert [3] == await text
            with pytest.raises(ArithmeticError):
                await failing


async def test_a_limit_of_one_recipient_is_no_lane_of_its_own(postgresql_url: str) -> None:
    own = [Charge(scope=f"recipient/{number}", since=START, amount=1, most=1) for number in (A, B)]
    async with two_connectors(postgresql_url) as (one, two):
        await have(one, 1)
        await have(two, 2)
        async with under_way(one, lambda: opened(one, 1, own=own[0])):
            assert [2] == await opened(two, 2, own=own[1])
        await one.take([a_failure(1, outcome=AttemptOutcome.ACCEPTED)])
        await accept(one, A)
        await have(two, 4)
        assert [] == await opened(two, 4, own=own[0])


async def test_one_paced_sender_is_used_by_one_at_a_time(postgresql_url: str) -> None:
    slow = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
    async with two_connectors(postgresql_url, paces={SENDER_NUMBER: slow, OTHER_SENDER: slow}) as (one, two):
        await accept(one, "+15555550104", sender_number=OTHER_SENDER)
        await have(one, 1, 3)
        await have(two, 2, 4)
        async with under_way(one, lambda: opened(one, 1)):
            same = await waits_for_a_lock(postgresql_url, opened(two, 2))
        await same
        async with under_way(one, lambda: opened(one, 3)):
            await opened(two, 4)


async def test_shares_are_divided_by_one_at_a_time(postgresql_url: str) -> None:
    async with two_connectors(postgresql_url) as (one, two):
        await have(two, 2)
        async with under_way(one, lambda: _beat(one)):
            assert [2] == await opened(two, 2)
            other = await waits_for_a_lock(postgresql_url, _beat(two))
        assert 10 == (await other).share + (await _beat(one)).share


async def _beat(journal: Journal) -> Beat:
    return await journal.beat(places=10, in_use=0, at=START)


async def _take(journal: Journal, id_: int) -> Any:
    return await journal.take([a_success(id_)])


def test_lanes_of_a_group_are_those_of_its_parts() -> None:
    one, other = Lanes(names=frozenset({"a"})), Lanes(requests=frozenset({1}), of_senders=True)
    assert Lanes(names=frozenset({"a"}), requests=frozenset({1}), of_senders=True) == joined([one, other])
    assert joined([one, None]) is None
    assert NO_LANES == joined([])


def test_no_text_from_outside_is_a_part_of_a_command() -> None:
    hostile = of_recipient(Channel.SMS, "'; DROP TABLE requests; --")
    assert "DROP" not in locks(Lanes(names=frozenset({hostile})))
