"""Every wait has a reason and an end: in the journal, in the log, and for the next start."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import a_line, a_running_line, running
from tests.support.factories import SENDER_NUMBER, START, refused, too_many, unauthorized
from tests.support.reading import entries, entry, of_kind
from twilio_notifications.core.errors import WaitReason
from twilio_notifications.core.model import NotSent, Priority
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.core.policy import Destinations, Limits, Period, Quota, Unit
from twilio_notifications.core.quiet_hours import InQuietHours, QuietHours, QuietWindow
from twilio_notifications.ports import Level
from twilio_notifications.ports.journal.reader import Only
from twilio_notifications.ports.journal.timeline import PauseLasted

if TYPE_CHECKING:
    from pathlib import Path

A, B, C, D = "+12345000001", "+12345000002", "+12345000003", "+12345000004"

NIGHT = QuietWindow(begins=time(22), ends=time(7), zone=UTC)
QUIET = QuietHours(windows=(NIGHT,))
SEVEN = datetime(2023, 11, 15, 7, tzinfo=UTC).timestamp()
DAY = 86_400.0


# Quiet hours. The clock begins at 22:13:20 in UTC.


@pytest.mark.parametrize("priority", [Priority.NORMAL, Priority.LOW])
async def test_in_quiet_hours_a_request_waits_for_their_end_and_leaves_then(priority: Priority) -> None:
    async with a_running_line(quiet_hours=QUIET) as line:
        await line.accept(A, B, lifetime=DAY, priority=priority)
        expected = (SEVEN, WaitReason.QUIET_HOURS)
        assert [expected] * 2 == [(each.due_at, each.waiting_reason) for each in await line.waiting()]
        await line.clock.advance(SEVEN - START - 1)
        assert [] == line.sender.ids()
        await line.clock.advance(1)
        assert [A, B] == line.sender.ids()


async def test_an_urgent_request_leaves_in_quiet_hours() -> None:
    async with a_running_line(quiet_hours=QUIET) as line:
        await line.accept(A, priority=Priority.URGENT)
        assert [A] == line.sender.ids()


async def test_quiet_hours_have_one_line_at_their_beginning_and_one_at_their_end() -> None:
    async with a_running_line(quiet_hours=QUIET) as line:
        await line.accept(A, B, C, lifetime=DAY)
        (began,) = line.events.named("quiet_hours_began")
        assert (Level.INFO, "22:00 to 07:00 UTC", "2023-11-15T07:00:00Z") == (
            began.level,
            began.fields["window"],
            began.fields["until"],
        )
        assert 0 == line.events.count("quiet_hours_ended")
        await line.clock.advance(SEVEN - START)
        assert 1 == line.events.count("quiet_hours_ended") == line.events.count("quiet_hours_began")


async def test_what_would_expire_in_quiet_hours_is_answered_at_once() -> None:
    async with a_running_line(quiet_hours=QUIET) as line:
        await line.accept(A, lifetime=3_600)
        ((_, error),) = await line.results()
        assert "Expired" == error
        (status,) = await line.statuses()
        assert "22:00 to 07:00 UTC" in status["response"]["error_message"]
        assert 1 == line.events.count("request_failed")


async def test_quiet_hours_may_refuse() -> None:
    async with a_running_line(quiet_hours=QuietHours(windows=(NIGHT,), then=InQuietHours.REFUSE)) as line:
        await line.accept(A, lifetime=DAY)
        (status,) = await line.statuses()
        assert "NotAllowed" == status["response"]["error"]
        assert "22:00 to 07:00 UTC" in status["response"]["error_message"]


async def test_a_contacts_window_counts_for_its_telephone_alone() -> None:
    async with a_running_line(quiet_hours=QuietHours(by_phone_number={A: (NIGHT,)})) as line:
        await line.accept(A, B, lifetime=DAY)
        assert [B] == line.sender.ids()


async def test_a_forbidden_number_is_refused_before_it_waits() -> None:
    async with a_running_line(quiet_hours=QUIET, limits=Limits(texts=Destinations(denied=("+1",)))) as line:
        await line.accept(A, lifetime=DAY)
        assert [(A, "NotAllowed")] == await line.results()


async def test_a_start_with_other_windows_judges_again_what_waits(path: Path) -> None:
    async with a_running_line(quiet_hours=QUIET, path=path) as line:
        await line.accept(A, lifetime=DAY)
        assert [] == line.sender.ids()
    earlier = QuietHours(windows=(QuietWindow(begins=time(22), ends=time(23), zone=UTC),))
    async with a_running_line(quiet_hours=earlier, path=path) as line:
        eleven = datetime(2023, 11, 14, 23, tzinfo=UTC).timestamp()
        assert [eleven] == [each.due_at for each in await line.waiting()]
    async with a_running_line(path=path) as line:
        assert [A] == line.sender.ids()


async def test_a_start_with_the_same_rules_judges_nothing_again(path: Path) -> None:
    async with a_running_line(quiet_hours=QUIET, path=path) as line:
        await line.accept(A, lifetime=DAY)
    async with a_running_line(quiet_hours=QUIET, path=path) as line:
        assert 0 == line.watched.count("hasten")
        assert [SEVEN] == [each.due_at for each in await line.waiting()]


# What the next start does with what lasts.


async def test_a_pause_that_twilio_asked_for_lasts_over_a_restart_and_is_told_once(path: Path) -> None:
    async with a_running_line(jitter=lambda: 0.0, path=path) as line:
        line.sender.script(A, too_many(retry_after=600))
        await line.accept(A)
        assert 1 == line.events.count("sending_paused")
    async with a_running_line(jitter=lambda: 0.0, path=path) as line:
        await line.accept(B)
        await line.clock.advance(599)
        assert [] == line.sender.ids()
        assert 0 == line.events.count("sending_paused")
        await line.clock.advance(1)
        assert {A, B} == set(line.sender.ids())
        assert 1 == line.events.count("sending_resumed")


async def test_the_end_of_a_pause_is_told_also_where_nothing_waits_for_it() -> None:
    async with a_running_line(jitter=lambda: 0.0) as line:
        line.sender.script(A, refused(21_611, retry_after=60))
        await line.accept(A, lifetime=5)
        await line.clock.advance(60)
        assert 1 == line.events.count("sender_resumed")


async def test_a_start_finds_out_again_whether_credentials_are_refused(path: Path) -> None:
    async with a_running_line(path=path) as line:
        line.sender.script(A, unauthorized(), unauthorized())
        await line.accept(A)
        assert 1 == line.events.count("credentials_refused")
    async with a_running_line(path=path) as line:
        assert [] == await line.journal.lasting_pauses()
        assert 0 == line.events.count("credentials_accepted")


# What a person reads: the reason, its end, and what the request stands behind.


async def test_a_request_that_was_never_attempted_names_what_lasts(path: Path) -> None:
    async with a_running_line(jitter=lambda: 0.0, path=path) as line:
        line.sender.script(A, NotSent(detail="no route"))
        line.sender.online = False
        await line.accept(A)
        await line.accept(B)
        found = entry(path, 2, now=line.clock.now()).waits
        assert found is not None
        assert (WaitReason.TWILIO_UNREACHABLE, None, None) == (found.reason, found.until, found.behind)
        line.sender.online = True
        await line.clock.advance(5)
        (pause,) = of_kind(path, 2, PauseLasted)
        assert (WaitReason.TWILIO_UNREACHABLE, START) == (pause.reason, pause.at)
        assert pause.ended_at is not None


async def test_a_request_behind_another_names_it(path: Path) -> None:
    async with a_running_line(jitter=lambda: 0.0, path=path) as line:
        line.sender.script(A, too_many(retry_after=600))
        await line.accept(A)
        await line.accept(A, request_id="second")
        found = entry(path, 2, now=line.clock.now()).waits
        assert found is not None
        assert (WaitReason.EARLIER_REQUEST, 1) == (found.reason, found.behind)


async def test_what_its_sender_is_too_slow_for_says_when_it_leaves(path: Path) -> None:
    paces = {SENDER_NUMBER: SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))}
    async with a_running_line(path=path, paces=paces) as line:
        await line.accept(A, B, C, D)
        assert [A] == line.sender.ids()
        waiting = entries(path, Only.WAITING, now=line.clock.now())
        found = {each.number: each.waits for each in waiting if each.waits is not None}
        assert {2: START + 1, 3: START + 2, 4: START + 3} == {id_: one.until for id_, one in found.items()}
        assert {WaitReason.SENDER_PACE} == {one.reason for one in found.values()}
        assert "2 requests before it" in (found[4].message or "")
        await line.clock.advance(2)
        assert [A, B, C] == line.sender.ids()


async def test_each_lasting_reason_is_in_the_journal_while_it_lasts() -> None:
    async with a_running_line(
        jitter=lambda: 0.0, limits=Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=1),))
    ) as line:
        line.sender.script(B, refused(21_611, retry_after=60))
        await line.accept(A, B)
        lasting = {pause.reason for pause in await line.journal.lasting_pauses()}
        assert {WaitReason.QUOTA_USED_UP} == lasting
        await line.clock.advance(3_600)
        assert WaitReason.QUOTA_USED_UP not in {pause.reason for pause in await line.journal.lasting_pauses()}


async def test_a_disk_that_failed_is_on_the_time_line_of_what_waited(path: Path) -> None:
    """Whose log lines the journal tells itself."""
    async with a_running_line(path=path) as line:
        line.sender.script(A, too_many(retry_after=600))
        await line.accept(A)
        line.sqlite._store.disk.failed("database or disk is full")
        await line.clock.advance(30)
        line.sqlite._store.disk.recovered()
        await line.clock.settle()
        _, pause = of_kind(path, 1, PauseLasted)
        assert (WaitReason.JOURNAL_DISK, "database or disk is full") == (pause.reason, pause.message)
        assert (START, START + 30) == (pause.at, pause.ended_at)
        assert (1, 1) == (line.events.count("journal_unavailable"), line.events.count("journal_available"))


async def test_a_changed_limit_ends_its_pause() -> None:
    async with a_line() as line, running(line):
        full = Limits(quotas=(Quota(unit=Unit.TEXTS, period=Period.HOUR, most=1),))
        await line.admission.change_rules(full, QuietHours())
        await line.accept(A, B)
        assert 1 == line.events.count("limit_used_up")
        await line.admission.change_rules(Limits(), QuietHours())
        await line.clock.settle()
        assert 1 == line.events.count("limit_free_again")
        assert [A, B] == line.sender.ids()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = tmp_path / "journal"
    folder.mkdir()
    return folder / "journal.db"
