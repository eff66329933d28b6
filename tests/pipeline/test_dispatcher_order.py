"""One attempt at a time for a recipient, in the order of acceptance; and what a drain leaves behind."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import a_line, a_running_line, running
from tests.support.crash_points import CrashPoint
from tests.support.factories import START, a_postponement, a_request, refused, too_many
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Channel, NotSent, Priority, Unanswered, VoiceLocation

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = "+12345000001", "+12345000002", "+12345000003"


async def test_a_recipient_has_one_open_attempt_at_most() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        for name in ("one", "two", "three"):
            await line.accept(A, request_id=name)
        assert ["one"] == line.sender.ids()
        line.sender.release(A)
        await line.clock.settle()
        assert ["one", "two", "three"] == line.sender.ids()
        assert 1 == line.sender.most_under_way


async def test_the_next_request_of_a_recipient_follows_as_soon_as_the_first_is_closed(tmp_path: Path) -> None:
    """On a file, claims read next to the writer: only the closed attempt can say that there is more."""
    async with a_running_line(path=tmp_path / "journal.db") as line:
        line.sender.hold(A)
        for name in ("one", "two", "three"):
            await line.accept(A, request_id=name)
        with line.stalled_disk():
            line.sender.release(A)
            await line.turns()
            assert ["one"] == line.sender.ids()
        await line.clock.settle()
        assert ["one", "two", "three"] == line.sender.ids()


async def test_a_text_and_a_call_for_one_person_do_not_wait_for_each_other() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        await line.accept(A, request_id="text")
        call = VoiceLocation(url="https://example.com/twiml")
        await line.accept(A, request_id="call", channel=Channel.CALL, content=call)
        assert ["text", "call"] == line.sender.ids()


@pytest.mark.parametrize(
    "answer", [too_many(retry_after=5), refused(21_611, retry_after=5), NotSent(detail="no route")]
)
async def test_the_order_of_a_recipient_survives_a_deferral(answer: NotSent) -> None:
    async with a_running_line() as line:
        line.sender.script(A, answer)
        for name in ("alarm", "all clear"):
            await line.accept(A, request_id=name)
        await line.clock.advance(10)
        assert ["alarm", "alarm", "all clear"] == line.sender.ids()


async def test_the_order_of_a_recipient_survives_a_retry() -> None:
    async with a_line() as line:
        await line.journal.record([a_request(A, request_id="alarm", retries=1)])
        await line.journal.record([a_request(A, request_id="all clear")])
        await line.journal.open_attempts([1], at=START, clock_offset=None)
        retried = a_postponement(1, due_at=START + 8, reason=WaitReason.RETRY, counted=True)
        await line.journal.take([retried])
        async with running(line):
            await line.clock.advance(7)
            assert [] == line.sender.ids()
            await line.clock.advance(1)
            assert ["alarm", "all clear"] == line.sender.ids()


async def test_without_ordering_a_later_request_overtakes_one_that_waits_for_its_retry() -> None:
    async with a_line(ordering="none") as line:
        await line.journal.record([a_request(A, request_id="first")])
        await line.journal.record([a_request(A, request_id="second")])
        await line.journal.open_attempts([1], at=START, clock_offset=None)
        await line.journal.take([a_postponement(1, due_at=START + 8)])
        async with running(line):
            assert ["second"] == line.sender.ids()
            await line.clock.advance(8)
            assert ["second", "first"] == line.sender.ids()


async def test_without_ordering_a_request_that_takes_the_turn_after_a_claim_is_no_defect(
    tmp_path: Path,
) -> None:
    """A claim reads what is committed; what the journal still has to write may give the turn to another."""
    async with a_line(ordering="none", path=tmp_path / "journal.db") as line:
        await line.journal.record([a_request(A, request_id="first")])
        await line.journal.open_attempts([1], at=START, clock_offset=None)
        await line.journal.take([a_postponement(1, due_at=START + 8)])
        async with running(line):
            with line.stalled_disk():
                recorded = line.journal.record([a_request(A, request_id="second", accepted_at=START + 7)])
                await line.turns()
                line.clock.set(START + 9)
                line.dispatcher.wake()
                await line.turns()
            await recorded
            await line.clock.settle()
            assert {"first", "second"} == set(line.sender.ids())


async def test_urgent_requests_overtake_waiting_ones_of_other_recipients() -> None:
    async with a_line(concurrency=1) as line:
        for number, priority in ((A, Priority.LOW), (B, Priority.NORMAL), (C, Priority.URGENT)):
            await line.journal.record([a_request(number, request_id=number, priority=priority)])
        async with running(line):
            assert [C, B, A] == line.sender.ids()


async def test_of_ten_places_one_is_a_normal_and_one_a_low_requests() -> None:
    """A flood of urgent requests from one publisher must not hold everything else for hours."""
    urgent = [f"+1234501{number:04}" for number in range(40)]
    others = {
        priority: [f"+123450{digit}{number:04}" for number in range(2)]
        for digit, priority in ((2, Priority.NORMAL), (3, Priority.LOW))
    }
    async with a_line(concurrency=1) as line:
        for number in urgent:
            await line.journal.record([a_request(number, request_id="urgent", priority=Priority.URGENT)])
        for priority, numbers in others.items():
            for number in numbers:
                await line.journal.record([a_request(number, request_id=priority, priority=priority)])
        async with running(line):
            await line.clock.settle()
        ten = ["urgent"] * 4 + ["normal"] + ["urgent"] * 4 + ["low"]
        assert [*ten, *ten, *["urgent"] * 24] == line.sender.ids()


async def test_urgent_requests_never_overtake_one_of_the_same_recipient() -> None:
    async with a_line() as line:
        for name, priority in (("low", Priority.LOW), ("urgent", Priority.URGENT)):
            await line.journal.record([a_request(A, request_id=name, priority=priority)])
        async with running(line):
            assert ["low", "urgent"] == line.sender.ids()


async def test_a_sender_that_raises_leaves_doubt() -> None:
    """A defect of ours: the request may have left all the same, so it is neither failed nor sent again."""
    async with a_running_line() as line:
        line.sender.script(A, RuntimeError("defect"))
        await line.accept(A, retries=5)
        await line.accept(A, request_id="next")
        assert [A] == line.sender.ids()
        assert [] == await line.results()
        assert [(START, False)] == [
            (doubt.opened_at, doubt.cut_off) for doubt in await line.journal.doubtful(now=START + 60, limit=9)
        ]
        assert ["attempt_failed"] == [name for name, _ in line.events.defects]
        await line.bells.doubts.wait()  # the settler's, and rung


async def test_no_answer_leaves_doubt() -> None:
    async with a_running_line() as line:
        line.sender.script(A, Unanswered(detail="timed out"))
        await line.accept(A)
        (doubt,) = await line.journal.doubtful(now=START + 60, limit=9)
        assert (1, START) == (doubt.request.id, doubt.doubt_at)


async def test_the_attempt_is_on_disk_before_it_is_made(tmp_path: Path) -> None:
    """On a file, the claim is read next to the writer, and only the opening waits for the disk."""
    async with a_running_line(path=tmp_path / "journal.db") as line:
        await line.journal.record([a_request(A)])
        with line.stalled_disk():
            line.dispatcher.wake()
            await line.turns()
            assert ([CrashPoint.REQUESTS_CLAIMED], []) == (line.events.points, line.sender.sent)
        await line.clock.settle()
        assert [CrashPoint.REQUESTS_CLAIMED, CrashPoint.ATTEMPTS_OPENED] == line.events.points[:2]
        assert 1 == len(line.sender.sent)


async def test_a_drain_waits_for_attempts_under_way_and_opens_no_other() -> None:
    async with a_running_line() as line:
        line.sender.hold(A)
        await line.accept(A)
        drained = asyncio.create_task(line.dispatcher.drain())
        await line.accept(B)
        assert ([A], False) == (line.sender.ids(), drained.done())
        line.sender.release(A)
        await line.clock.settle()
        assert drained.done()
        assert ([(A, "success")], [B]) == (
            await line.results(),
            [waiting.notification.request_id for waiting in await line.waiting()],
        )


async def test_a_drain_that_begins_during_a_turn_of_the_dispatcher_opens_no_attempt_either() -> None:
    """It would be cut off in the middle, and be in doubt for no reason at the next start.

    In memory, the first look of a turn waits for the disk.
    """
    async with a_running_line() as line:
        await line.journal.record([a_request(A)])
        with line.stalled_disk():
            line.dispatcher.wake()
            await line.turns()
            assert (1, 0) == (line.watched.count("overdue"), line.watched.count("claim"))
            drained = asyncio.create_task(line.dispatcher.drain())
            await line.turns()
            assert drained.done()
        await line.clock.settle()
        assert [CrashPoint.REQUESTS_CLAIMED] == line.events.points
        assert [] == line.sender.sent


async def test_an_attempt_that_is_cut_off_stays_open_for_the_next_start() -> None:
    async with a_line() as line:
        line.sender.hold(A)
        async with running(line):
            await line.accept(A)
        recovery = await line.journal.recover(now=START + 5)
        assert (0, 1, 0) == (recovery.waiting, recovery.in_doubt, recovery.unreported)
        (doubt,) = await line.journal.doubtful(now=START + 60, limit=9)
        assert doubt.cut_off
