"""The lifetime bounds every wait, and its end is answered wherever a request stands."""

from __future__ import annotations

from tests.pipeline.line import a_running_line
from tests.support.factories import a_request, refused, too_many
from twilio_notifications.core.model import NotSent
from twilio_notifications.ports import Milestone

A, B = "+12345000001", "+12345000002"


async def test_it_is_answered_while_there_is_no_network() -> None:
    async with a_running_line() as line:
        line.sender.script(A, NotSent(detail="no route to host"))
        line.sender.online = False
        await line.accept(A, lifetime=60)
        await line.clock.advance(59)
        assert [] == await line.results()
        await line.clock.advance(2)
        assert [(A, "Expired")] == await line.results()


async def test_it_is_answered_while_everything_pauses() -> None:
    """Contract, section 3: RateLimited where it was Twilio's pace that the request waited for."""
    async with a_running_line() as line:
        line.sender.script(A, too_many(retry_after=3000))
        await line.accept(A, lifetime=60)
        await line.accept(B, lifetime=60)
        await line.clock.advance(61)
        assert {(A, "RateLimited"), (B, "Expired")} == set(await line.results())


async def test_it_is_answered_while_the_sender_number_pauses() -> None:
    async with a_running_line() as line:
        line.sender.script(A, refused(21_611, retry_after=3000))
        await line.accept(A, lifetime=60)
        await line.accept(B, lifetime=60)
        await line.clock.advance(61)
        assert {(A, "RateLimited"), (B, "RateLimited")} == set(await line.results())


async def test_it_is_answered_for_a_request_whose_turn_never_came() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        await line.accept(A, request_id="first")
        await line.accept(A, request_id="second", lifetime=10)
        await line.clock.advance(11)
        assert [("second", "Expired")] == await line.results()


async def test_what_expires_lets_the_next_one_of_its_recipient_go() -> None:
    async with a_running_line() as line:
        line.sender.script(A, refused(21_611, retry_after=3000))
        await line.accept(A, request_id="first", lifetime=10)
        await line.accept(A, request_id="second", sender_number="+18888888888")
        await line.clock.advance(11)
        assert [("first", "RateLimited"), ("second", "success")] == await line.results()


async def test_more_than_one_batch_may_expire_at_once() -> None:
    numbers = [f"+1234500{n:04}" for n in range(1000, 1450)]
    async with a_running_line() as line:
        line.sender.script(numbers[0], NotSent(detail="no route to host"))
        line.sender.online = False
        await line.accept(numbers[0], lifetime=60)
        await line.accept(*numbers[1:], lifetime=60)
        await line.clock.advance(61)
        assert 450 == len(await line.results())
        assert [] == await line.waiting()


async def test_it_is_never_attempted_after_a_disk_that_stood_still_for_long() -> None:
    """An alarm of hours ago must not ring because the disk is writable again."""
    async with a_running_line() as line:
        with line.stalled_disk():
            recorded = line.journal.record(a_request(A, lifetime=100))
            line.dispatcher.wake()
            await line.turns()
            line.clock.set(line.clock.now() + 1000)
        await recorded
        await line.clock.settle()
        assert [] == line.sender.sent
        assert ["Expired"] == [error for _, error in await line.results()]


async def test_it_is_never_attempted_when_opening_the_attempt_took_too_long() -> None:
    async with a_running_line() as line:
        line.milestones.on(Milestone.CLAIMED, lambda: line.clock.set(line.clock.now() + 1000))
        await line.accept(A, lifetime=100)
        assert [] == line.sender.sent
        assert [(A, "Expired")] == await line.results()
