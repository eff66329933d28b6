"""Limits for the account that several connectors use up: together never more than there is, and all of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.adapters.test_journal_membership import LASTING, beat, fall_silent, members
from tests.support.engines import reader_of
from tests.support.factories import START, a_doubt, a_failure, a_postponement, a_request, a_success
from tests.support.journals import begin, end
from twilio_notifications.core.policy import Charge, Limits, Period, Quota, Unit
from twilio_notifications.core.steps import AttemptOutcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgresql import PostgreSql
    from twilio_notifications.ports import Journal

pytestmark = pytest.mark.postgresql

HOUR = START // 3600 * 3600
DAY = START // 86_400 * 86_400


def at_most(most: int, *, amount: int = 1, since: float = HOUR, scope: str = "texts/hour") -> Charge:
    return Charge(scope=scope, since=since, amount=amount, most=most, of_account=True)


@asynccontextmanager
async def sharing(url: str, *, requests: int, **leases: Any) -> AsyncIterator[list[Journal]]:
    """Connectors on one journal, in which so many requests to different recipients wait. No time passes."""
    async with members(url, monotonic=lambda: 0.0, **leases) as connectors:
        arrivals = [a_request(f"+1234500{number:04}") for number in range(1, requests + 1)]
        await connectors[0].record(arrivals)
        yield connectors


async def opened(journal: Journal, *ids: int, charge: Charge) -> list[int]:
    charges = dict.fromkeys(ids, (charge,))
    return await begin(journal, *ids, charges=charges)


async def used(journal: Journal, charge: Charge) -> int:
    return (await journal.usage([charge.scope], since=charge.since)).of(charge)


async def reserved(url: str) -> list[tuple[str, float, int]]:
    """Scope, window, and what is taken ahead of it and not used."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT scope, since, unused FROM reservations ORDER BY 1, 2, 3")
    finally:
        await connection.close()
    return [tuple(row) for row in rows]


async def take_some_ahead(journal: Journal, *, charge: Charge, ids: count[int]) -> int:
    """How many texts it used to have some left."""
    for _ in range(3):
        assert await opened(journal, next(ids), charge=charge)
    return 3


async def test_what_is_taken_ahead_is_not_used_yet(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=3, one=LASTING, two=LASTING) as (one, two):
        charge = at_most(100)
        await take_some_ahead(one, charge=charge, ids=count(1))
        ((_, _, unused),) = await reserved(postgresql_url)
        assert unused > 0
        assert [3, 3] == [await used(journal, charge) for journal in (one, two)]
        quota = Quota(unit=Unit.TEXTS, period=Period.HOUR, most=100)
        (read,) = reader_of(postgresql_url).standing(now=START, limits=Limits(quotas=(quota,))).limits
        assert 3 == read.used


async def test_a_window_of_which_nothing_is_used_is_none(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=3, one=LASTING) as (one,):
        charge, refused = at_most(100), AttemptOutcome.REFUSED
        await take_some_ahead(one, charge=charge, ids=count(1))
        await end(one, *(a_failure(id_, outcome=refused) for id_ in (1, 2, 3)))
        assert {} == (await one.usage([charge.scope], since=HOUR)).used


async def test_what_others_have_taken_ahead_and_do_not_use_is_used(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=30, one=LASTING, two=LASTING) as (one, two):
        charge, ids = at_most(20), count(1)
        total = await take_some_ahead(one, charge=charge, ids=ids)
        while await opened(two, next(ids), charge=charge):
            total += 1
        assert 20 == total == await used(two, charge)
        assert [] == await opened(one, next(ids), charge=charge)
        assert 20 == await used(one, charge)


async def test_a_connector_whose_reservation_was_taken_back_goes_on_with_what_is_left(
    postgresql_url: str,
) -> None:
    async with sharing(postgresql_url, requests=40, one=LASTING, two=LASTING) as (one, two):
        charge, ids = at_most(20), count(1)
        await take_some_ahead(one, charge=charge, ids=ids)
        many = [next(ids) for _ in range(16)]
        assert many == await opened(two, *many, charge=charge)
        last = [next(ids) for _ in range(3)]
        assert last[:1] == await opened(one, *last, charge=charge)
        assert 20 == await used(one, charge)


async def test_a_reservation_that_is_smaller_than_it_was_known_to_be_is_read_again(
    postgresql_url: str,
) -> None:
    async with sharing(postgresql_url, requests=40, one=LASTING, two=LASTING) as (one, two):
        charge, ids = at_most(20), count(1)
        await take_some_ahead(one, charge=charge, ids=ids)
        ((_, _, known),) = await reserved(postgresql_url)
        assert 17 == len(await opened(two, *(next(ids) for _ in range(18)), charge=charge))
        await end(one, a_failure(1, outcome=AttemptOutcome.REFUSED))
        last = [next(ids) for _ in range(known + 1)]
        assert last[:1] == await opened(one, *last, charge=charge)
        assert 20 == await used(one, charge)


async def test_two_connectors_that_race_for_the_last_places_use_all_of_them_and_no_more(
    postgresql_url: str,
) -> None:
    charge = at_most(50)

    async def use_all(journal: Journal, ids: list[int]) -> int:
        total = 0
        while ids and await used(journal, charge) < 50:
            begun = await opened(journal, *ids[:3], charge=charge)
            total += len(begun)
            ids = [id_ for id_ in ids if id_ not in begun]
        return total

    async with sharing(postgresql_url, requests=100, one=LASTING, two=LASTING, three=LASTING) as all_three:
        own = [list(range(first, 101, 3)) for first in (1, 2, 3)]
        totals = await asyncio.gather(*map(use_all, all_three, own))
        assert 50 == sum(totals) == await used(all_three[0], charge)


async def test_what_a_removed_connector_had_reserved_is_free_and_what_it_used_is_not(
    postgresql_url: str,
) -> None:
    async with sharing(postgresql_url, requests=20, one=LASTING, two=LASTING) as (one, two):
        charge, ids = at_most(10), count(1)
        await take_some_ahead(two, charge=charge, ids=ids)
        await fall_silent(two)
        assert ("two",) == (await beat(one)).removed
        assert [] == await reserved(postgresql_url)
        assert 3 == await used(one, charge)
        await beat(two)
        assert [next(ids)] == await opened(two, 4, charge=charge)
        while await opened(one, next(ids), charge=charge):
            pass
        assert 10 == await used(one, charge)


async def test_a_connector_that_leaves_gives_back_what_it_had_reserved(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=5, one=LASTING, two=LASTING) as (one, two):
        await take_some_ahead(two, charge=at_most(10), ids=count(1))
        await two.leave(at=START)
        assert [] == await reserved(postgresql_url)
        assert 3 == await used(one, at_most(10))


async def test_another_window_ends_the_reservation_of_the_one_before(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=5, one=LASTING) as (one,):
        ids = count(1)
        await take_some_ahead(one, charge=at_most(100), ids=ids)
        later = at_most(100, since=HOUR + 3600)
        assert await opened(one, next(ids), charge=later)
        assert [later.since] == [since for _, since, _ in await reserved(postgresql_url)]
        assert [3, 1] == [await used(one, charge) for charge in (at_most(100), later)]


async def test_what_was_refused_after_the_window_had_ended_is_paid_back_to_that_window(
    postgresql_url: str,
) -> None:
    async with sharing(postgresql_url, requests=5, one=LASTING) as (one,):
        ids = count(1)
        await take_some_ahead(one, charge=at_most(100), ids=ids)
        later = at_most(100, since=HOUR + 3600)
        await opened(one, next(ids), charge=later)
        await end(one, a_failure(1, outcome=AttemptOutcome.REFUSED))
        assert [later.since] == [since for _, since, _ in await reserved(postgresql_url)]
        assert [2, 1] == [await used(one, charge) for charge in (at_most(100), later)]


async def test_a_lower_limit_holds_for_what_was_taken_ahead_of_the_higher_one(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=20, one=LASTING, two=LASTING) as (one, two):
        ids = count(1)
        for journal in (one, two):
            await take_some_ahead(journal, charge=at_most(100), ids=ids)
        lower = at_most(7)
        begun = [await opened(journal, next(ids), charge=lower) for journal in (one, two, one, two)]
        assert 1 == sum(map(len, begun))
        assert 7 == await used(one, lower)


async def test_what_a_refused_attempt_pays_back_another_connector_may_use(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=9, one=LASTING, two=LASTING) as (one, two):
        charge = at_most(3)
        assert [1, 2, 3] == await opened(one, 1, 2, 3, charge=charge)
        assert [] == await opened(two, 4, charge=charge)
        await end(one, a_failure(1, outcome=AttemptOutcome.REFUSED))
        assert 2 == await used(two, charge)
        assert [4] == await opened(two, 4, charge=charge)
        assert [] == await opened(one, 5, charge=charge)


async def test_what_is_settled_as_absent_is_paid_back_by_the_leader(postgresql_url: str) -> None:
    async with sharing(postgresql_url, requests=9, one=LASTING, two=LASTING) as (one, two):
        charge = at_most(3)
        assert [1, 2, 3] == await opened(two, 1, 2, 3, charge=charge)
        await end(two, a_doubt(1))
        later = a_postponement(1, due_at=START + 9, outcome=AttemptOutcome.DEFERRED)
        assert not (await one.take([later], leads=True)).failed
        assert 2 == await used(one, charge)
        assert [4, 5][:1] == await opened(two, 4, 5, charge=charge)


async def test_a_request_that_one_limit_leaves_no_room_charges_no_other(postgresql_url: str) -> None:
    """Neither another limit for the account, nor one of its recipient."""
    async with sharing(postgresql_url, requests=9, one=LASTING, two=LASTING) as (one, two):
        hour, day = at_most(2), at_most(9, since=DAY, scope="texts/day")
        recipient = Charge(scope="recipient/SMS/+1", since=HOUR, most=9)
        for journal, ids in ((one, (1,)), (two, (2, 3))):
            charges = dict.fromkeys(ids, (hour, day, recipient))
            await begin(journal, *ids, charges=charges)
        assert [2, 2, 2] == [await used(one, charge) for charge in (hour, day, recipient)]


# Whatever connectors do in whatever order.

ACTIONS = st.one_of(
    st.tuples(st.just("open"), st.integers(0, 2), st.integers(1, 4), st.integers(1, 3)),
    st.tuples(st.just("open"), st.integers(0, 2), st.integers(1, 4), st.integers(1, 3)),
    st.tuples(st.just("refuse"), st.integers(0, 2), st.just(0), st.just(0)),
    st.tuples(st.just("accept"), st.integers(0, 2), st.just(0), st.just(0)),
    st.tuples(st.just("lapse"), st.integers(1, 2), st.just(0), st.just(0)),
    st.tuples(st.just("turn over"), st.just(0), st.just(0), st.just(0)),
)


class Account:
    """Three connectors and what they should have used, checked after each action."""

    MOST = 25

    def __init__(self, url: str, connectors: list[Journal]) -> None:
        self.url, self.connectors = url, connectors
        self.ids = count(1)
        self.since = HOUR
        self.used: Counter[float] = Counter()
        self.open: list[dict[int, tuple[float, int]]] = [{}, {}, {}]

    async def do(self, action: str, member: int, requests: int, amount: int) -> None:
        match action:
            case "open":
                await self.attempt(member, requests, amount)
            case "refuse" | "accept" if self.open[member]:
                id_, (since, charged) = self.open[member].popitem()
                if action == "refuse":
                    self.used[since] -= charged
                    await end(self.connectors[member], a_failure(id_, outcome=AttemptOutcome.REFUSED))
                else:
                    await end(self.connectors[member], a_success(id_))
            case "lapse":
                await fall_silent(self.connectors[member])
                await beat(self.connectors[0])
                cast("Any", self.connectors[member])._sharing.lease_seconds = LASTING
                await beat(self.connectors[member])
                self.open[member].clear()
            case "turn over":
                self.since += 3600
            case _:
                pass  # nothing is open that could end
        await self.check()

    async def attempt(self, member: int, requests: int, amount: int) -> int:
        ids = [next(self.ids) for _ in range(requests)]
        charge = at_most(self.MOST, amount=amount, since=self.since)
        left = (self.MOST - self.used[self.since]) // amount
        begun = await opened(self.connectors[member], *ids, charge=charge)
        assert min(left, requests) == len(begun), "all that is left, and no more"
        self.used[self.since] += len(begun) * amount
        self.open[member].update(dict.fromkeys(begun, (self.since, amount)))
        return len(begun)

    async def check(self) -> None:
        connection = await asyncpg.connect(self.url)
        try:
            rows = await connection.fetch("SELECT since, used FROM usage")
            held = await connection.fetch(
                "SELECT since, SUM(unused)::BIGINT FROM reservations GROUP BY since"
            )
        finally:
            await connection.close()
        taken, unused = dict(map(tuple, rows)), dict(map(tuple, held))
        assert max(taken.values(), default=0) <= self.MOST
        found = {since: amount - unused.get(since, 0) for since, amount in taken.items()}
        assert {since: one for since, one in self.used.items() if one} == {
            since: one for since, one in found.items() if one
        }


@given(actions=st.lists(ACTIONS, max_size=25))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_connectors_do_a_limit_is_used_up_and_never_exceeded(
    postgresql: PostgreSql, actions: list[tuple[str, int, int, int]]
) -> None:
    async def play(url: str) -> None:
        async with AsyncExitStack() as stack:
            three = await stack.enter_async_context(
                sharing(url, requests=150, one=LASTING, two=LASTING, three=LASTING)
            )
            account = Account(url, three)
            for action in actions:
                await account.do(*action)

    with postgresql.database() as url:
        asyncio.run(play(url))
