"""A defect that one request causes costs that request: the others go on, and so does the connector."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import Line, a_line, a_running_line, running
from tests.pipeline.settling import a_running_scene
from tests.support.factories import START, accepted
from twilio_notifications.core.errors import JournalDamaged
from twilio_notifications.ports import Level, Taken

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

BAD, GOOD = "+12345000001", "+12345000002"
LONE_SURROGATE = "SM\ud800"

DEFECTS = {
    "an attempt cannot be opened": "UPDATE ON states WHEN NEW.state = 'OPEN'",
    "an attempt cannot be recorded": "INSERT ON attempts WHEN NEW.outcome = 'ACCEPTED'",
    "a status cannot be written": "INSERT ON statuses WHEN NEW.reason IS NULL",
    "nothing can be recorded at all": "UPDATE ON states WHEN NEW.state <> 'WAITING'",
}
"""The event of a trigger and its condition; `spoil` adds whose rows they are."""


def spoil(path: Path, event: str, *, how: str = "ABORT") -> None:
    """A trigger that keeps the rows of one recipient from changing."""
    whose = f"AND (SELECT phone_number FROM requests WHERE id = NEW.request) = '{BAD}'"  # noqa: S608 - a constant
    raised = "RAISE(IGNORE)" if how == "IGNORE" else f"RAISE({how}, 'a defect of {BAD}')"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"CREATE TRIGGER spoilt BEFORE {event} {whose} BEGIN SELECT {raised}; END")
        connection.commit()


@asynccontextmanager
async def a_spoilt_line(path: Path, event: str, *, how: str = "ABORT") -> AsyncIterator[Line]:
    async with a_line(path=path) as line:
        spoil(path, event, how=how)
        async with running(line):
            yield line


async def answered(line: Line) -> dict[str, str]:
    return dict(await line.results())


@pytest.mark.parametrize("how", ["ABORT", "FAIL", "ROLLBACK", "IGNORE"])
@pytest.mark.parametrize("defect", DEFECTS)
async def test_a_request_whose_rows_cannot_be_written_is_set_aside_alone(
    tmp_path: Path, defect: str, how: str
) -> None:
    async with a_spoilt_line(tmp_path / "journal.db", DEFECTS[defect], how=how) as line:
        await line.accept(BAD, GOOD)
        await line.accept("+12345000003")
        found = await answered(line)
        assert ("success", "success") == (found[GOOD], found["+12345000003"])
        assert "InternalError" == found.get(BAD, "InternalError")
        (told,) = line.events.named("request_set_aside")
        assert (Level.ERROR, 1, BAD in found) == (
            told.level,
            told.fields["number"],
            told.fields["answered"],
        )


async def test_what_cannot_be_opened_is_answered_with_an_internal_error(tmp_path: Path) -> None:
    event = DEFECTS["an attempt cannot be opened"]
    async with a_spoilt_line(tmp_path / "journal.db", event) as line:
        await line.accept(BAD, GOOD)
        assert {BAD: "InternalError", GOOD: "success"} == await answered(line)
        assert [GOOD] == line.sender.ids()


async def test_a_request_that_is_set_aside_does_not_keep_the_stage_busy(tmp_path: Path) -> None:
    """Neither a claim nor the agenda sees it any more, though it waits and is due."""
    event = DEFECTS["nothing can be recorded at all"]
    async with a_spoilt_line(tmp_path / "journal.db", event) as line:
        await line.accept(BAD)
        assert (None, None) == (
            (await line.journal.agenda()).next_due,
            (await line.journal.agenda()).next_expiry,
        )
        assert [] == await line.journal.claim(due_before=START, limit=5)


async def test_a_start_carries_on_although_one_row_cannot_be_recovered(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_line(path=path) as line:
        for number in (BAD, GOOD):
            await line.accept(number)
        await line.journal.open_attempts([1, 2], at=START, clock_offset=None)
        spoil(path, DEFECTS["nothing can be recorded at all"])
    async with a_line(path=path) as line:
        recovery = await line.journal.recover(now=START + 1)
        assert (0, 1, 0) == (recovery.waiting, recovery.in_doubt, recovery.unreported)
        assert 1 == line.events.count("request_set_aside")
        async with running(line):
            await line.accept("+12345000003")
            assert {"+12345000003": "success"} == await answered(line)


@pytest.mark.parametrize("others", [[], [GOOD]])
async def test_a_status_that_cannot_be_noted_as_reported_is_not_published_again(
    tmp_path: Path, others: list[str]
) -> None:
    path = tmp_path / "journal.db"
    async with a_running_line(path=path) as line:
        await line.accept(BAD, *others)
        spoil(path, "UPDATE ON statuses WHEN NEW.reported_at IS NOT NULL")
        bad = [status.position for status in line.written if status.request == 1]
        noted = line.journal.report([status.position for status in line.written], at=START)
        await line.clock.settle()
        assert [] == await line.outbox()
        assert None is noted.result()
        assert bad == [told.fields["position"] for told in line.events.named("status_left_alone")]


@pytest.mark.parametrize(
    "spoilt",
    [
        "requests SET request_id = 'no JSON' WHERE id = 1",
        "requests SET name = CAST(x'ff' AS TEXT) WHERE id = 1",
        "states SET waiting_reason = 'Nonsense' WHERE request = 1",
    ],
)
async def test_a_row_that_cannot_be_read_is_answered_and_the_others_go_on(
    tmp_path: Path, spoilt: str
) -> None:
    path = tmp_path / "journal.db"
    async with a_line(path=path) as line:
        await line.accept(BAD, GOOD)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"UPDATE {spoilt}")
            connection.commit()
        async with running(line):
            assert {"success", "InternalError"} == set((await answered(line)).values())
            assert [GOOD] == line.sender.ids()


async def test_an_answer_that_the_journal_cannot_keep_is_told_as_an_internal_error() -> None:
    async with a_running_line() as line:
        line.sender.script(BAD, accepted(LONE_SURROGATE))
        await line.accept(BAD, GOOD)
        assert {BAD: "InternalError", GOOD: "success"} == await answered(line)
        (status, *_) = [one for one in await line.statuses() if one["id"] == BAD]
        assert "may or may not have been sent" in status["response"]["error_message"]


async def test_an_answer_of_absurd_size_is_told_as_an_internal_error() -> None:
    async with a_running_line() as line:
        line.sender.script(BAD, accepted(message_status="x" * 2_000_000))
        await line.accept(BAD, GOOD)
        assert {BAD: "InternalError", GOOD: "success"} == await answered(line)


async def test_a_record_with_half_a_surrogate_pair_sets_its_request_aside() -> None:
    async with a_running_scene() as scene:
        scene.sender.carries_out(BAD, sid=LONE_SURROGATE)
        await scene.doubt(BAD)
        await scene.doubt(GOOD)
        scene.sender.carries_out(GOOD, sid="SM2")
        await scene.advance(60)
        assert {BAD: "InternalError", GOOD: "success"} == dict(await scene.results())


async def test_the_log_has_the_trace_and_no_whole_number(tmp_path: Path) -> None:
    """Neither in the sentence of an error nor in a repr."""
    event = DEFECTS["nothing can be recorded at all"]
    async with a_spoilt_line(tmp_path / "journal.db", event, how="IGNORE") as line:
        await line.accept(BAD)
        assert line.events.defects
        assert [] == [error for _, error in line.events.defects if BAD in str(error)]


async def test_a_damaged_journal_still_ends_the_stage() -> None:
    """Going on would acknowledge what cannot be kept."""

    async def damaged(_steps: object) -> Taken:
        raise JournalDamaged("the file is broken")

    async with a_line() as line:
        await line.accept(BAD)
        line.sqlite.take = damaged  # type: ignore[method-assign,assignment]
        with pytest.raises(ExceptionGroup) as raised:
            await line.dispatcher.run()
        assert raised.group_contains(JournalDamaged)
