"""What the log says while requests wait: one line at the beginning, with its end, and one at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import Line, a_running_line
from tests.support.factories import SENDER_NUMBER, START, refused, too_many, unauthorized
from tests.support.reading import of_kind
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import Answered, Channel, NotSent
from twilio_notifications.core.policy import Limits, Period, Quota, Unit
from twilio_notifications.ports import Level
from twilio_notifications.ports.journal.timeline import PauseLasted

if TYPE_CHECKING:
    from pathlib import Path

A, B, C = "+12345000001", "+12345000002", "+12345000003"
AT_600 = "2023-11-14T22:23:20Z"


def told(line: Line, *names: str) -> list[tuple[str, Level]]:
    return [(event.name, event.level) for event in line.events.lines if event.name in names]


async def test_a_pause_of_the_account_is_told_when_it_begins_and_when_it_ends() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, too_many(retry_after=600))
        await line.accept(A, B, C)
        (paused,) = line.events.named("sending_paused")
        assert (Level.WARNING, AT_600) == (paused.level, paused.fields["until"])
        assert "20429" in str(paused.fields["error"])
        await line.clock.advance(599)
        assert [] == told(line, "sending_resumed")
        await line.clock.advance(1)
        assert [("sending_resumed", Level.INFO)] == told(line, "sending_resumed")
        assert 1 == line.events.count("sending_paused")


async def test_attempts_that_were_under_way_together_are_one_line() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        for number in (A, B, C):
            line.sender.hold(number)
            line.sender.script(number, too_many(retry_after=600))
        await line.accept(A, B, C)
        for number in (A, B, C):
            line.sender.release(number)
        await line.clock.settle()
        assert 1 == line.events.count("sending_paused")


async def test_pauses_that_come_and_go_are_bounded() -> None:
    """At full speed a 429 is ordinary: it comes each second."""
    async with a_running_line(concurrency=1) as line:
        numbers = [f"+1234500{n:04}" for n in range(2000, 2050)]
        for number in numbers:
            line.sender.script(number, too_many(retry_after=1))
        await line.accept(*numbers)
        await line.clock.advance(59)
        assert 6 == line.events.count("sending_paused")
        assert line.events.count("sending_resumed") <= 6


async def test_a_long_pause_is_told_after_however_many_short_ones() -> None:
    async with a_running_line(concurrency=1, jitter=lambda: 0.0) as line:
        numbers = [f"+1234500{n:04}" for n in range(2000, 2009)]
        for number in numbers[:8]:
            line.sender.script(number, too_many(retry_after=1))
        line.sender.script(numbers[8], too_many(retry_after=600))
        await line.accept(*numbers)
        await line.clock.advance(10)
        assert "2023-11-14T22:23:28Z" == line.events.named("sending_paused")[-1].fields["until"]
        (pause,) = await line.journal.lasting_pauses()
        assert START + 608 == pause.until


async def test_while_the_account_pauses_the_journal_says_why_and_until_when() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, too_many(retry_after=600))
        await line.accept(A)
        await line.accept(B, C)
        expected = (START + 600, WaitReason.ACCOUNT_SLOWED)
        assert [expected] * 3 == [(each.due_at, each.waiting_reason) for each in await line.waiting()]
        await line.clock.advance(600)
        assert {(A, "success"), (B, "success"), (C, "success")} == set(await line.results())


async def test_what_is_written_down_of_a_large_backlog_is_bounded() -> None:
    numbers = [f"+1234500{n:04}" for n in range(2000, 2400)]
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, too_many(retry_after=10))
        await line.accept(A)
        await line.accept(*numbers)
        held = [each for each in await line.waiting() if each.waiting_reason is WaitReason.ACCOUNT_SLOWED]
        assert 200 == len(held) - 1, "so many for each of the ten seconds, and the one that was answered"


async def test_a_short_pause_is_not_written_down() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, too_many(retry_after=4))
        await line.accept(A)
        await line.accept(B)
        assert [None] == [each.waiting_reason for each in await line.waiting() if each.due_at == START]


async def test_a_full_sender_queue_is_told_with_its_number() -> None:
    async with a_running_line() as line:
        line.sender.script(A, refused(21_611, retry_after=60))
        await line.accept(A, B)
        (paused,) = line.events.named("sender_paused")
        assert (Level.WARNING, SENDER_NUMBER) == (paused.level, paused.fields["sender_number"])
        assert "until" in paused.fields
        await line.clock.advance(62)
        assert 1 == line.events.count("sender_resumed") == line.events.count("sender_paused")


async def test_the_queues_of_a_number_for_texts_and_for_calls_pause_by_themselves(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_running_line(jitter=lambda: 0.0, path=path) as line:
        line.sender.script(A, refused(21_611, retry_after=600))
        line.sender.script(B, refused(22_005, retry_after=60))
        await line.accept(A)
        await line.accept(B, C, channel=Channel.CALL)
        texts, calls = line.events.named("sender_paused")
        assert ("SMS", "CALL") == (texts.fields["channel"], calls.fields["channel"])
        assert ["21611", "22005"] == [
            pause.message.split()[2].rstrip(":") for n in (1, 2) for pause in of_kind(path, n, PauseLasted)
        ]
        await line.clock.advance(61)
        (resumed,) = line.events.named("sender_resumed")
        assert "CALL" == resumed.fields["channel"]


async def test_a_used_up_limit_is_told_once_for_all_requests_that_wait_for_it() -> None:
    async with a_running_line() as line:
        line.admission.limits = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=1),))
        await line.accept(A, B, C)
        (used_up,) = line.events.named("limit_used_up")
        assert (Level.WARNING, "2023-11-14T23:00:00Z") == (used_up.level, used_up.fields["until"])
        assert [WaitReason.QUOTA_USED_UP] * 2 == [each.waiting_reason for each in await line.waiting()]
        await line.clock.advance(3600)
        assert 1 == line.events.count("limit_free_again")


async def test_refused_credentials_are_told_until_they_are_accepted() -> None:
    async with a_running_line() as line:
        line.sender.script(A, unauthorized(), unauthorized())
        await line.accept(A)
        (refusal,) = line.events.named("credentials_refused")
        assert (Level.ERROR, "2023-11-14T22:18:20Z") == (refusal.level, refusal.fields["until"])
        await line.clock.advance(30)
        assert 1 == line.events.count("credentials_accepted") == line.events.count("credentials_refused")


@pytest.mark.parametrize(
    "answer",
    [Answered(http_status=404, code=20404, message="Not found"), Answered(http_status=403, is_twilios=False)],
)
async def test_a_wrong_address_is_told_once_and_names_the_setting(answer: Answered) -> None:
    async with a_running_line() as line:
        line.sender.script(A, *[answer] * 3)
        await line.accept(A)
        await line.clock.advance(60)
        (away,) = line.events.named("twilio_unreachable")
        assert Level.WARNING is away.level
        assert "base_url in [twilio]" in str(away.fields["error"])
        assert "until" in away.fields
        assert 1 == line.events.count("twilio_reachable")


async def test_a_network_that_is_away_is_told_once() -> None:
    async with a_running_line() as line:
        line.sender.script(A, NotSent(detail="no route"))
        line.sender.online = False
        await line.accept(A, B)
        await line.clock.advance(5)
        line.sender.online = True
        await line.clock.advance(5)
        expected = [("twilio_unreachable", Level.WARNING), ("twilio_reachable", Level.INFO)]
        assert expected == told(line, "twilio_unreachable", "twilio_reachable")
