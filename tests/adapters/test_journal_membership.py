"""Several connectors on one journal: which one leads, which leases last, and what becomes of late answers."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.engines import reader_of
from tests.support.factories import (
    SENDER_NUMBER,
    START,
    a_change,
    a_doubt,
    a_failure,
    a_mark,
    a_postponement,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import (
    A,
    B,
    C,
    D,
    accept,
    begin,
    due,
    in_doubt,
    outbox,
    picture,
    record,
    report,
    statuses,
    store,
)
from tests.support.orders import WRITER
from tests.support.patience import WAIT_SECONDS
from tests.support.reading import of_kind
from tests.support.side_by_side import under_way, waits_for_a_lock
from twilio_notifications.adapters.postgres.journal import PostgresJournal
from twilio_notifications.core.delivery import FollowUpStatus
from twilio_notifications.core.errors import NotLeading, Reason
from twilio_notifications.core.escalation import ChainEnd, EndKind
from twilio_notifications.core.model import Cancellation
from twilio_notifications.core.pace import NO_PACES, Rate, SenderRates
from twilio_notifications.core.policy import Charge, Limits
from twilio_notifications.core.steps import AttemptOutcome, Follow
from twilio_notifications.ports import NewWish, Recording
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord
from twilio_notifications.ports.journal.timeline import AnsweredLate

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.journal import Ordering
    from twilio_notifications.core.steps import Postpone, Step
    from twilio_notifications.ports import Beat, Journal

PACED = {SENDER_NUMBER: SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))}
LASTING, ENDED = 600.0, 0.0
"""Leases in seconds: one that lasts as long as any test, and one that is over when the next beat comes."""

pytestmark = pytest.mark.postgresql


async def beat(journal: Journal, *, places: int = 10, in_use: int = 0) -> Beat:
    return await journal.beat(places=places, in_use=in_use, at=START)


@asynccontextmanager
async def members(
    url: str,
    *,
    paces: Mapping[str, SenderRates] = NO_PACES,
    monotonic: Callable[[], float] = time.monotonic,
    ordering: Ordering = "recipient",
    **leases: float,
) -> AsyncIterator[list[Journal]]:
    """Connectors of these names on one journal, which have joined in this order; the first one leads."""
    async with AsyncExitStack() as stack:
        opened = []
        for name, lease in leases.items():
            one = PostgresJournal(
                url,
                events=RecordingEvents(),
                member=name,
                lease_seconds=lease,
                report_seconds=0.0,
                paces=paces,
                monotonic=monotonic,
                ordering=ordering,
            )
            journal = cast("Journal", await stack.enter_async_context(one))
            await beat(journal)
            opened.append(journal)
        yield opened


async def fall_silent(journal: Journal) -> None:
    """Its lease ends with this beat."""
    cast("Any", journal)._sharing.lease_seconds = ENDED
    await beat(journal)


async def come_back(journal: Journal) -> None:
    """It joins again, after another connector has removed it."""
    cast("Any", journal)._sharing.lease_seconds = LASTING
    assert (await beat(journal)).joined


def absent(attempt: int = 1, **named: Any) -> Postpone:
    """The settler's step where Twilio's records show that nothing was sent."""
    return a_postponement(1, due_at=START, outcome=AttemptOutcome.FAILED, attempt=attempt, **named)


# Leadership.


async def test_the_first_one_leads_and_the_others_know_it(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING, three=LASTING) as (one, two, three):
        beats = [await beat(one), await beat(two), await beat(three)]
        assert [True, False, False] == [each.leads for each in beats]
        assert ["one"] * 3 == [each.leader for each in beats]
        found = await two.members()
        assert [("one", True), ("two", False), ("three", False)] == [
            (each.name, each.leads) for each in found
        ]


async def test_the_next_one_leads_when_the_lease_of_the_leader_has_ended(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await fall_silent(one)
        taken = await beat(two)
        assert (True, ("one",), 1) == (taken.leads, taken.removed, taken.members)
        again = await beat(one)
        assert (False, True, "two") == (again.leads, again.joined, again.leader)


async def test_a_leader_that_leaves_is_followed_at_once(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await one.leave(at=START)
        assert (True, 1) == ((found := await beat(two)).leads, found.members)


async def test_a_leader_whose_lease_has_ended_goes_on_where_no_other_has_taken_over(
    postgresql_url: str,
) -> None:
    """As after a restart of the database that took longer than a lease."""
    async with members(postgresql_url, one=ENDED) as (one,):
        await accept(one, A)
        assert (True, False) == ((found := await beat(one)).leads, found.joined)


async def test_a_clock_of_the_database_that_was_set_back_makes_no_lease_longer(postgresql_url: str) -> None:
    """As after a fail-over to a server whose clock is behind."""
    async with members(postgresql_url, one=LASTING, two=LASTING) as (_, two):
        long_ago = 1_000.0
        sharing = cast("Any", two)._sharing
        sharing.clock = lambda _connection: long_ago
        assert not (await beat(two)).leads
        sharing.clock = lambda _connection: long_ago + LASTING + 1
        assert (True, ("one",)) == ((found := await beat(two)).leads, found.removed)


async def test_a_connector_that_stands_still_within_a_transaction_does_not_hold_up_the_others(
    postgresql_url: str,
) -> None:
    """Its session holds the locks of its transaction, and would keep them while its machine stands still."""
    goes_on, stands_still = threading.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    async with members(postgresql_url, one=0.5, two=LASTING) as (one, two):

        def stand_still(connection: Connection) -> None:
            connection.execute("SELECT token FROM leadership")
            loop.call_soon_threadsafe(stands_still.set)
            goes_on.wait(WAIT_SECONDS)
            connection.execute("SELECT token FROM leadership")

        standing = cast("Any", one)._store.writer.submit(stand_still)
        await stands_still.wait()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while not (await beat(two)).leads:
                    pass
        finally:
            goes_on.set()
        await standing
        assert not (await beat(one)).leads


async def test_they_run_since_the_first_of_them_joined_whoever_leads_now(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        (_, other) = await one.members()
        await one.leave(at=START)
        assert (await beat(two)).leads
        led_later = Fact(name=FactName.CONNECTOR, word=FactWord.RUNNING, about="1", since=other.since + 50)
        await two.keep_facts([led_later], at=START)
        standing = reader_of(postgresql_url).standing(now=time.time(), limits=Limits())
        assert (True, other.since) == (standing.connector.running, standing.connector.started_at)


async def test_only_the_leader_records_reports_and_settles(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        before = await picture(one)
        for refused in (
            two.record([a_request(B)]),
            two.report([1], at=START),
            two.recover(now=START),
            two.purge(finished_before=START, limit=9),
            two.take([a_failure(1)], leads=True),
            two.forget_packets(),
        ):
            with pytest.raises(NotLeading):
                await refused
        assert before == await picture(one)


async def test_a_leader_that_was_followed_records_nothing_more(postgresql_url: str) -> None:
    """It may hold requests that its broker delivers to the next leader once more."""
    async with members(postgresql_url, one=ENDED, two=LASTING) as (one, two):
        assert (await beat(two)).leads
        with pytest.raises(NotLeading):
            await one.record([a_request(A)])
        await two.recover(now=START)
        await accept(two, A)
        assert [1] == await due(two)


async def test_what_a_leader_knew_of_its_broker_is_forgotten_when_it_leads_again(postgresql_url: str) -> None:
    """No other connector has reached the broker since, so it may deliver again what it delivered then."""
    now = [0.0]
    async with members(postgresql_url, monotonic=lambda: now[0], one=LASTING, two=LASTING) as (one, two):
        assert Recording.NEW == await record(one, a_request(A, mark=a_mark(1)))
        await fall_silent(one)
        assert (await beat(two)).leads
        one.connection_ended()
        await two.recover(now=START)
        await two.leave(at=START)
        now[0] = 10_000.0
        assert (await beat(one)).leads
        await one.recover(now=START)
        assert Recording.REPEATED == await record(one, a_request(A, mark=a_mark(2), redelivered=True))


async def test_numbers_go_on_over_leaders_and_senders(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, B)
        await begin(two, 1)
        await two.take([a_success(1)])
        await one.take([a_failure(2)])
        await fall_silent(one)
        assert (await beat(two)).leads
        await two.recover(now=START)
        await accept(two, C)
        await two.take([a_failure(3)])
        assert [(1, 1), (2, 2), (3, 3)] == [
            (status.position, status.request) for status in await two.unreported(after=0, limit=9)
        ]


# Leases.


async def test_two_connectors_never_claim_the_same(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, B, C)
        first = await one.claim(due_before=START, limit=2)
        second = await two.claim(due_before=START, limit=9)
        assert [[1, 2], [3]] == [[each.id for each in claimed] for claimed in (first, second)]
        assert (None, None) == ((await one.agenda()).next_due, (await two.agenda()).next_due)


async def test_what_is_given_back_may_be_claimed_by_another(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await two.release([claimed.id for claimed in await two.claim(due_before=START, limit=9)])
        assert [1] == await due(one)


async def test_what_a_connector_has_claimed_waits_again_when_its_lease_has_ended(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        assert 1 == len(await two.claim(due_before=START, limit=9))
        assert [] == await due(one)
        await beat(one)
        assert [1] == await due(one)
        assert [] == await begin(two, 1)


async def test_a_claim_from_before_a_connector_joined_again_opens_nothing(postgresql_url: str) -> None:
    """Another one may have made an attempt since, of which this one knows nothing."""
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        assert 1 == len(await two.claim(due_before=START, limit=9))
        await beat(one)
        assert [1] == await begin(one, 1)
        await one.take([a_postponement(1, due_at=START, outcome=AttemptOutcome.UNSENT)])
        await come_back(two)
        assert [] == await two.open_attempts([1], at=START, clock_offset=None)
        assert [1] == await begin(two, 1)


async def test_without_ordering_what_loses_its_turn_is_claimed_no_more(postgresql_url: str) -> None:
    """The clock of the machine that takes in may be behind."""
    async with members(postgresql_url, ordering="none", one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        assert 1 == len(await two.claim(due_before=START, limit=9))
        await accept(one, A, accepted_at=START - 1)
        assert [] == await two.open_attempts([1], at=START, clock_offset=None)
        assert [2] == await begin(two, 2)
        assert (await two.take([a_success(2)])).written
        assert [1] == await begin(one, 1)


async def test_a_connector_opens_nothing_that_another_has_claimed_or_opened(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await two.claim(due_before=START, limit=9)
        assert [] == await begin(one, 1)
        assert [1] == await begin(two, 1)
        assert [] == await begin(one, 1)


async def test_an_open_attempt_whose_lease_has_ended_is_in_doubt_and_not_made_again(
    postgresql_url: str,
) -> None:
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        await begin(two, 1, clock_offset=2.5)
        assert [] == await in_doubt(one)
        assert 1 == (await beat(one)).doubts
        (doubtful,) = await in_doubt(one)
        assert (1, True, 2.5) == (doubtful.request.id, doubtful.cut_off, doubtful.clock_offset)
        assert [] == await due(one)


async def test_open_attempts_of_live_connectors_are_left_alone_when_another_one_leads(
    postgresql_url: str,
) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING, three=LASTING) as (one, two, three):
        await accept(one, A, B)
        await begin(two, 1)
        await begin(three, 2)
        await fall_silent(one)
        assert (await beat(two)).leads
        assert 0 == (await two.recover(now=START)).in_doubt
        await two.take([a_success(1)])
        await three.take([a_success(2)])
        assert [1, 2] == await outbox(two)


async def test_two_connectors_never_use_more_of_a_limit_than_there_is(postgresql_url: str) -> None:
    """Both have judged their requests by what was used before."""
    texts = Charge(scope="texts/hour", since=START, most=3)
    segments = Charge(scope="segments/hour", since=START, amount=2, most=5)
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, B, C)
        first = await one.claim(due_before=START, limit=2)
        charges = dict.fromkeys((1, 2, 3), (texts, segments))
        ids = [claimed.id for claimed in first]
        assert [1, 2] == await one.open_attempts(ids, at=START, clock_offset=None, charges=charges)
        await two.claim(due_before=START, limit=2)
        assert [] == await two.open_attempts([3], at=START, clock_offset=None, charges=charges)
        used = await one.usage([texts.scope, segments.scope], since=START)
        assert (2, 4) == (used.of(texts), used.of(segments))
        assert [3] == await due(one)


async def test_of_a_group_only_those_are_opened_for_which_a_limit_has_room(postgresql_url: str) -> None:
    texts = Charge(scope="texts/hour", since=START, most=3)
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, B, C, D)
        await one.claim(due_before=START, limit=1)
        charges = dict.fromkeys((1, 2, 3, 4), (texts,))
        assert [1] == await one.open_attempts([1], at=START, clock_offset=None, charges=charges)
        ids = [claimed.id for claimed in await two.claim(due_before=START, limit=9)]
        assert [2, 3] == await two.open_attempts(ids, at=START, clock_offset=None, charges=charges)
        assert 3 == (await one.usage([texts.scope], since=START)).of(texts)
        assert [4] == await due(one)


async def test_two_connectors_never_use_more_of_a_rate_than_there_is(postgresql_url: str) -> None:
    async with members(postgresql_url, paces=PACED, one=LASTING, two=LASTING) as (one, two):
        for number in (A, B, C):
            await accept(one, number, may_leave=True)
        assert [1] == await begin(one, 1)
        assert [] == await two.claim(due_before=START, limit=9, pace_at=START)
        assert [] == await begin(two, 2)
        later = START + 1
        assert [2] == [each.id for each in await two.claim(due_before=later, limit=9, pace_at=later)]
        assert [2] == await begin(two, 2, at=later)
        assert [] == await one.claim(due_before=later, limit=9, pace_at=later)


async def test_what_one_connector_writes_is_news_for_the_others_and_not_for_itself(
    postgresql_url: str,
) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        heard: dict[str, asyncio.Event] = {"one": asyncio.Event(), "two": asyncio.Event()}
        one.watch_news(heard["one"].set)
        two.watch_news(heard["two"].set)
        async with asyncio.timeout(WAIT_SECONDS):
            while not heard["two"].is_set():  # it may not listen yet
                await accept(one, A)
                await asyncio.sleep(0.05)
        await begin(two, 1)
        assert not heard["one"].is_set()
        await two.take([a_success(1)])
        await asyncio.wait_for(heard["one"].wait(), WAIT_SECONDS)


async def test_what_a_callback_tells_another_connector_is_news_for_the_leader(postgresql_url: str) -> None:
    """Callbacks reach any connector: they tell of deliveries, and keys that are pressed end chains."""
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, B)
        await record(one, replace(a_request(C, escalation="freezer"), hint="door", writer=WRITER.chains))
        await begin(one, 1, 2, 3)
        follow = Follow(word="queued", look_at=START + 5)
        await one.take([replace(a_success(id_), follow=follow) for id_ in (1, 2, 3)])
        heard = asyncio.Event()
        one.watch_news(heard.set)
        async with asyncio.timeout(WAIT_SECONDS):
            while not heard.is_set():  # it may not listen yet
                followed = await two.delivery(1)
                assert followed is not None
                await two.change([a_change(followed)])
                await asyncio.sleep(0.05)
        heard.clear()
        await two.end_chain(3, ChainEnd(kind=EndKind.CANCELLED, at=START), writer=WRITER.chains)
        await asyncio.wait_for(heard.wait(), WAIT_SECONDS)


async def test_a_request_is_not_reported_while_another_connector_writes_what_became_of_it(
    postgresql_url: str,
) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await begin(one, 1)
        await one.take([replace(a_success(1), follow=Follow(word="queued", look_at=START + 5))])
        ((answer,), followed) = (await statuses(one), await two.delivery(1))
        assert followed is not None
        status = FollowUpStatus(status=answer.status, reason=None, message=None, code=None)
        async with under_way(two, lambda: two.change([a_change(followed, status=status)])):
            reporting = await waits_for_a_lock(
                postgresql_url, one.report([answer.position], at=START), kind="transactionid"
            )
        await reporting
        assert [1] == await outbox(one)
        assert 1 == (await one.recover(now=START)).unreported


# What comes too late.


async def test_an_answer_that_comes_after_the_lease_is_kept_as_evidence(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        await begin(two, 1)
        await beat(one)
        assert await one.evidence(1, attempt=1) is None
        taken = await two.take([a_success(1, at=START + 30)])
        assert (frozenset({1}), ()) == (taken.lapsed, taken.written)
        (shown,) = of_kind(postgresql_url, 1, AnsweredLate)
        assert (START + 30, AttemptOutcome.ACCEPTED, f"SM{1:032x}") == (shown.at, shown.outcome, shown.sid)
        evidence = await one.evidence(1, attempt=1)
        assert evidence is not None
        assert (AttemptOutcome.ACCEPTED, f"SM{1:032x}") == (evidence.outcome, evidence.sid)
        assert [] == await outbox(one)
        assert 1 == len(await in_doubt(one, at=START + 30))


async def test_what_came_late_for_one_request_is_no_proof_for_another(postgresql_url: str) -> None:
    sid = f"SM{1:032x}"
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A, B)
        await begin(two, 1)
        await beat(one)
        await two.take([a_success(1, at=START + 30)])
        assert {sid} == await one.known_sids([sid], settling=2)
        assert frozenset() == await one.known_sids([sid], settling=1)


@pytest.mark.parametrize(
    "step",
    [
        a_success(1),
        a_failure(1, outcome=AttemptOutcome.REFUSED),
        a_postponement(1, due_at=START, outcome=AttemptOutcome.DEFERRED),
        a_doubt(1),
    ],
    ids=["success", "failure", "postponement", "doubt"],
)
async def test_no_step_of_an_old_lease_touches_a_new_attempt(postgresql_url: str, step: Step) -> None:
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        await begin(two, 1)
        await beat(one)
        await one.take([absent()], leads=True)
        await begin(one, 1, at=START + 60)
        assert frozenset({1}) == (await two.take([step])).lapsed
        assert (await one.take([a_success(1, at=START + 61)])).written
        await report(one, [1])


async def test_the_same_connector_does_not_take_its_own_attempt_up_again_after_its_lease(
    postgresql_url: str,
) -> None:
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        await begin(two, 1)
        await beat(one)
        assert (await beat(two)).joined
        assert frozenset({1}) == (await two.take([a_success(1)])).lapsed
        assert 1 == len(await in_doubt(one))


@asynccontextmanager
async def an_attempt_of_two_that_lapsed(url: str) -> AsyncIterator[tuple[Journal, Journal]]:
    """The leader, and another connector whose lease ended while it made the first attempt."""
    async with members(url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A)
        await begin(two, 1)
        assert 1 == (await beat(one)).doubts
        yield one, two


@asynccontextmanager
async def an_attempt_under_way_that_its_own_connector_settles(url: str) -> AsyncIterator[Journal]:
    """It lost the database for longer than its lease, another one led meanwhile, and now it leads again."""
    async with members(url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await begin(one, 1)
        await fall_silent(one)
        assert 1 == (await beat(two)).doubts
        await two.leave(at=START)
        await come_back(one)
        yield one


async def test_a_connector_that_looks_again_at_its_own_attempt_keeps_the_answer_as_evidence(
    postgresql_url: str,
) -> None:
    async with an_attempt_under_way_that_its_own_connector_settles(postgresql_url) as one:
        looked = await one.take([a_doubt(1, attempt=1, settle_at=START + 60)], leads=True)
        assert frozenset() == looked.lapsed
        assert frozenset({1}) == (await one.take([a_success(1, attempt=1)])).lapsed
        evidence = await one.evidence(1, attempt=1)
        assert evidence is not None
        assert (AttemptOutcome.ACCEPTED, f"SM{1:032x}") == (evidence.outcome, evidence.sid)
        assert 1 == len(await in_doubt(one, at=START))


async def test_what_a_connector_settles_of_its_own_attempt_is_no_evidence(postgresql_url: str) -> None:
    async with an_attempt_under_way_that_its_own_connector_settles(postgresql_url) as one:
        assert frozenset() == (await one.take([absent()], leads=True)).lapsed
        assert await one.evidence(1, attempt=1) is None
        assert [1] == await due(one)
        assert (await one.take([a_success(1, attempt=1)])).written
        assert [1] == await outbox(one)


async def test_an_answer_after_absence_ends_the_request_with_its_sid(postgresql_url: str) -> None:
    charge = Charge(scope="texts/hour", since=START, most=9)
    async with members(postgresql_url, one=LASTING, two=ENDED) as (one, two):
        await accept(one, A, A)
        await begin(two, 1, charges={1: [charge]})
        await beat(one)
        await one.take([absent()], leads=True)
        assert 0 == (await one.usage([charge.scope], since=START)).of(charge)
        claimed = await one.claim(due_before=START, limit=9)
        taken = await two.take([a_success(1, attempt=1)])
        assert ([1], frozenset()) == ([status.request for status in taken.written], taken.lapsed)
        assert [] == await one.open_attempts([one_.id for one_ in claimed], at=START, clock_offset=None)
        assert 1 == (await one.usage([charge.scope], since=START)).of(charge)
        assert {f"SM{1:032x}"} == await one.known_sids([f"SM{1:032x}"])
        assert [2] == await due(one)
        await report(one, [1])


async def test_an_answer_after_absence_without_a_sid_changes_nothing(postgresql_url: str) -> None:
    async with an_attempt_of_two_that_lapsed(postgresql_url) as (one, two):
        await one.take([absent()], leads=True)
        before = await picture(one)
        refused = a_failure(1, outcome=AttemptOutcome.REFUSED, attempt=1)
        assert frozenset({1}) == (await two.take([refused])).lapsed
        assert before == await picture(one)


@pytest.mark.parametrize(
    "step",
    [
        absent(),
        a_failure(1, outcome=AttemptOutcome.FAILED, attempt=1),
        a_failure(1, reason=Reason.OUTCOME_UNKNOWN, outcome=AttemptOutcome.IN_DOUBT, attempt=1),
        a_doubt(1, settle_at=START + 60, attempt=1),
        a_success(1, sid="SM0", attempt=1),
    ],
    ids=["absent", "absent, out of retries", "for a person", "look again", "another record"],
)
async def test_an_answer_that_comes_while_the_leader_looks_overrules_what_it_has_seen(
    postgresql_url: str, step: Step
) -> None:
    async with an_attempt_of_two_that_lapsed(postgresql_url) as (one, two):
        await two.take([a_success(1, attempt=1)])
        assert frozenset({1}) == (await one.take([step], leads=True)).lapsed
        assert 1 == len(await in_doubt(one, at=START))
        assert (await one.take([a_success(1, attempt=1)], leads=True)).written


async def test_an_answer_to_an_attempt_closes_no_later_one_of_the_same_connector(postgresql_url: str) -> None:
    async with an_attempt_of_two_that_lapsed(postgresql_url) as (one, two):
        await one.take([absent()], leads=True)
        await come_back(two)
        assert [1] == await begin(two, 1)
        late = a_failure(1, outcome=AttemptOutcome.REFUSED, attempt=1)
        assert frozenset({1}) == (await two.take([late])).lapsed
        assert (await two.take([a_success(1, attempt=2)])).written


@pytest.mark.parametrize(
    "step",
    [
        a_postponement(1, due_at=START, outcome=AttemptOutcome.DEFERRED, attempt=2),
        a_failure(1, outcome=AttemptOutcome.REFUSED, attempt=2),
        a_doubt(1, attempt=2, settle_at=START + 60),
    ],
    ids=["postponement", "failure", "doubt"],
)
async def test_a_request_of_which_an_earlier_attempt_has_a_sid_neither_waits_nor_fails(
    postgresql_url: str, step: Step
) -> None:
    """The SID came too late to keep the second attempt from being opened."""
    async with an_attempt_of_two_that_lapsed(postgresql_url) as (one, two):
        await one.take([absent()], leads=True)
        await begin(one, 1)
        assert frozenset({1}) == (await two.take([a_success(1, attempt=1)])).lapsed
        taken = await one.take([step])
        assert (frozenset({1}), ()) == (taken.lapsed, taken.written)
        assert 1 == len(await in_doubt(one, at=START))
        evidence = await one.evidence(1, attempt=2)
        assert evidence is not None
        assert f"SM{1:032x}" == evidence.sid
        assert (await one.take([a_success(1, attempt=2)], leads=True)).written


async def test_an_attempt_that_lapsed_takes_the_turn_of_no_later_request(postgresql_url: str) -> None:
    """Its connector waits for the answer still, and another one has settled it."""
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await begin(one, 1)
        await fall_silent(one)
        await beat(two)
        await two.take([a_failure(1)], leads=True)
        await two.leave(at=START)
        await come_back(one)
        assert (await one.take([a_failure(99)])).failed  # its transaction is rolled back
        await accept(one, A)
        assert [2] == await due(one)


async def test_what_waits_after_a_lapsed_attempt_can_end_unsent_by_the_same_connector(
    postgresql_url: str,
) -> None:
    async with an_attempt_under_way_that_its_own_connector_settles(postgresql_url) as one:
        await one.take([absent()], leads=True)
        assert (await one.take([a_failure(1)])).written


@pytest.mark.parametrize("name", [Cancellation(request_id="request123"), Cancellation(about="door")])
async def test_a_cancellation_ends_what_another_connector_has_claimed(
    postgresql_url: str, name: Cancellation
) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A, about="door")
        assert 1 == len(await two.claim(due_before=START, limit=9))
        wish = NewWish(wish=name, at=START, writer=WRITER.chains)
        (recorded,) = (await one.record([wish])).recorded
        assert recorded.ended is not None
        assert (1,) == recorded.ended.requests
        assert [1] == await outbox(one)
        assert [] == await begin(two, 1)


async def test_what_another_connector_has_claimed_is_not_put_off(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        await accept(one, A)
        await two.claim(due_before=START, limit=9)
        assert frozenset({1}) == (await one.take([a_postponement(1, due_at=START + 60)])).lapsed
        assert [1] == await begin(two, 1)


# Shares of what the account may do at once.


async def test_the_shares_never_exceed_the_places_and_use_all_of_them(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING, three=LASTING) as journals:
        for _ in range(2):
            shares = [(await beat(each, places=10)).share for each in journals]
            assert sum(shares) <= 10
        assert [4, 3, 3] == [(await beat(each, places=10)).share for each in journals]
        await journals[0].leave(at=START)
        assert [5, 5] == [(await beat(each, places=10)).share for each in journals[1:]]


async def test_a_place_in_which_an_attempt_is_made_is_not_given_to_another(postgresql_url: str) -> None:
    async with members(postgresql_url, one=LASTING, two=LASTING) as (one, two):
        assert 8 == (await beat(one, in_use=8)).share
        assert 2 == (await beat(two)).share
        assert 5 == (await beat(one, in_use=3)).share
        assert 5 == (await beat(two)).share


async def test_a_journal_in_a_file_has_one_member_that_leads(tmp_path: Path) -> None:
    async with store("sqlite file", tmp_path)() as journal:
        assert not journal.is_shared
        found = await beat(journal, places=7)
        assert (True, 1, 7) == (found.leads, found.members, found.share)
        assert [] == await journal.members()
