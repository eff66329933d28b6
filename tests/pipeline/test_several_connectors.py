"""Several connectors on one journal: one leads, all send, and the next one takes over."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.pipeline.line import a_line
from tests.pipeline.test_connector import House, a_house
from tests.support.factories import START, a_request, accepted
from tests.support.fakes import RecordingEvents
from tests.support.orders import carried_out, place
from twilio_notifications.adapters.journal.grouping import Group
from twilio_notifications.adapters.postgres.journal import PostgresJournal
from twilio_notifications.core.delivery import Following, FollowUp, Tracking
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.orders import PauseOrder, ResumeOrder
from twilio_notifications.pipeline.line.orders import HELD_UP_SECONDS
from twilio_notifications.ports import Callback, Pause, Recovery

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.core.orders import Order

A, B, C, D = (f"+1234500000{n}" for n in range(1, 5))

SID = f"SM{7:032x}"
BEAT = 1.0

pytestmark = pytest.mark.postgresql


@asynccontextmanager
async def houses(url: str, *names: str, group: bool = False, **settings: Any) -> AsyncIterator[list[House]]:
    """Connectors of these names on one journal, which start one after the other."""
    async with AsyncExitStack() as stack:
        started = []
        for name in names:

            def shared(name: str = name, **own: Any) -> PostgresJournal:
                if group:
                    own["group"] = Group(
                        client=name, handing_over_seconds=600.0, session_seconds=600.0, lease_seconds=600.0
                    )
                return PostgresJournal(url, member=name, lease_seconds=600.0, report_seconds=0.0, **own)

            line = await stack.enter_async_context(a_line(shared=shared, **settings))
            started.append(await stack.enter_async_context(a_house(line, takes_in_with_others=group)))
        yield started


async def beat(*several: House, times: int = 1) -> None:
    """Time passes for all of them, so that each looks into the journal."""
    for _ in range(times):
        for house in several:
            await house.line.clock.advance(BEAT)


def lease(house: House, seconds: float) -> None:
    """From its next beat on, its lease is so long."""
    cast("Any", house.line.sqlite)._sharing.lease_seconds = seconds


async def fall_silent(house: House) -> None:
    """Its lease is over for the others, as when it stands still: it does nothing any more."""
    lease(house, 0.0)
    await house.line.sqlite.beat(places=1, in_use=0, at=START)
    house.running.cancel()


async def test_the_first_one_leads_and_the_others_are_ready_to_send(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two") as (one, two):
        assert (1, 0) == (
            one.line.events.count("leadership_taken"),
            two.line.events.count("leadership_taken"),
        )
        (stands_by,) = two.line.events.named("connector_stands_by")
        assert "one" == stands_by.fields["leader"]
        assert ["ready"] == two.supervisor.told
        assert two.transport._on_inbound is None


async def test_a_connector_that_stands_still_while_it_takes_over_stands_by(postgresql_url: str) -> None:
    async with AsyncExitStack() as stack:
        other = PostgresJournal(postgresql_url, events=RecordingEvents(), member="other", lease_seconds=600.0)
        await stack.enter_async_context(other)

        class StandsStill(PostgresJournal):
            """Its lease ends before it recovers anything, and the other one leads then."""

            has_stood = False

            async def recover(self, *, now: float) -> Recovery:
                if not self.has_stood:
                    self.has_stood = True
                    cast("Any", self)._sharing.lease_seconds = 0.0
                    await self.beat(places=1, in_use=0, at=START)
                    await other.beat(places=1, in_use=0, at=START)
                    cast("Any", self)._sharing.lease_seconds = 600.0
                return await super().recover(now=now)

        def shared(**own: Any) -> PostgresJournal:
            return StandsStill(postgresql_url, member="one", lease_seconds=600.0, report_seconds=0.0, **own)

        line = await stack.enter_async_context(a_line(shared=shared))
        house = await stack.enter_async_context(a_house(line))
        assert ["ready"] == house.supervisor.told
        assert 1 == line.events.count("leadership_lost")
        await other.leave(at=START)
        await beat(house, times=2)
        assert 2 == line.events.count("leadership_taken")
        await house.publish(A)
        await house.settle()
        assert [(A, "success")] == house.statuses()


async def test_what_the_leader_takes_in_is_sent_by_all_and_reported_by_the_leader(
    postgresql_url: str,
) -> None:
    async with houses(postgresql_url, "one", "two", concurrency=2) as (one, two):
        await beat(one, two, one, two)
        one.line.sender.hold(A)
        two.line.sender.hold(B)
        for number in (A, B):
            await one.publish(number)
        await beat(two, one)
        assert ([A], [B]) == (one.line.sender.ids(), two.line.sender.ids())
        one.line.sender.release(A)
        two.line.sender.release(B)
        await two.settle()
        await one.settle()
        await beat(one)
        assert {(A, "success"), (B, "success")} == set(one.statuses())
        assert [] == two.statuses()


async def test_connectors_of_a_group_take_in_together_and_the_leader_reports(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two", group=True) as (one, two):
        await one.publish(A)
        await two.publish(B)
        assert ([A], [B]) == (one.acknowledged, two.acknowledged)
        await beat(two, one, two, one)
        assert {(A, "success"), (B, "success")} == set(one.statuses())
        assert [] == two.statuses()


async def test_a_connector_of_a_group_reports_what_was_left_when_it_leads(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two", group=True) as (one, two):
        await fall_silent(one)
        await two.publish(B)
        assert [] == two.statuses()
        await beat(two, times=2)
        assert two.told("leadership_taken")
        assert [(B, "success")] == two.statuses()


async def test_the_next_one_takes_over_the_broker_and_what_was_left_open(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two") as (one, two):
        one.line.sender.hold(A)
        await one.publish(A)
        await fall_silent(one)
        await beat(two)
        assert two.told("leadership_taken")
        (removed,) = two.line.events.named("member_removed")
        assert {"member": "one"} == removed.fields
        await two.publish(B)
        assert [(B, "success")] == two.statuses()
        await two.line.clock.advance(120)
        assert [(B, "success"), (A, "success")] == two.statuses()


async def test_a_connector_that_another_one_has_followed_ends_its_stages_and_sends_on(
    postgresql_url: str,
) -> None:
    async with houses(postgresql_url, "one", "two") as (one, two):
        lease(one, 0.0)
        await beat(one)
        lease(one, 600.0)
        await beat(two)
        assert two.told("leadership_taken")
        await one.publish(A)
        assert [] == one.acknowledged
        await beat(one)
        assert one.told("leadership_lost")
        assert one.transport.closed
        two.line.sender.hold(A)
        await two.publish(A, name="first")
        await two.publish(B, name="second")
        assert not one.running.done()


async def test_an_answer_after_the_lease_settles_the_doubt_with_its_sid(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two") as (one, two):
        one.line.sender.hold(A)
        await one.publish(A)
        lease(one, 0.0)
        await one.line.sqlite.beat(places=1, in_use=0, at=START)
        await beat(two)
        one.line.sender.release(A)
        await one.settle()
        (lapsed,) = one.line.events.named("attempt_lapsed")
        await beat(two, times=3)
        assert [(A, "success")] == two.statuses()
        assert ([A], []) == (one.line.sender.ids(), two.line.sender.ids())
        found = await two.line.sqlite.known_sids([str(lapsed.fields["sid"])])
        assert 1 == len(found)


async def test_an_answer_after_its_absence_seemed_proved_keeps_the_request_from_being_sent_again(
    postgresql_url: str,
) -> None:
    """A person's pause lies between the proof and the next attempt."""
    async with houses(postgresql_url, "one", "two") as (one, two):
        one.line.sender.hold(A)
        await one.publish(A)
        lease(one, 0.0)
        await one.line.sqlite.beat(places=1, in_use=0, at=START)
        await beat(two)
        pause = Pause(reason=WaitReason.OPERATOR_PAUSE, message="Darla ordered a pause", begun_at=START)
        await one.line.sqlite.keep_pauses([pause])
        await two.line.clock.advance(120)
        (settled,) = two.line.events.named("doubt_settled")
        assert "absent" == settled.fields["outcome"]
        one.line.sender.release(A)
        await one.settle()
        await beat(two)
        assert [(A, "success")] == two.statuses()
        await one.line.sqlite.keep_pauses([replace(pause, ended_at=START + 9)])
        await beat(two, times=3)
        assert ([A], []) == (one.line.sender.ids(), two.line.sender.ids())


async def test_a_connector_that_does_not_lead_takes_a_callback_that_came_before_the_answer(
    postgresql_url: str,
) -> None:
    tracking = Tracking(following=Following.CALLBACK, follow_up=FollowUp.ALL)
    async with houses(postgresql_url, "one", "two", concurrency=2, tracking=tracking) as (one, two):
        await beat(one, two, one, two)
        one.line.sender.hold(A)
        two.line.sender.hold(B)
        for number in (A, B):
            await one.publish(number)
        await beat(two)
        assert [B] == two.line.sender.ids()
        await two.connector.callbacks.take(Callback(sid=SID, query="", state="sent"))
        two.line.sender.script(B, accepted(SID))
        two.line.sender.release(B)
        await two.settle()
        await beat(one)
        assert [(B, "success"), (B, "success")] == one.statuses()
        assert [] == two.connector.callbacks._known
        one.line.sender.release(A)
        await one.settle()


async def test_a_connector_that_stood_still_makes_no_attempt_that_it_had_opened(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one") as (one,):
        one.connector.leading._fresh_until = START - 1
        await one.publish(A)
        assert [] == one.line.sender.ids()
        await one.line.clock.advance(60)
        assert [A] == one.line.sender.ids()


async def test_a_connector_whose_machine_was_suspended_makes_no_attempt_before_it_has_asked(
    postgresql_url: str,
) -> None:
    """Its clock has gone on meanwhile, and its timers have not."""
    async with houses(postgresql_url, "one") as (one,):
        clock = one.line.clock
        clock.set(clock.now() + one.connector.leading.lease_seconds)
        await one.publish(A)
        assert [] == one.line.sender.ids()
        await beat(one)
        assert [A] == one.line.sender.ids()


async def test_a_connector_that_takes_the_place_of_another_knows_the_pauses_before_it_sends(
    postgresql_url: str,
) -> None:
    async with houses(postgresql_url, "one", "two", concurrency=2) as (one, two):
        await beat(one, two, one, two)
        pause = Pause(reason=WaitReason.OPERATOR_PAUSE, message="Darla ordered a pause", begun_at=START)
        await one.line.sqlite.keep_pauses([pause])
        await beat(one, two)
        await one.line.accept(A, accepted_at=START)
        two.stop.set()
        await two.ended()
        async with houses(postgresql_url, "three", concurrency=2) as (three,):
            await three.settle()
            assert 1 == three.line.pacing.pace.maximum
            assert ([], []) == (one.line.sender.ids(), three.line.sender.ids())


async def test_a_pause_that_a_person_orders_holds_all_connectors(postgresql_url: str) -> None:
    async with houses(postgresql_url, "one", "two") as (one, two):
        reason = WaitReason.OPERATOR_PAUSE
        pause = Pause(reason=reason, message="Darla ordered a pause", begun_at=START)
        await one.line.sqlite.keep_pauses([pause])
        await beat(one, two)
        await one.publish(A)
        await beat(two, one)
        assert ([], []) == (one.line.sender.ids(), two.line.sender.ids())
        await one.line.sqlite.keep_pauses([replace(pause, ended_at=START + 9)])
        await beat(one, two)
        assert 1 == len(one.line.sender.ids() + two.line.sender.ids())


@asynccontextmanager
async def a_leader_that_has_an_order(url: str, what: Order) -> AsyncIterator[PostgresJournal]:
    """It has taken a request in, and has not looked for orders yet; the lease lasts as long as any test."""
    events = RecordingEvents()
    async with PostgresJournal(url, member="one", lease_seconds=600.0, events=events) as journal:
        assert (await journal.beat(places=1, in_use=0, at=START)).leads
        await journal.record([a_request(A, request_id=A)])
        place(url, what)
        yield journal


async def test_a_connector_that_joins_sends_nothing_before_the_leader_has_carried_out_what_was_ordered(
    postgresql_url: str,
) -> None:
    """As after a backup was restored, when all connectors start in the same second."""
    async with (
        a_leader_that_has_an_order(postgresql_url, PauseOrder()) as leader,
        houses(postgresql_url, "two") as (two,),
    ):
        await beat(two, times=3)
        assert ([], False) == (two.line.sender.ids(), two.connector.ready.is_set())
        (done,) = await carried_out(leader)
        assert done.pause is not None
        await beat(two)
        assert two.connector.ready.is_set()
        await beat(two, times=3)
        assert [] == two.line.sender.ids()
        place(postgresql_url, ResumeOrder())
        await carried_out(leader)
        await beat(two)
        assert [A] == two.line.sender.ids()


async def test_a_connector_that_waits_for_orders_carries_them_out_where_the_leader_dies(
    postgresql_url: str,
) -> None:
    async with (
        a_leader_that_has_an_order(postgresql_url, PauseOrder()) as leader,
        houses(postgresql_url, "two") as (two,),
    ):
        cast("Any", leader)._sharing.lease_seconds = 0.0
        await leader.beat(places=1, in_use=0, at=START)
        await beat(two)
        assert two.told("leadership_taken")
        assert two.told("order_carried_out")
        await beat(two, times=3)
        assert [] == two.line.sender.ids()


async def test_an_order_that_stays_holds_a_connector_that_joins_up_for_a_while_only(
    postgresql_url: str,
) -> None:
    async with (
        a_leader_that_has_an_order(postgresql_url, PauseOrder()),
        houses(postgresql_url, "two") as (two,),
    ):
        await beat(two)
        assert [] == two.line.sender.ids()
        await two.line.clock.advance(HELD_UP_SECONDS + BEAT)
        await beat(two)
        assert [A] == two.line.sender.ids()


async def test_a_connector_that_waits_for_orders_can_be_stopped(postgresql_url: str) -> None:
    async with (
        a_leader_that_has_an_order(postgresql_url, PauseOrder()),
        houses(postgresql_url, "two") as (two,),
    ):
        two.stop.set()
        await two.ended()
        assert [] == two.line.sender.ids()
