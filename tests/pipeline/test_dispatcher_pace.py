"""How fast attempts are made: concurrency, Twilio's 429, full sender queues, and the network that is away."""

from __future__ import annotations

import pytest

from tests.pipeline.line import a_running_line
from tests.support.factories import SENDER_NUMBER, START, refused, too_many
from twilio_notifications.core.model import Channel, NotSent
from twilio_notifications.core.pace import PacedSender
from twilio_notifications.pipeline.line.pacing import AHEAD_OF_A_DATABASE, AHEAD_OF_A_FILE

A, B, C = "+12345000001", "+12345000002", "+12345000003"
OTHER_SENDER = "+18888888888"


async def test_what_is_due_is_attempted_and_answered() -> None:
    async with a_running_line() as line:
        await line.accept(A, B)
        assert [(A, "success"), (B, "success")] == await line.results()


async def test_no_more_attempts_than_allowed_are_open_at_once() -> None:
    async with a_running_line(concurrency=2) as line:
        for number in (A, B, C):
            line.sender.hold(number)
        await line.accept(A, B, C)
        assert [A, B] == line.sender.ids()
        line.sender.release(A)
        await line.clock.settle()
        assert [A, B, C] == line.sender.ids()
        assert 2 == line.sender.most_under_way


async def test_a_slow_recipient_holds_up_nobody_else() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        await line.accept(A, B)
        await line.accept(B, request_id="again")
        assert [(B, "success"), ("again", "success")] == await line.results()


async def test_retry_after_of_a_429_stops_everything_for_so_long() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, too_many(retry_after=120))
        await line.accept(A)
        await line.accept(B, sender_number=OTHER_SENDER)
        await line.clock.advance(119)
        assert [A] == line.sender.ids()
        await line.clock.advance(1)
        assert {A, B} == set(line.sender.ids()[1:])
        assert [START, START + 120, START + 120] == line.sender.instants()


async def test_a_429_costs_no_retry() -> None:
    """Contract, section 4: Twilio says that it did not carry the request out."""
    async with a_running_line() as line:
        line.sender.script(A, *[too_many()] * 3)
        await line.accept(A, retries=0)
        await line.clock.advance(60)
        assert [(A, "success")] == await line.results()


async def test_a_429_halves_the_speed_and_a_round_of_acceptances_raises_it_by_one() -> None:
    async with a_running_line(concurrency=8) as line:
        line.sender.script(A, too_many(retry_after=1))
        await line.accept(A)
        assert 4.0 == line.pacing.pace.allowed
        await line.clock.advance(3)
        assert 4.0 + 1 / 4 == line.pacing.pace.allowed  # a fourth of a round


async def test_the_pause_after_429s_grows_whichever_request_they_answer() -> None:
    """It is the account that is too fast; a queue of fresh requests must not knock at full speed."""
    numbers = [f"+1234500{n:04}" for n in range(2000, 2010)]
    async with a_running_line(concurrency=1) as line:
        for number in numbers:
            line.sender.script(number, *[too_many()] * 9)
        await line.accept(*numbers)
        await line.clock.advance(31)
        assert [0, 1, 3, 7, 15, 31] == [at - START for at in line.sender.instants()]


async def test_a_full_sender_queue_pauses_that_number_alone() -> None:
    async with a_running_line(jitter=lambda: 1.0) as line:
        line.sender.script(A, refused(21_611))
        await line.accept(A)
        await line.accept(B)
        await line.accept(C, sender_number=OTHER_SENDER)
        assert [A, C] == line.sender.ids()
        await line.clock.advance(30)
        assert [A, C, A, B] == line.sender.ids()


async def test_a_shorter_pause_of_a_sender_number_does_not_cut_a_longer_one() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        line.sender.hold(B)
        line.sender.script(A, refused(21_611, retry_after=600))
        line.sender.script(B, refused(21_611))
        await line.accept(A, B)
        for number in (A, B):
            line.sender.release(number)
            await line.clock.settle()
        assert line.pacing.pace.senders[PacedSender(number=SENDER_NUMBER, channel=Channel.SMS)] >= START + 600


async def test_without_network_requests_wait_and_go_on_in_order_when_it_is_back() -> None:
    async with a_running_line(concurrency=1) as line:
        line.sender.script(A, NotSent(detail="no route to host"))
        line.sender.online = False
        await line.accept(A)
        await line.accept(B)
        await line.accept(C)
        await line.clock.advance(600)
        assert [A] == line.sender.ids()
        line.sender.online = True
        await line.clock.advance(2)
        assert [A, A, B, C] == line.sender.ids()
        assert 1 == line.events.count("twilio_unreachable") == line.events.count("twilio_reachable")


async def test_the_way_to_twilio_is_probed_at_most_once_a_second() -> None:
    async with a_running_line() as line:
        line.sender.script(A, NotSent(detail="no route to host"))
        line.sender.online = False
        await line.accept(A)
        for number in (B, C):
            await line.accept(number)
        await line.clock.advance(10)
        assert len(line.sender.probes) <= 12


async def test_attempts_that_fail_though_the_probe_succeeds_do_not_spin() -> None:
    """Each round writes to the journal: without a limit it would wear out disk and processor."""
    async with a_running_line() as line:
        line.sender.script(A, *[NotSent(detail="the certificate is not accepted")] * 100)
        await line.accept(A)
        await line.clock.advance(10)
        assert len(line.sender.sent) <= 12


@pytest.mark.parametrize(
    ("share", "ahead"), [(AHEAD_OF_A_FILE, 1), (AHEAD_OF_A_DATABASE, 4)], ids=["file", "database"]
)
async def test_attempts_opened_ahead_wait_for_a_place(share: float, ahead: int) -> None:
    """They are on disk already, so that no place waits for a commit; Twilio never sees more than allowed."""
    numbers = [f"+1234500{number:04}" for number in range(1, 17)]
    async with a_running_line(concurrency=8) as line:
        line.pacing.ahead_share = share
        for number in numbers:
            line.sender.hold(number)
        await line.accept(*numbers)
        assert numbers[:8] == line.sender.ids()
        assert 8 - ahead == len(await line.waiting()), (
            "sixteen, less eight under way, less those opened ahead"
        )
        line.sender.release(numbers[0])
        await line.clock.settle()
        assert numbers[:9] == line.sender.ids()
        assert 8 == line.sender.most_under_way
