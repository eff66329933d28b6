"""What a row costs on the disk, and what the journal does when it is as large as it may be."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from tests.support.factories import START, a_claimed, a_rejection, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import became, end, record, report
from tests.support.reading import entries
from twilio_notifications.adapters.journal.room import YET_TO_COME_BYTES
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.reserve import Bounds, Reserve, occupied
from twilio_notifications.core.conclusions import StatusWriter
from twilio_notifications.core.contract import Failure, render
from twilio_notifications.core.errors import JournalFull, Reason
from twilio_notifications.core.model import Accepted
from twilio_notifications.ports import Recording

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.adapters.sqlite.room import DiskRoom
    from twilio_notifications.ports import NewRejection

SIREN = "\N{POLICE CARS REVOLVING LIGHT}"
SMALLEST = 1_000_000
IDS = ["request123", SIREN * 900, "half a pair \ud83d", 'a quote " and ,"id": in it', 7, 1.5, ""]


def a_refusal(request_id: str | float = "request123", *, at: float = START) -> NewRejection:
    """A rejection with the status that the connector writes."""
    content = Failure(reason=Reason.INVALID_PARAMETER, message="Request cannot be None")
    return a_rejection(request_id=request_id, accepted_at=at, status=render(content, request_id=request_id))


def a_journal(path: Path | None, *, maximum_bytes: int = SMALLEST) -> SqliteJournal:
    return SqliteJournal(path, events=RecordingEvents(), maximum_bytes=maximum_bytes, report_seconds=0.0)


@pytest.mark.parametrize("request_id", IDS)
async def test_a_status_comes_back_as_it_was_written(request_id: str | float) -> None:
    rejection = a_refusal(request_id)
    async with a_journal(None) as journal:
        await record(journal, rejection)
        (status,) = await journal.unreported(after=0, limit=9)
    assert rejection.status == status.status
    assert request_id == json.loads(status.status)["id"]


@pytest.mark.parametrize("request_id", [one for one in IDS if isinstance(one, str) and one])
async def test_the_status_of_a_request_comes_back_as_it_was_written(request_id: str) -> None:
    accepted = Accepted(sid="SM1", message_status="queued", sender_number="+1", phone_number="+2")
    step = StatusWriter().accepted(a_claimed(request_id=request_id), accepted, at=START)
    async with a_journal(None) as journal:
        await record(journal, a_request(request_id=request_id))
        await journal.open_attempts([1], at=START, clock_offset=None)
        await end(journal, step)
        (status,) = await journal.unreported(after=0, limit=9)
    assert step.status == status.status


async def test_an_id_is_kept_once_and_in_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_refusal(SIREN * 100))
    assert 1 == path.read_bytes().count((SIREN * 100).encode())


async def test_near_the_limit_what_was_reported_goes_first_oldest_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request("+12345000001", request_id="waits"))
        for number in range(1000):
            await record(journal, a_refusal(f"{number}{SIREN * 900}", at=START + number))
            await report(journal, [number + 2], at=START)
            assert occupied(path) <= SMALLEST
    kept = [str(entry.id) for entry in entries(path, limit=2000)]
    numbers = [int(id_.rstrip(SIREN)) for id_ in kept if id_ != "waits"]
    assert "waits" in kept
    assert list(range(999, 999 - len(numbers), -1)) == numbers
    assert 50 < len(numbers) < 500


async def test_after_room_was_made_a_request_fits_whatever_its_transaction_writes_first(
    tmp_path: Path,
) -> None:
    """Steps in the same transaction may use up a batch before the request is looked at."""
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        room = cast("DiskRoom", journal._store.room)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for number in range(300):
                await record(journal, a_refusal(f"{number}{SIREN * 900}", at=START + number))
                await report(journal, [number + 1], at=START)
                room.make(connection, YET_TO_COME_BYTES)
                assert room.fits(0, used=room.used(connection) + room.batch_bytes, unfinished=0)
    assert len(entries(path, limit=2000)) < 300


async def test_a_position_is_not_given_again_after_everything_was_trimmed(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    positions = [0]
    async with a_journal(path) as journal:
        for number in range(1, 60):
            await record(journal, a_refusal(f"{number}{SIREN * 9_000}", at=START + number))
            (status,) = await journal.unreported(after=positions[-1], limit=9)
            positions.append(status.position)
            await report(journal, [number], at=START)
            if len(entries(path, limit=99)) < number - 1:
                break
    async with a_journal(path) as journal:
        await record(journal, a_refusal())
        (status,) = await journal.unreported(after=0, limit=9)
    assert len(positions) < 60
    assert positions[-1] < status.position


async def test_a_journal_full_of_what_waits_answers_with_queue_full(tmp_path: Path) -> None:
    found = []
    async with a_journal(tmp_path / "journal.db") as journal:
        for number in range(1000):
            request = a_request(f"+1234500{number:04}", name="x" * 1000, if_full=a_refusal())
            found.append(await record(journal, request))
            if found[-1] is Recording.FULL:
                break
        assert Recording.FULL is found[-1]
        assert len(found) - 1 == journal.by_state()["WAITING"]  # type: ignore[index]
        (status,) = await journal.unreported(after=0, limit=9)
        assert b"InvalidParameter" in status.status


async def test_where_not_even_an_answer_fits_arrivals_are_given_back_and_work_goes_on(tmp_path: Path) -> None:
    async with a_journal(tmp_path / "journal.db") as journal:
        await record(journal, a_request())
        recorded = [journal.record([a_refusal(f"{number}{SIREN * 900}")]) for number in range(1000)]
        await journal.open_attempts([1], at=START, clock_offset=None)
        await end(journal, a_success(1))
        await asyncio.wait(recorded)
        kept = [one for one in recorded if one.exception() is None]
        assert {JournalFull} == {type(one.exception()) for one in recorded if one.exception() is not None}
        assert kept == recorded[: len(kept)]  # none was recorded after one that was given back
        for status in await journal.unreported(after=0, limit=1000):
            await report(journal, [status.request], at=START)
        assert Recording.NEW is await record(journal, a_refusal())


async def test_a_reserve_that_is_gone_holds_up_arrivals_alone(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request())
        reserve = path.with_name("journal.db.reserve")
        reserve.unlink()
        reserve.mkdir()  # it cannot be taken again
        waiting = journal.record([a_request("+12345000001")])
        await journal.open_attempts([1], at=START, clock_offset=None)
        await end(journal, a_success(1))
        assert not waiting.done()
        reserve.rmdir()
        assert [Recording.NEW] == await became([waiting])


def test_the_bounds_are_those_of_the_setting_or_half_of_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    assert 10**6 == Bounds.here(path, 10**6).maximum
    bounds = Bounds.here(path, 10**18)
    assert bounds.maximum < 10**18
    assert bounds.maximum == bounds.database + bounds.log + bounds.reserve


def test_a_reserve_is_taken_and_given_up(tmp_path: Path) -> None:
    reserve = Reserve(tmp_path / "journal.db")
    assert reserve.take(100_000)
    assert 100_000 == occupied(tmp_path / "journal.db")
    reserve.give_up()
    assert 0 == occupied(tmp_path / "journal.db")
