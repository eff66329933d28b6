"""Paced senders: what leaves when, which request is next, and what a restart remembers."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import a_line, a_running_line, a_writer, an_intake, running
from tests.support.factories import (
    SENDER_NUMBER,
    START,
    a_payload,
    a_request,
    refused,
    too_many,
    unauthorized,
)
from tests.support.reading import entry, of_kind
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Cancellation, Priority, Text
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.core.policy import Destinations, Limits
from twilio_notifications.core.quiet_hours import QuietHours, QuietWindow
from twilio_notifications.ports import Inbound, NewWish
from twilio_notifications.ports.journal.timeline import Waited

if TYPE_CHECKING:
    from pathlib import Path

    from tests.pipeline.line import Line
    from twilio_notifications.core.model import Answered

OTHER_SENDER = "+18888888888"
ONE = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
TEN = SenderRates(texts=Rate.per_second(10), calls=Rate.per_second(1))

NIGHT = QuietWindow(begins=time(22), ends=time(7), zone=UTC)
"""The clock begins at 22:13:20."""

LONG = Text(body="x" * 400)


def number(n: int) -> str:
    return f"+1234{n:07d}"


async def backlog(line: Line, count: int, *, first: int = 0, **arguments: object) -> None:
    """Records so many requests for as many recipients in one transaction."""
    named = {"accepted_at": line.clock.now(), **arguments}
    requests = [
        a_request(number(first + n), request_id=str(first + n), **named)  # type: ignore[arg-type]
        for n in range(count)
    ]
    await line.journal.record(requests)
    line.dispatcher.wake()
    await line.clock.settle()


async def test_a_sender_of_one_segment_a_second_sends_one_each_second() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 5)
        await line.clock.advance(10)
        assert [START + n for n in range(5)] == line.sender.instants()


async def test_a_text_of_three_segments_takes_three_seconds() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 2, content=LONG)
        await backlog(line, 1, first=2)
        await line.clock.advance(10)
        assert [START, START + 3, START + 6] == line.sender.instants()


async def test_what_one_second_allows_leaves_at_once_and_then_one_after_the_other() -> None:
    async with a_running_line(paces={SENDER_NUMBER: TEN}) as line:
        await backlog(line, 12)
        assert [START] * 10 == line.sender.instants()
        await line.clock.advance(0.15)
        assert 11 == len(line.sender.instants())


async def test_a_sender_without_a_pace_is_not_slowed_by_one_that_has_one() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 20)
        await backlog(line, 20, first=100, sender_number=OTHER_SENDER)
        assert 21 == len(line.sender.instants())


async def test_one_urgent_request_behind_5000_normal_ones_is_the_next_to_leave() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 5_000, lifetime=100_000.0)
        for after in range(1, 13):
            await line.clock.advance(0.5)
            urgent = f"urgent {after}"
            await line.accept(number(10_000 + after), request_id=urgent, priority=Priority.URGENT)
            await line.clock.advance(0.5)
            assert urgent == line.sender.ids()[-1]
            await line.clock.advance(1)
            assert not line.sender.ids()[-1].startswith("urgent")


async def test_an_urgent_request_does_not_overtake_an_older_one_to_the_same_recipient() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 3)
        await line.accept(number(2), request_id="urgent", priority=Priority.URGENT)
        await line.clock.advance(10)
        assert ["0", "1", "2", "urgent"] == line.sender.ids()


async def test_of_ten_places_one_is_a_normal_and_one_a_low_request_while_urgent_ones_wait() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await line.accept(number(999), request_id="first", priority=Priority.URGENT)
        for at, priority in ((0, Priority.URGENT), (100, Priority.NORMAL), (200, Priority.LOW)):
            await backlog(line, 40, first=at, priority=priority)
        await line.clock.advance(20)
        ids = [int(one) for one in line.sender.ids()[1:21]]
        assert [2, 2] == [
            sum(100 <= one < 200 for one in ids),
            sum(one >= 200 for one in ids),
        ]


async def test_a_restart_in_the_middle_sends_no_burst(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_line(path=path, paces={SENDER_NUMBER: ONE}) as line, running(line):
        await backlog(line, 5, content=LONG)
        assert [START] == line.sender.instants()
    async with a_line(path=path, paces={SENDER_NUMBER: ONE}) as line:
        await line.journal.recover(now=line.clock.now())
        async with running(line):
            await line.clock.advance(2.9)
            assert [] == line.sender.instants()
            await line.clock.advance(0.1)
            assert [START + 3] == line.sender.instants()


async def test_a_full_queue_at_twilio_stalls_one_sender_and_no_other() -> None:
    paces = {SENDER_NUMBER: ONE, OTHER_SENDER: ONE}
    async with a_running_line(paces=paces) as line:
        line.sender.script(number(0), refused(21_611))
        await backlog(line, 5)
        await backlog(line, 5, first=100, sender_number=OTHER_SENDER)
        await line.clock.advance(10)
        assert ["0", "100", "101", "102", "103", "104"] == sorted(line.sender.ids())
        claims = line.watched.count("open_attempts")
        await line.clock.advance(5)
        assert claims == line.watched.count("open_attempts")


@pytest.mark.parametrize("answer", [refused(21_611, retry_after=10), too_many(retry_after=10)])
async def test_what_twilio_puts_off_is_not_overtaken_by_what_waits_behind_it(answer: Answered) -> None:
    """Nor is anything that waits meanwhile, which for a pause of the account is written down."""
    async with a_running_line(paces={SENDER_NUMBER: ONE}, jitter=lambda: 0.0) as line:
        line.sender.script(number(0), answer)
        await backlog(line, 150)
        await line.clock.advance(13.5)
        assert ["0", "0", "1", "2", "3"] == line.sender.ids()


async def test_of_what_twilio_puts_off_the_time_line_has_the_end_of_the_wait(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_running_line(paces={SENDER_NUMBER: ONE}, jitter=lambda: 0.0, path=path) as line:
        line.sender.script(number(0), refused(21_611, retry_after=10))
        await backlog(line, 2)
        for request in (1, 2):
            found = entry(path, request, now=line.clock.now()).waits
            assert found is not None
            assert (WaitReason.SENDER_QUEUE_FULL, START + 10) == (found.reason, found.until)
        for _ in range(2):
            (wait,) = of_kind(path, 1, Waited, now=line.clock.now())
            assert (START, START + 10) == (wait.at, wait.until)
            await line.clock.advance(11)


@pytest.mark.parametrize("answer", [refused(21_611, retry_after=60), too_many(retry_after=60)])
async def test_what_expires_while_its_sender_or_the_account_is_put_off_is_rate_limited(
    answer: Answered,
) -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}, jitter=lambda: 0.0) as line:
        line.sender.script(number(0), answer)
        await line.accept(number(9))
        await line.accept(number(1), lifetime=5)
        await line.accept(number(0), priority=Priority.URGENT)
        await line.clock.advance(6)
        assert [number(9), number(0)] == line.sender.ids()
        assert "RateLimited" == dict(await line.results())[number(1)]


async def test_what_waited_alone_for_a_new_login_has_its_old_place_again() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}, jitter=lambda: 0.0) as line:
        line.sender.script(number(0), unauthorized())
        await backlog(line, 300)
        await line.clock.advance(15)
        assert ["0", "1", "0", "2"] == line.sender.ids()[:4], "another one has found out that the login works"


async def test_what_is_cancelled_while_its_attempt_is_open_is_answered_whatever_waits_for_its_sender() -> (
    None
):
    async with a_running_line(paces={SENDER_NUMBER: ONE}, jitter=lambda: 0.0) as line:
        line.sender.hold(number(0))
        line.sender.script(number(0), refused(21_611, retry_after=5))
        await backlog(line, 300)
        cancel = Cancellation(request_id="0")
        wish = NewWish(wish=cancel, at=line.clock.now(), writer=a_writer(line.surroundings))
        await line.journal.record([wish])
        line.sender.release(number(0))
        await line.clock.settle()
        await line.clock.advance(6)
        assert ("0", "Cancelled") in await line.results()


async def test_a_restart_does_not_forget_that_a_queue_at_twilio_is_full(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_line(path=path) as line, running(line):
        line.sender.script(number(0), refused(21_611))
        await backlog(line, 1)
    async with a_line(path=path) as line:
        line.pacing.recover((await line.journal.recover(now=line.clock.now())).stalled)
        async with running(line):
            await backlog(line, 1, first=7)
            await line.clock.advance(14)
            assert [] == line.sender.ids()
            await line.clock.advance(40)
            assert ["0", "7"] == sorted(line.sender.ids())


async def test_what_arrives_leaves_at_once_only_while_its_sender_has_room() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        intake = an_intake(line.surroundings, line.stages)
        for n in range(3):
            payload = a_payload(number(n), request_id=str(n), from_number=SENDER_NUMBER)
            intake.receive(Inbound(topic="twilio/txt", payload=payload, acknowledge=lambda: None))
        await line.clock.settle()
        assert ["0"] == line.sender.ids()
        await line.clock.advance(2)
        assert ["0", "1", "2"] == line.sender.ids()


async def test_what_is_not_allowed_is_answered_at_once_however_many_wait_for_its_sender() -> None:
    limits = Limits(texts=Destinations(denied=(number(77),)))
    quiet = QuietHours(by_phone_number={number(78): (NIGHT,)})
    async with a_running_line(paces={SENDER_NUMBER: ONE}, limits=limits, quiet_hours=quiet) as line:
        intake = an_intake(line.surroundings, line.stages)
        await backlog(line, 500)
        for n in (77, 78):
            payload = a_payload(number(n), request_id=str(n), from_number=SENDER_NUMBER)
            intake.receive(Inbound(topic="twilio/txt", payload=payload, acknowledge=lambda: None))
        await line.clock.settle()
        assert {("0", "success"), ("77", "NotAllowed"), ("78", "Expired")} == set(await line.results())
        await line.clock.advance(3)
        assert ["0", "1", "2", "3"] == line.sender.ids()


async def test_what_expires_before_its_sender_has_room_says_so() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}) as line:
        await backlog(line, 5)
        await line.accept(number(9), lifetime=3)
        await line.clock.advance(3)
        (status,) = [status for status in await line.statuses() if status["id"] == number(9)]
        assert "Expired" == status["response"]["error"]
        assert status["response"]["error_message"].endswith("; last: the pace of its sender ([[pace]])")


async def test_what_waits_for_quiet_hours_and_then_for_its_sender_leaves_at_its_pace() -> None:
    async with a_running_line(paces={SENDER_NUMBER: ONE}, quiet_hours=QuietHours(windows=(NIGHT,))) as line:
        await backlog(line, 3, lifetime=100_000.0)
        seven = datetime(2023, 11, 15, 7, tzinfo=UTC).timestamp()
        await line.clock.advance(seven - START + 5)
        assert [seven, seven + 1, seven + 2] == line.sender.instants()


async def test_senders_that_are_named_later_pace_what_waits_already(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_line(path=path) as line:
        await backlog(line, 3, content=LONG)
    async with a_line(path=path, paces={SENDER_NUMBER: ONE}) as line, running(line):
        await line.clock.advance(6)
        assert [START, START + 3, START + 6] == line.sender.instants()
    async with a_line(path=path) as line:
        await backlog(line, 3, first=10)
        async with running(line):
            assert 3 == len(line.sender.instants())
