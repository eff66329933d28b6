"""When Twilio refuses the credentials: neither a burnt queue nor hours of silence (contract, section 4)."""

from __future__ import annotations

import pytest

from tests.pipeline.line import a_running_line
from tests.support.factories import START, too_many, unauthorized
from tests.support.fakes import ScriptedSecret, Sent

A, B, C = "+12345000001", "+12345000002", "+12345000003"


async def test_with_a_new_secret_the_attempt_is_repeated_at_once() -> None:
    async with a_running_line() as line:
        line.sender.script(A, unauthorized())
        line.secret.value = "new"
        await line.accept(A, retries=0)
        assert [START, START] == line.sender.instants()
        assert [(A, "success")] == await line.results()
        assert 1 == line.events.count("secret_renewed")


async def test_with_the_same_secret_one_request_probes_slowly() -> None:
    async with a_running_line() as line:
        for number in (A, B, C):
            line.sender.script(number, *[unauthorized()] * 100)
            await line.accept(number)
        await line.clock.advance(35)
        assert [0, 10, 20, 30] == [at - START for at in line.sender.instants()]


async def test_a_request_that_alone_is_refused_does_not_spin_between_others_that_are_not() -> None:
    """Some codes of that class mean "may not do this": calls are refused while texts go through."""
    others = [f"+1234500{n:04}" for n in range(2000, 2040)]
    async with a_running_line(concurrency=2) as line:
        line.sender.script(A, *[unauthorized()] * 1000)
        await line.accept(A, *others)
        assert 1 == line.sender.ids().count(A)
        await line.clock.advance(35)
        assert [0, 10, 20, 30] == [sent.at - START for sent in line.sender.to(A)]
        assert 40 == len(await line.results())


async def test_after_the_wait_each_request_fails_as_unauthorized() -> None:
    async with a_running_line() as line:
        for number in (A, B):
            line.sender.script(number, *[unauthorized()] * 100)
        await line.accept(A)
        await line.clock.advance(100)
        await line.accept(B)
        await line.clock.advance(199)
        assert [] == await line.results()
        await line.clock.advance(2)
        assert [(A, "Unauthorized")] == await line.results()
        await line.clock.advance(98)
        assert [(A, "Unauthorized")] == await line.results()
        await line.clock.advance(2)
        assert [(A, "Unauthorized"), (B, "Unauthorized")] == await line.results()
        assert 1 == line.events.count("credentials_refused")


async def test_credentials_that_work_again_let_everything_go_on() -> None:
    async with a_running_line() as line:
        line.sender.script(A, *[unauthorized()] * 2)
        await line.accept(A)
        await line.accept(B)
        await line.clock.advance(21)
        assert {(A, "success"), (B, "success")} == set(await line.results())


async def test_a_secret_that_cannot_be_read_waits_like_a_wrong_one() -> None:
    async with a_running_line() as line:
        line.sender.script(A, *[unauthorized()] * 100)
        line.secret.value = None
        await line.accept(A)
        await line.clock.advance(305)
        assert [(A, "Unauthorized")] == await line.results()


async def test_attempts_opened_before_a_renewal_do_not_close_the_gate() -> None:
    async with a_running_line() as line:
        for number in (A, B, C):
            line.sender.hold(number)
            line.sender.script(number, unauthorized())
        await line.accept(A, B, C)
        line.secret.value = "new"
        for number in (A, B, C):
            line.sender.release(number)
            await line.clock.settle()
        assert line.dispatcher.pace.refused_since is None
        assert 0 == line.events.count("credentials_refused")
        assert {(A, "success"), (B, "success"), (C, "success")} == set(await line.results())


@pytest.mark.parametrize(("secret", "repeated"), [("old", []), ("new", [B])])
async def test_refused_credentials_do_not_cut_the_pause_that_a_429_asked_for(
    secret: str, repeated: list[str]
) -> None:
    """With a new secret, the attempt under way is repeated as part of itself; no other one is made."""
    async with a_running_line() as line:
        line.sender.hold(A)
        line.sender.hold(B)
        line.sender.script(A, too_many(retry_after=250))
        line.sender.script(B, unauthorized())
        await line.accept(A, B)
        line.secret.value = secret
        for number in (A, B):
            line.sender.release(number)
            await line.clock.settle()
        await line.accept(C)
        await line.clock.advance(249)
        assert [A, B, *repeated] == line.sender.ids()


async def test_while_credentials_are_refused_the_journal_is_not_polled() -> None:
    async with a_running_line() as line:
        for number in (A, B):
            line.sender.script(number, *[unauthorized()] * 100)
        await line.accept(A)
        await line.clock.advance(299)
        await line.accept(B)
        await line.clock.advance(2)
        before = line.clock.naps
        await line.clock.advance(20)
        assert line.clock.naps - before <= 15


async def test_a_second_token_is_tried_at_once_and_then_goes_first() -> None:
    async with a_running_line(second=ScriptedSecret("second")) as line:
        line.sender.script(A, unauthorized())
        await line.accept(A, B)
        assert [START] * 3 == line.sender.instants()
        assert ["old", "second"] == secrets_of(line.sender.to(A))
        assert {(A, "success"), (B, "success")} == set(await line.results())
        await line.accept(C)
        assert ["second"] == secrets_of(line.sender.to(C))


async def test_with_both_tokens_refused_the_wait_is_no_longer_than_with_one() -> None:
    """Each probe tries both; going from one to the other is no news that would begin the wait again."""
    async with a_running_line(second=ScriptedSecret("second")) as line:
        line.sender.script(A, *[unauthorized()] * 100)
        await line.accept(A)
        await line.clock.advance(299)
        assert ["old", "second"] * 30 == secrets_of(line.sender.to(A))
        assert [] == await line.results()
        await line.clock.advance(2)
        assert [(A, "Unauthorized")] == await line.results()
        assert 1 == line.events.count("credentials_refused")


def secrets_of(sent: list[Sent]) -> list[str]:
    return [each.login.secret.reveal() for each in sent if each.login is not None]
