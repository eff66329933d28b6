"""The lifetime bounds every wait, and its end is answered wherever a request stands."""

from __future__ import annotations

from tests.pipeline.line import a_running_line
from tests.support.crash_points import CrashPoint
from tests.support.factories import a_request, refused, too_many
from twilio_notifications.core.model import NotSent
from twilio_notifications.core.policy import Limits, Period, Quota, Unit
from twilio_notifications.core.quiet_hours import QuietHours

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
        assert {(A, "RateLimited"), (B, "RateLimited")} == set(await line.results())


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
            recorded = line.journal.record([a_request(A, lifetime=100)])
            await line.turns()
            line.clock.set(line.clock.now() + 1000)
        await recorded
        line.dispatcher.wake()
        await line.clock.settle()
        assert [] == line.sender.sent
        assert ["Expired"] == [error for _, error in await line.results()]


async def test_it_is_never_attempted_when_opening_the_attempt_took_too_long() -> None:
    async with a_running_line() as line:
        line.events.on(CrashPoint.REQUESTS_CLAIMED, lambda: line.clock.set(line.clock.now() + 1000))
        await line.accept(A, lifetime=100)
        assert [] == line.sender.sent
        assert [(A, "Expired")] == await line.results()


async def test_what_waited_for_a_limit_is_told_which_one_and_when_it_ends() -> None:
    """A refusal for a quota names the limit, also where the request waited for it first."""
    async with a_running_line() as line:
        quota = Quota(unit=Unit.TEXTS, period=Period.DAY, most=1)
        await line.admission.change_rules(Limits(quotas=(quota,)), QuietHours())
        await line.accept(A)
        await line.accept(B, lifetime=60)
        await line.clock.advance(61)
        assert [(A, "success"), (B, "QuotaExceeded")] == await line.results()
        message = (await line.statuses())[-1]["response"]["error_message"]
        assert message.startswith("The limit of 1 text per day is used up until 20")
        assert message.endswith("Z; the request's lifetime (60 s) has ended before there was room")


async def test_paused_answers_while_there_is_no_network() -> None:
    """Who has paused the sending wants answers, and Twilio is not needed for them."""
    async with a_running_line() as line:
        line.sender.script(A, NotSent(detail="no route to host"))
        line.sender.online = False
        await line.accept(A)
        await line.accept(B)
        assert [] == await line.results()
        await line.admission.change_rules(Limits(paused=True), QuietHours())
        await line.clock.settle()
        assert {(A, "NotAllowed"), (B, "NotAllowed")} == set(await line.results())
        await line.accept(B, request_id="later")
        assert ("later", "NotAllowed") == (await line.results())[-1]
        await line.admission.change_rules(Limits(), QuietHours())
        line.sender.online = True
        await line.accept(B, request_id="after")
        await line.clock.advance(2)
        assert ("after", "success") == (await line.results())[-1]


async def test_each_attempt_says_what_is_left_of_the_lifetime() -> None:
    """A text with a lifetime of its own carries it to Twilio, in whose queue it has to expire too."""
    async with a_running_line() as line:
        line.sender.script(A, too_many(retry_after=20))
        await line.accept(A, lifetime=60, valid_for_seconds=60)
        await line.clock.advance(30)
        first, second = line.sender.seconds_left
        assert 60.0 == first
        assert second is not None
        assert 30.0 <= second <= 40.0
