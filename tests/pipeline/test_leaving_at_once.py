"""A request that need not wait: recorded and opened in one transaction, closed with its status in another.

What must wait takes the longer way, through a claim of the dispatcher's.
"""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.line import Line, a_line, an_intake, running
from tests.support.crash_points import CrashPoint
from tests.support.factories import START, a_payload, refused, too_many, unauthorized
from twilio_notifications.core.model import NotSent
from twilio_notifications.core.policy import Exceeding, Limits, Period, Quota, Unit
from twilio_notifications.ports import Inbound
from twilio_notifications.ports.events import RequestsClaimed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.pipeline.line.intake import Intake

A, B, C = "+12345000001", "+12345000002", "+12345000003"
QUOTA = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.DAY, most=100),))


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A line in motion with its intake: what arrives may leave at once."""

    line: Line
    intake: Intake
    acknowledged: list[str] = field(default_factory=list)

    def receive(self, *phone_numbers: str, **request: Any) -> None:
        """A request for each recipient arrives, all in one turn of the event loop."""
        for number in phone_numbers:
            named = {"request_id": number, **request}
            acknowledge = partial(self.acknowledged.append, named["request_id"])
            inbound = Inbound(topic="twilio/txt", payload=a_payload(number, **named), acknowledge=acknowledge)
            self.intake.receive(inbound)

    async def arrive(self, *phone_numbers: str, **request: Any) -> None:
        """They arrive, and everything comes to rest."""
        self.receive(*phone_numbers, **request)
        await self.line.clock.settle()

    def took_the_longer_way(self, phone_number: str) -> bool:
        """Whether a request of this recipient was claimed."""
        claimed = [event for event in self.line.events.told if isinstance(event, RequestsClaimed)]
        return any(
            phone_number == request.notification.recipient.phone_number
            for event in claimed
            for request in event.requests
        )


@asynccontextmanager
async def a_way(**arguments: Any) -> AsyncIterator[Way]:
    async with a_line(**arguments) as line, running(line):
        yield Way(line=line, intake=an_intake(line.surroundings, line.stages))


# Two commits for a message.


async def test_a_message_that_leaves_at_once_takes_two_commits() -> None:
    async with a_way() as way:
        way.line.watched.calls.clear()
        await way.arrive(A)
        assert [(A, "success")] == await way.line.results()
        assert ["record", "take"] == way.line.watched.calls[:2]
        assert 0 == way.line.watched.count("claim", "open_attempts")
        assert not way.took_the_longer_way(A)


async def test_what_arrives_together_and_ends_together_takes_two_commits_too() -> None:
    async with a_way() as way:
        await way.arrive(A, B, C)
        assert (1, 1) == (way.line.watched.count("record"), way.line.watched.count("take"))
        assert {(A, "success"), (B, "success"), (C, "success")} == set(await way.line.results())


async def test_the_acknowledgement_and_the_post_go_out_together_after_the_commit() -> None:
    async with a_way() as way:
        with way.line.stalled_disk():
            way.receive(A)
            await way.line.turns()
            assert ([], []) == (way.acknowledged, way.line.sender.ids())
        await way.line.clock.settle()
        assert [
            CrashPoint.REQUEST_RECEIVED,
            CrashPoint.REQUEST_RECORDED,
            CrashPoint.REQUEST_ACKNOWLEDGED,
            CrashPoint.ATTEMPTS_OPENED,
            CrashPoint.TWILIO_ANSWERED,
            CrashPoint.REQUEST_FINISHED,
        ] == way.line.events.points


async def test_the_attempt_is_open_on_disk_when_the_request_is_acknowledged() -> None:
    async with a_way() as way:
        way.line.sender.hold(A)
        await way.arrive(A)
        assert ([A], [A]) == (way.acknowledged, way.line.sender.ids())
        assert [] == await way.line.waiting()
        recovery = await way.line.journal.recover(now=START + 1)
        assert (0, 1) == (recovery.waiting, recovery.in_doubt)


# Nothing is overtaken.


async def test_a_request_does_not_overtake_an_earlier_one_of_its_recipient() -> None:
    async with a_way() as way:
        way.line.sender.hold(A)
        await way.arrive(A, request_id="alarm")
        await way.arrive(A, request_id="all clear")
        assert ["alarm"] == way.line.sender.ids()
        way.line.sender.release(A)
        await way.line.clock.settle()
        assert ["alarm", "all clear"] == way.line.sender.ids()


@pytest.mark.parametrize("answer", [too_many(retry_after=5), refused(21_611, retry_after=5)])
async def test_a_request_does_not_overtake_one_of_its_recipient_that_waits(answer: Any) -> None:
    async with a_way() as way:
        way.line.sender.script(A, answer)
        await way.arrive(A, request_id="alarm")
        await way.line.clock.advance(2)
        await way.arrive(A, request_id="all clear")
        assert ["alarm"] == way.line.sender.ids()
        await way.line.clock.advance(10)
        assert ["alarm", "alarm", "all clear"] == way.line.sender.ids()


async def test_two_of_one_recipient_that_arrive_together_keep_their_order() -> None:
    async with a_way() as way:
        way.receive(A, request_id="alarm")
        way.receive(A, request_id="all clear")
        await way.line.clock.settle()
        assert ["alarm", "all clear"] == way.line.sender.ids()


async def test_a_request_does_not_overtake_one_that_waits_for_a_place() -> None:
    async with a_way(concurrency=1) as way:
        for number in (A, B, C):
            way.line.sender.hold(number)
        await way.arrive(A)
        await way.arrive(B)
        way.line.sender.release(A)
        way.receive(C)  # the place is free in this very turn
        await way.line.clock.settle()
        assert [A, B] == way.line.sender.ids()
        way.line.sender.release(B)
        await way.line.clock.settle()
        assert [A, B, C] == way.line.sender.ids()


async def test_a_request_does_not_overtake_one_that_found_no_place_in_the_same_call() -> None:
    async with a_way(concurrency=1) as way:
        way.line.sender.hold(A)
        with way.line.stalled_disk():
            way.receive(A, B)
            await way.line.turns()
            way.receive(C)
            await way.line.turns()
        await way.line.clock.settle()
        assert ([A], [A, B, C]) == (way.line.sender.ids(), way.acknowledged)
        way.line.sender.release(A)
        await way.line.clock.settle()
        assert [A, B, C] == way.line.sender.ids()


async def test_once_nothing_waits_for_a_place_requests_leave_at_once_again() -> None:
    async with a_way(concurrency=1) as way:
        way.line.sender.hold(A)
        await way.arrive(A, B)
        way.line.sender.release(A)
        await way.line.clock.settle()
        assert way.took_the_longer_way(B)
        await way.arrive(C)
        assert not way.took_the_longer_way(C)
        assert [A, B, C] == way.line.sender.ids()


async def test_what_waits_for_its_due_time_holds_up_no_other() -> None:
    async with a_way() as way:
        way.line.sender.script(A, refused(21_611, retry_after=600))
        await way.arrive(A)
        await way.arrive(B, from_number="+18888888888")
        assert [A, B] == way.line.sender.ids()
        assert not way.took_the_longer_way(B)


# What takes the longer way.


async def test_with_quotas_in_force_requests_are_claimed_and_charged() -> None:
    async with a_way(limits=QUOTA) as way:
        await way.arrive(A)
        assert way.took_the_longer_way(A)
        assert [(A, "success")] == await way.line.results()


async def test_a_quota_holds_for_requests_that_arrive_together() -> None:
    limits = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.DAY, most=1),), exceeding=Exceeding.REFUSE)
    async with a_way(limits=limits) as way:
        await way.arrive(A, B)
        assert {(A, "success"), (B, "QuotaExceeded")} == set(await way.line.results())


async def test_while_the_operator_pauses_requests_are_answered_and_not_sent() -> None:
    async with a_way(limits=Limits(paused=True)) as way:
        await way.arrive(A)
        assert ([(A, "NotAllowed")], []) == (await way.line.results(), way.line.sender.ids())


async def test_without_network_requests_wait() -> None:
    async with a_way() as way:
        way.line.sender.online = False
        way.line.sender.script(A, NotSent(detail="no route to host"))
        await way.arrive(A)
        await way.arrive(B)
        assert ([A], [A, B]) == (way.line.sender.ids(), way.acknowledged)
        way.line.sender.online = True
        await way.line.clock.advance(2)
        assert [A, A, B] == way.line.sender.ids()
        assert way.took_the_longer_way(B)


@pytest.mark.parametrize(("answer", "seconds"), [(too_many(retry_after=60), 60), (unauthorized(), 10)])
async def test_while_the_pace_is_closed_requests_wait(answer: Any, seconds: float) -> None:
    async with a_way() as way:
        way.line.sender.script(A, answer)
        await way.arrive(A)
        await way.arrive(B)
        await way.line.clock.advance(seconds - 1)
        assert [A] == way.line.sender.ids()
        await way.line.clock.advance(3)
        assert {(A, "success"), (B, "success")} == set(await way.line.results())
        assert way.took_the_longer_way(B)


async def test_while_its_sender_number_pauses_a_request_waits_and_others_leave() -> None:
    async with a_way() as way:
        way.line.sender.script(A, refused(21_611, retry_after=60))
        await way.arrive(A)
        way.receive(B)
        way.receive(C, from_number="+18888888888")
        await way.line.clock.settle()
        assert [A, C] == way.line.sender.ids()
        await way.line.clock.advance(62)
        assert {A, B} == set(way.line.sender.ids()[2:])


async def test_what_arrives_during_the_drain_opens_no_attempt() -> None:
    async with a_way() as way:
        await way.line.dispatcher.drain()
        await way.arrive(A)
        assert ([], [A]) == (way.line.sender.ids(), way.acknowledged)
        assert [A] == [each.notification.request_id for each in await way.line.waiting()]


async def test_a_drain_waits_for_attempts_that_are_about_to_be_opened() -> None:
    async with a_way() as way:
        with way.line.stalled_disk():
            way.receive(A)
            await way.line.turns()
            drained = asyncio.create_task(way.line.dispatcher.drain())
            await way.line.turns()
            assert not drained.done()
        await way.line.clock.settle()
        assert drained.done()
        assert [(A, "success")] == await way.line.results()


async def test_it_is_never_attempted_after_a_disk_that_stood_still_for_long() -> None:
    """An alarm of hours ago must not ring because the disk is writable again."""
    async with a_way() as way:
        with way.line.stalled_disk():
            way.receive(A, valid_for_seconds=100)
            await way.line.turns()
            way.line.clock.set(START + 1000)
        await way.line.clock.settle()
        assert ([A], []) == (way.acknowledged, way.line.sender.ids())
        assert [(A, "Expired")] == await way.line.results()


# The end of the dispatcher.


async def test_attempts_under_way_are_cut_off_when_the_dispatcher_is_cancelled() -> None:
    async with a_line() as line:
        way = Way(line=line, intake=an_intake(line.surroundings, line.stages))
        line.sender.hold(A)
        async with running(line):
            await way.arrive(A)
            assert 1 == line.sender.under_way
        assert 0 == line.sender.under_way
        recovery = await line.journal.recover(now=START + 5)
        assert (0, 1, 0) == (recovery.waiting, recovery.in_doubt, recovery.unreported)


async def test_an_attempt_that_was_opened_when_the_dispatcher_had_ended_is_not_made() -> None:
    """Nothing would wait for it: it stays open for the next start to settle."""
    async with a_line() as line:
        way = Way(line=line, intake=an_intake(line.surroundings, line.stages))
        with ExitStack() as stalled:
            async with running(line):
                stalled.enter_context(line.stalled_disk())
                way.receive(A)
                await line.turns()
        await line.clock.settle()
        assert ([], [A]) == (line.sender.ids(), way.acknowledged)
        assert 1 == (await line.journal.recover(now=START + 5)).in_doubt


async def test_what_arrives_when_the_dispatcher_has_ended_is_kept_for_the_next_start() -> None:
    async with a_line() as line:
        way = Way(line=line, intake=an_intake(line.surroundings, line.stages))
        async with running(line):
            pass
        await way.arrive(A)
        assert ([], [A]) == (line.sender.ids(), way.acknowledged)
        assert [A] == [each.notification.request_id for each in await line.waiting()]


# A step that the journal does not take costs that request alone.


SPOILT = """
CREATE TRIGGER spoilt BEFORE INSERT ON statuses WHEN NEW.reason IS NULL
AND (SELECT phone_number FROM requests WHERE id = NEW.request) = '+12345000001'
BEGIN SELECT RAISE(ABORT, 'a defect'); END
"""


async def test_a_step_that_the_journal_does_not_take_costs_that_request_alone() -> None:
    async with a_way() as way:
        await way.line.sqlite._store.writer.submit(lambda connection: connection.execute(SPOILT).rowcount)
        await way.arrive(A, B, C)
        assert {(A, "InternalError"), (B, "success"), (C, "success")} == set(await way.line.results())
        await way.arrive(B, request_id="later")
        assert ("later", "success") == (await way.line.results())[-1]
        assert len(way.line.written) == len(await way.line.outbox())
        (told,) = way.line.events.named("request_set_aside")
        assert True is told.fields["answered"]
        await way.line.dispatcher.drain()  # its place is free
