"""The log names each request that ends without success, and no sender can flood it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import a_running_line
from tests.support.clock import HandClock
from tests.support.factories import a_claimed, a_rejection, refused
from tests.support.fakes import RecordingEvents
from twilio_notifications.core.errors import Reason
from twilio_notifications.pipeline.failures import LINES_A_MINUTE, Failures
from twilio_notifications.ports import Finish, Level, NewRejection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

A = "+12345000001"


def a_failure(message: str = "It failed") -> Finish:
    return Finish(id=1, at=0.0, status=b"{}", reason=Reason.EXPIRED, message=message)


def a_wrong_request(message: str, *, request_id: str = "request123") -> NewRejection:
    rejection = a_rejection(request_id=request_id)
    return NewRejection(
        channel=rejection.channel,
        request_id=request_id,
        accepted_at=rejection.accepted_at,
        reason=rejection.reason,
        message=message,
        status=rejection.status,
    )


class Log:
    """The lines, and the clock by which they are bounded."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.events = RecordingEvents()
        self.failures = Failures(events=self.events, clock=self.clock)


@pytest.fixture
async def log() -> AsyncIterator[Log]:
    log = Log()
    running = asyncio.create_task(log.failures.run())
    yield log
    running.cancel()
    await asyncio.wait({running})


async def test_a_failed_request_is_told_with_number_id_and_sentence() -> None:
    async with a_running_line() as line:
        line.sender.script(A, refused(21_211))
        await line.accept(A, request_id="freezer 7")
        (failed,) = line.events.named("request_failed")
    assert Level.WARNING is failed.level
    assert {
        "number": 1,
        "id": "freezer 7",
        "phone_number": A,
        "reason": Reason.INVALID_PARAMETER,
        "error": "Twilio error 21211: No: 21211",
    } == failed.fields


async def test_a_request_that_expires_is_told() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        await line.accept(A)
        await line.accept(A, request_id="late", lifetime=10)
        await line.clock.advance(11)
        (failed,) = line.events.named("request_failed")
    assert ("late", Reason.EXPIRED) == (failed.fields["id"], failed.fields["reason"])


async def test_a_success_is_no_line() -> None:
    async with a_running_line() as line:
        await line.accept(A)
        assert 0 == line.events.count("request_failed")


@pytest.mark.parametrize("kind", ["failed", "rejected"])
async def test_beyond_so_many_lines_a_minute_there_is_a_count(log: Log, kind: str) -> None:
    for _ in range(100):
        if kind == "failed":
            log.failures.failed(a_claimed(), a_failure())
        else:
            log.failures.rejected(a_rejection())
    await log.clock.settle()
    assert LINES_A_MINUTE == log.events.count(f"request_{kind}")
    assert 0 == log.events.count(f"requests_{kind}")
    await log.clock.advance(60)
    (count,) = log.events.named(f"requests_{kind}")
    assert (Level.WARNING, {"left_out": 100 - LINES_A_MINUTE}) == (count.level, count.fields)
    log.failures.failed(a_claimed(), a_failure())
    log.failures.rejected(a_rejection())
    assert LINES_A_MINUTE + 1 == log.events.count(f"request_{kind}")


async def test_a_flood_of_wrong_requests_hides_no_failure(log: Log) -> None:
    for _ in range(100):
        log.failures.rejected(a_rejection())
    log.failures.failed(a_claimed(), a_failure())
    assert 1 == log.events.count("request_failed")


async def test_what_was_left_out_is_told_at_the_end_too(log: Log) -> None:
    running = asyncio.create_task(log.failures.run())
    for _ in range(30):
        log.failures.rejected(a_rejection())
    await log.clock.settle()
    running.cancel()
    await asyncio.wait({running})
    assert [{"left_out": 10}] == [told.fields for told in log.events.named("requests_rejected")]


async def test_a_long_id_is_cut(log: Log) -> None:
    log.failures.rejected(a_wrong_request("It is wrong", request_id="x" * 1024))
    assert "x" * 64 + "…" == log.events.named("request_rejected")[0].fields["id"]


@pytest.mark.parametrize("value", ["Hello, the freezer is off", "0151 2345 6789", "a\nb", "+0123456789"])
async def test_a_rejection_does_not_repeat_what_stood_in_the_place_of_a_number(log: Log, value: str) -> None:
    """It may be a message text, or a whole telephone number."""
    log.failures.rejected(a_wrong_request(f"Recipient phone number {value} is not a valid E.164 number"))
    (rejected,) = log.events.named("request_rejected")
    assert "Recipient phone number is not a valid E.164 number" == rejected.fields["error"]


@pytest.mark.parametrize("number", ["4254492999", "0151 2345 6789", "(425) 449-29-99", "0049-151-234567"])
async def test_a_number_without_a_plus_is_masked_in_a_sentence(log: Log, number: str) -> None:
    log.failures.failed(a_claimed(), a_failure(f"Twilio error 21211: {number} is no number"))
    error = str(log.events.named("request_failed")[0].fields["error"])
    assert number not in error
    assert "**" in error


async def test_codes_instants_and_sids_are_not_masked(log: Log) -> None:
    sentence = (
        "Twilio error 572006: until 2026-11-26T21:05:00Z, SM0123456789abcdef0123456789abcdef, 1048576 bytes"
    )
    log.failures.failed(a_claimed(), a_failure(sentence))
    assert sentence == log.events.named("request_failed")[0].fields["error"]
