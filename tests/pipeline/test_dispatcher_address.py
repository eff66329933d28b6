"""What answers is not Twilio, or not this account's place there: requests wait, and none is used up."""

from __future__ import annotations

import pytest

from tests.pipeline.line import a_running_line
from tests.support.factories import START
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Answered

A, B, C = "+12345000001", "+12345000002", "+12345000003"
NOT_FOUND = Answered(http_status=404, code=20404, message="Not found")
PROXY = Answered(http_status=403, is_twilios=False)


@pytest.mark.parametrize("answer", [NOT_FOUND, PROXY, Answered(http_status=302, is_twilios=False)])
async def test_a_wrong_address_uses_up_no_request(answer: Answered) -> None:
    async with a_running_line() as line:
        for number in (A, B):
            line.sender.script(number, *[answer] * 3)
        await line.accept(A, B, retries=0)
        await line.clock.advance(600)
        assert {(A, "success"), (B, "success")} == set(await line.results())


async def test_the_request_says_what_it_waits_for() -> None:
    async with a_running_line() as line:
        line.sender.script(A, *[NOT_FOUND] * 9)
        await line.accept(A)
        (waiting,) = await line.waiting()
        assert WaitReason.TWILIO_UNREACHABLE is waiting.waiting_reason
        assert waiting.due_at > START


async def test_a_wrong_address_is_not_asked_at_full_speed() -> None:
    numbers = [f"+1234500{n:04}" for n in range(2000, 2010)]
    async with a_running_line(concurrency=1) as line:
        for number in numbers:
            line.sender.script(number, *[NOT_FOUND] * 99)
        await line.accept(*numbers)
        await line.clock.advance(31)
        assert [0, 1, 3, 7, 15, 31] == [at - START for at in line.sender.instants()]


async def test_a_request_that_a_proxy_alone_turns_away_holds_up_no_other() -> None:
    async with a_running_line(concurrency=1) as line:
        line.sender.script(A, *[PROXY] * 1000)
        await line.accept(A)
        for number in (B, C):
            await line.accept(number)
        await line.clock.advance(2)
        assert {(B, "success"), (C, "success")} == set(await line.results())
        await line.clock.advance(600)
        assert line.sender.ids().count(A) < 20
