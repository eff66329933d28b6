"""The journal as a person reads and repairs it, next to a connector or while none is running."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import (
    DARLA,
    START,
    a_change,
    a_failure,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import end, record, report
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.adapters.sqlite.reader import STANDINGS
from twilio_notifications.commands import journal as commands
from twilio_notifications.core.errors import (
    JournalDamaged,
    JournalError,
    JournalLocked,
    Reason,
    WaitReason,
)
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.core.steps import Doubt, Follow, Postpone

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.core.delivery import Change, Happened
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


# Reading.


async def test_the_list_has_the_newest_first_and_no_more_than_asked_for(file: JournalFile) -> None:
    async with connector(file) as journal:
        for number in range(5):
            await record(journal, a_request(request_id=f"request{number}"))
    found = file.entries("all", limit=3)
    assert ["request4", "request3", "request2"] == [entry.id for entry in found]


@pytest.mark.parametrize(
    ("state", "reason", "standings"),
    [
        (State.WAITING, None, {"all", "waiting"}),
        (State.OPEN, None, {"all", "doubt"}),
        (State.IN_DOUBT, None, {"all", "doubt"}),
        (State.FINISHED, None, {"all", "unreported"}),
        (State.FINISHED, Reason.EXPIRED, {"all", "unreported", "failed"}),
        (State.FINISHED, UNKNOWN, {"all", "unreported", "failed", "unknown"}),
        (State.REPORTED, None, {"all"}),
        (State.REPORTED, UNKNOWN, {"all", "failed", "unknown"}),
    ],
)
async def test_a_standing_narrows_the_list(
    file: JournalFile, state: State, reason: Reason | None, standings: set[str]
) -> None:
    await a_file_with(file, state, reason=reason)
    assert standings == {standing for standing in STANDINGS if file.entries(standing, limit=10)}


async def test_one_request_is_shown_with_its_attempts(file: JournalFile) -> None:
    id_ = await a_file_with(file, State.REPORTED)
    history = file.history(id_)
    entry, (attempt,) = history.entry, history.attempts
    assert (DARLA, "REPORTED", UNKNOWN, 1) == (
        entry.phone_number,
        entry.state,
        entry.reason,
        entry.attempts,
    )
    assert (START, "IN_DOUBT") == (attempt.opened_at, attempt.outcome)


async def test_a_rejection_is_shown_without_recipient_and_attempts(file: JournalFile) -> None:
    async with connector(file) as journal:
        await record(journal, a_rejection(request_id=7))
    history = file.history(1)
    entry, attempts = history.entry, history.attempts
    assert (7, None, []) == (entry.id, entry.phone_number, attempts)


async def test_reading_works_beside_a_running_connector(file: JournalFile) -> None:
    async with connector(file) as journal:
        id_ = await advance(journal, State.FINISHED)
        assert [id_] == [entry.number for entry in file.entries("all", limit=10)]
        assert id_ == file.history(id_).entry.number


async def test_a_request_that_is_not_there_is_named(file: JournalFile) -> None:
    await a_file_with(file, State.WAITING)
    with pytest.raises(JournalError, match=r"journal\.db holds no request 99\b.*journal list"):
        file.history(99)


# Purging.


async def test_only_what_was_reported_and_finished_before_is_removed(file: JournalFile) -> None:
    async with connector(file) as journal:
        gone = await advance(journal, State.REPORTED)
        kept = [await advance(journal, State.FINISHED), await advance(journal, State.WAITING)]
    assert 0 == file.purge(finished_before=START)
    assert 1 == file.purge(finished_before=START + 1)
    assert sorted(kept, reverse=True) == [entry.number for entry in file.entries("all", limit=10)]
    with pytest.raises(JournalError, match=f"no request {gone}"):
        file.history(gone)


async def test_a_purge_takes_the_attempts_along(file: JournalFile) -> None:
    await a_file_with(file, State.REPORTED)
    file.purge(finished_before=START + 1)
    with closing(sqlite3.connect(file.path)) as connection:
        assert (0,) == connection.execute("SELECT COUNT(*) FROM attempts").fetchone()


# What can stand in the way.

REPAIRS = {
    "purge": lambda file: file.purge(finished_before=START + 1),
}
READS = {
    "list": lambda file: file.entries("all", limit=10),
    "show": lambda file: file.history(1),
}


@pytest.mark.parametrize("repair", REPAIRS)
async def test_a_repair_needs_the_connector_to_be_stopped(file: JournalFile, repair: str) -> None:
    async with connector(file) as journal:
        await advance(journal, State.REPORTED)
        with pytest.raises(JournalLocked, match=r"a connector is running on the journal .* Stop it"):
            REPAIRS[repair](file)
        assert (State.REPORTED, UNKNOWN) == (file.history(1).entry.state, file.history(1).entry.reason)
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


# The commands.


@pytest.fixture
def config(file: JournalFile) -> Path:
    path = file.path.with_name("connector.toml")
    path.write_text(
        f'[journal]\nurl = "sqlite:///{file.path}"\n'
        '[connector.parameters]\nTWILIO_ACCOUNT_SID = "AC1"\nDefaultFromPhoneNumber = "+19999999999"\n'
    )
    return path


async def test_the_list_shows_neither_text_nor_number(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_file_with(file, State.FINISHED)
    assert 0 == commands.entries(config, only="all", limit=50, environ={})
    said = capsys.readouterr().out
    assert "OutcomeUnknown" in said
    assert "********0000" in said
    assert "1 request\n" == said.splitlines(keepends=True)[-1]
    assert (False, False) == (TEXT in said, DARLA in said)


async def test_a_list_that_is_cut_says_so(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_file_with(file, State.FINISHED)
    commands.entries(config, only="all", limit=1, environ={})
    assert "there may be more (--limit 1)" in capsys.readouterr().out


async def test_one_request_is_shown_without_text_and_number(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    id_ = await a_file_with(file, State.REPORTED)
    assert 0 == commands.show(config, id_, environ={})
    said = capsys.readouterr().out
    assert "accepted_at   2023-11-14T22:13:20Z\n" in said
    assert "attempt 1:\n" in said
    assert (False, False) == (TEXT in said, DARLA in said)


async def test_what_became_of_a_delivery_stands_on_the_time_line_with_what_to_do(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connector(file) as journal:
        id_ = await advance(journal, State.OPEN)
        await end(journal, replace(a_success(id_, sid=SID), follow=Follow(word="queued", look_at=START)))
        for word, code in (("sent", None), ("undelivered", 30_003)):
            (followed,) = await journal.due_deliveries(now=START, limit=1)
            change = a_change(followed, word, look_at=START)
            happened = replace(a_happening(change), code=code)
            await journal.change([replace(change, after=replace(change.after, code=code), happened=happened)])
    assert 0 == commands.show(config, id_, environ={})
    said = capsys.readouterr().out
    sent, undelivered = said.index("delivery changed:"), said.rindex("delivery changed:")
    assert said.index("attempt 1:") < sent < undelivered < said.index("\ndelivery:")
    assert 2 == said.count("Twilio error 30003: ")
    assert (1, False) == (said.count(f"sid           {SID}\n"), DARLA in said)
    commands.entries(config, only="all", limit=9, environ={})
    assert "undelivered" in capsys.readouterr().out


def a_happening(change: Change) -> Happened:
    assert change.happened is not None
    return change.happened


async def test_a_purge_by_days_says_how_many(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_file_with(file, State.REPORTED)
    assert 0 == commands.purge(config, days=1e5, environ={})
    assert 0 == commands.purge(config, days=1.0, environ={})
    assert "0 requests removed\n1 request removed\n" == capsys.readouterr().out


async def test_what_a_request_waits_for_is_shown_in_list_and_show(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connector(file) as journal:
        id_ = await advance(journal, State.WAITING)
        await advance_another(journal)
        await end(
            journal,
            Postpone(
                id=id_,
                at=START,
                due_at=4e9,
                reason=WaitReason.ACCOUNT_SLOWED,
                message="Twilio says so",
                outcome=None,
            ),
        )
    commands.entries(config, only="waiting", limit=9, environ={})
    commands.show(config, id_, environ={})
    said = capsys.readouterr().out
    wait = "account_slowed, until 2096-10-02T07:06:40Z, expires "
    assert 2 == said.count(wait)
    assert 1 == said.count(f"earlier_request, behind request {id_}, expires ")


async def advance_another(journal: SqliteJournal) -> None:
    await record(journal, a_request(request_id="second"))


async def test_a_hostile_id_neither_steers_the_terminal_nor_fills_it(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2J\n       2  2026-01-01T00:00:00Z  SMS  success" + 50_000 * "x"
    async with connector(file) as journal:
        await record(journal, a_rejection(request_id=hostile))
    commands.entries(config, only="all", limit=9, environ={})
    commands.show(config, 1, environ={})
    said = capsys.readouterr().out
    assert [] == [one for one in said if not one.isprintable() and one != "\n"]
    assert len(said) < 4_000


async def test_what_became_of_a_status_stands_in_the_list_and_in_what_is_shown(
    file: JournalFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with connector(file) as journal:
        await record(journal, a_rejection())
        await journal.remark(1, "the status of 900 bytes is set aside: too large")
    config = tmp_path / "connector.toml"
    config.write_text(f'[journal]\nurl = "sqlite:///{file.path}"\n')
    assert 0 == commands.entries(config, only="unreported", limit=9, environ={})
    assert 0 == commands.show(config, 1, environ={})
    listed, shown = capsys.readouterr().out.split("1 request\n")
    assert "the status of 900 bytes is set aside: too large" in listed
    assert "the status of 900 bytes is set aside: too large" in shown


async def test_waits_of_more_than_a_moment_are_kept_with_their_reason_and_their_end(
    file: JournalFile, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limited, unavailable = WaitReason.ACCOUNT_SLOWED, WaitReason.TWILIO_UNREACHABLE
    async with connector(file) as journal:
        await record(journal, a_request())
        await journal.open_attempts([1], at=START + 0.5, clock_offset=None)  # after less than a moment
        await end(journal, a_postponement(1, at=START + 1, due_at=START + 9, reason=limited))
        await end(journal, a_postponement(1, at=START + 3, due_at=START + 20, reason=limited))
        await end(journal, a_postponement(1, at=START + 20, due_at=START + 30, reason=unavailable))
        await journal.open_attempts([1], at=START + 31, clock_offset=None)
        await end(journal, a_postponement(1, at=START + 32, due_at=START + 40, reason=limited))
    waits = file.history(1).waits
    assert [
        (START + 1, START + 20, limited),
        (START + 20, START + 31, unavailable),
        (START + 32, None, limited),
    ] == [(wait.begun_at, wait.ended_at, wait.reason) for wait in waits]
    commands.show(config, 1, environ={})
    said = capsys.readouterr().out
    assert said.index("attempt 1:") < said.index("wait 1:") < said.index("attempt 2:") < said.index("wait 3:")
