"""Purging by a person, and what may stand in the way of reading and purging."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import (
    START,
    a_failure,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import end, record, report
from tests.support.reading import entry, numbers
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.access import sqlite_reader
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.commands import journal as commands
from twilio_notifications.core.errors import (
    JournalDamaged,
    JournalError,
    JournalLocked,
    Reason,
)
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.core.policy import Limits
from twilio_notifications.core.steps import Doubt

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports import Unreported

OTHER = "+12345000001"
UNKNOWN = Reason.OUTCOME_UNKNOWN
TEXT = "Hello from the edge"
BY = "operator"
SID = "SM" + 32 * "7"


@pytest.fixture
def file(tmp_path: Path) -> JournalFile:
    return JournalFile(tmp_path / "journal.db")


@asynccontextmanager
async def connector(file: JournalFile) -> AsyncIterator[SqliteJournal]:
    """The journal as a connector has it; what is done in it stays."""
    async with SqliteJournal(file.path, events=RecordingEvents(), report_seconds=0.0) as journal:
        yield journal


async def advance(journal: SqliteJournal, state: State, *, reason: Reason | None = UNKNOWN) -> int:
    """A new request that is brought to a state, with that reason where it is finished; its number."""
    await record(journal, a_request())
    (claimed,) = await journal.claim(due_before=START, limit=1)
    if state is State.WAITING:
        return claimed.id
    await journal.open_attempts([claimed.id], at=START, clock_offset=None)
    if state is State.IN_DOUBT:
        await end(journal, Doubt(id=claimed.id, at=START, settle_at=START, message="time-out"))
    if state in UNFINISHED:
        return claimed.id
    step = a_success(claimed.id) if reason is None else a_failure(claimed.id, reason=reason, counted=True)
    await end(journal, step)
    if state is State.REPORTED:
        await report(journal, [claimed.id], at=START)
    return claimed.id


async def a_file_with(file: JournalFile, state: State, *, reason: Reason | None = UNKNOWN) -> int:
    async with connector(file) as journal:
        return await advance(journal, state, reason=reason)


async def outbox(file: JournalFile) -> list[Unreported]:
    async with connector(file) as journal:
        return await journal.unreported(after=0, limit=100)


async def claimable(file: JournalFile, *, at: float) -> list[Claimed]:
    async with connector(file) as journal:
        return await journal.claim(due_before=at, limit=100)


# Purging.


async def test_only_what_was_reported_and_finished_before_is_removed(file: JournalFile) -> None:
    async with connector(file) as journal:
        gone = await advance(journal, State.REPORTED)
        kept = [await advance(journal, State.FINISHED), await advance(journal, State.WAITING)]
    assert 0 == file.purge(finished_before=START)
    assert 1 == file.purge(finished_before=START + 1)
    assert sorted(kept, reverse=True) == numbers(file.path)
    with pytest.raises(JournalError, match=f"no request {gone}"):
        entry(file.path, gone)


async def test_a_purge_takes_the_attempts_along(file: JournalFile) -> None:
    await a_file_with(file, State.REPORTED)
    file.purge(finished_before=START + 1)
    with closing(sqlite3.connect(file.path)) as connection:
        assert (0,) == connection.execute("SELECT COUNT(*) FROM attempts").fetchone()


# What can stand in the way.

REPAIRS: dict[str, Callable[[JournalFile], object]] = {
    "purge": lambda file: file.purge(finished_before=START + 1),
}
READS: dict[str, Callable[[JournalFile], object]] = {
    "list": lambda file: numbers(file.path),
    "show": lambda file: entry(file.path, 1),
    "status": lambda file: sqlite_reader(file.path).standing(now=START, limits=Limits()),
    "stats": lambda file: sqlite_reader(file.path).activity(now=START),
    "needs": lambda file: sqlite_reader(file.path).needing_a_person(now=START),
    "changes": lambda file: sqlite_reader(file.path).changes(None),
}


@pytest.mark.parametrize("repair", REPAIRS)
async def test_a_repair_needs_the_connector_to_be_stopped(file: JournalFile, repair: str) -> None:
    async with connector(file) as journal:
        await advance(journal, State.REPORTED)
        with pytest.raises(JournalLocked, match=r"a connector is running on the journal .* Stop it"):
            REPAIRS[repair](file)
        assert (State.REPORTED, UNKNOWN) == (entry(file.path, 1).state, entry(file.path, 1).reason)
    REPAIRS[repair](file)


@pytest.mark.parametrize("repair", REPAIRS)
async def test_a_repair_that_fails_leaves_the_journal_free(file: JournalFile, repair: str) -> None:
    await a_file_with(file, State.WAITING)
    REPAIRS[repair](file)
    async with connector(file) as journal:
        assert 1 == (await journal.recover(now=START)).waiting


@pytest.mark.parametrize("call", READS | REPAIRS)
def test_a_journal_that_does_not_exist_is_named_and_not_created(file: JournalFile, call: str) -> None:
    with pytest.raises(JournalError, match=r"there is no journal .*journal\.db"):
        (READS | REPAIRS)[call](file)
    assert not file.path.exists()


@pytest.mark.parametrize("call", READS | REPAIRS)
def test_a_file_that_is_no_database_is_named_and_left_alone(file: JournalFile, call: str) -> None:
    file.path.write_text("my notes\n" * 1000)
    with pytest.raises(JournalDamaged, match=r"journal\.db is damaged"):
        (READS | REPAIRS)[call](file)
    assert "my notes\n" * 1000 == file.path.read_text()


@pytest.mark.parametrize("call", READS)
def test_an_empty_file_is_no_journal_yet(file: JournalFile, call: str) -> None:
    file.path.touch()
    with pytest.raises(JournalError, match=r"journal\.db"):
        READS[call](file)
    assert b"" == file.path.read_bytes()


# The command.


@pytest.fixture
def config(file: JournalFile) -> Path:
    path = file.path.with_name("connector.toml")
    path.write_text(
        f'[journal]\nurl = "sqlite:///{file.path}"\n'
        '[connector.parameters]\nTWILIO_ACCOUNT_SID = "AC1"\nDefaultFromPhoneNumber = "+19999999999"\n'
    )
    return path


async def test_a_purge_by_days_says_how_many(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_file_with(file, State.REPORTED)
    assert 0 == commands.purge(config, days=1e5, environ={})
    assert 0 == commands.purge(config, days=1.0, environ={})
    assert "0 requests removed\n1 request removed\n" == capsys.readouterr().out
