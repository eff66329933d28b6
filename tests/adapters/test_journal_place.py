"""Where the journal lies: private, reachable or refused with a sentence, and the same files as before."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_request, a_success
from tests.support.fakes import RecordingEvents
from tests.support.journals import end, record, report
from tests.support.reading import numbers
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.opening import inspect, open_for_reading
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.core.errors import JournalError, JournalLocked, JournalMoved

if TYPE_CHECKING:
    from pathlib import Path

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="another user can be become by root alone")


def a_journal(path: Path) -> SqliteJournal:
    return SqliteJournal(path, events=RecordingEvents())


async def a_file(path: Path) -> None:
    async with a_journal(path) as journal:
        await record(journal, a_request())


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def modes(folder: Path) -> set[int]:
    return {path.stat().st_mode & 0o777 for path in folder.iterdir()}


# Private.


async def test_a_journal_that_others_could_read_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await a_file(path)
    for name in names(tmp_path):
        (tmp_path / name).chmod(0o644)
    async with a_journal(path) as journal:
        await record(journal, a_request("+12345000001"))
        assert {"journal.db-wal", "journal.db-shm", "journal.db.lock"} < names(tmp_path)
        assert {0o600} == modes(tmp_path)


# Looking changes nothing.


@pytest.mark.parametrize("how", ["closed", "left by a crash", "no lock", "empty"])
async def test_a_look_creates_no_file(tmp_path: Path, how: str) -> None:
    path = tmp_path / "journal.db"
    if how == "empty":
        path.touch()
    else:
        await a_file(path)
    if how == "no lock":
        path.with_name("journal.db.lock").unlink()
    if how == "left by a crash":
        (tmp_path / "cut").mkdir()
        async with a_journal(path) as journal:
            await record(journal, a_request("+12345000001"))
            for suffix in ("", "-wal", ".lock"):
                (tmp_path / "cut" / f"journal.db{suffix}").write_bytes(
                    path.with_name(f"journal.db{suffix}").read_bytes()
                )
        path = tmp_path / "cut" / "journal.db"
    before = names(path.parent)
    expected = {"empty": "an empty file", "left by a crash": "requests: 2"}.get(how, "requests: 1")
    assert expected in inspect(path)
    assert before == names(path.parent)


async def test_a_look_through_a_link_creates_no_file_either(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "journal.db", tmp_path / "link.db"
    await a_file(target)
    target.with_name("journal.db.lock").unlink()
    link.symlink_to(target)
    before = names(tmp_path), names(target.parent)
    assert "unfinished requests: 1" in inspect(link)
    assert before == (names(tmp_path), names(target.parent))


def test_a_look_at_nothing_creates_nothing(tmp_path: Path) -> None:
    assert "will be created" in inspect(tmp_path / "journal.db")
    assert set() == names(tmp_path)


async def test_a_lock_that_is_a_link_is_refused(tmp_path: Path) -> None:
    """It would create a file wherever the link leads."""
    (tmp_path / "journal.db.lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="not a link"):
        async with a_journal(tmp_path / "journal.db"):
            pass
    assert not (tmp_path / "elsewhere").exists()


async def test_a_look_next_to_a_running_connector_says_so(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path):
        with pytest.raises(JournalLocked):
            inspect(path)


# Out of reach.


@pytest.mark.parametrize(
    "attempt", [inspect, open_for_reading, lambda path: JournalFile(path).purge(finished_before=1)]
)
def test_a_journal_that_is_a_folder_is_said_to_be_one(tmp_path: Path, attempt: object) -> None:
    assert callable(attempt)
    (tmp_path / "journal.db").mkdir()
    with pytest.raises(JournalError, match="is a folder"):
        attempt(tmp_path / "journal.db")


LOOKING = """
import asyncio, sys
from pathlib import Path
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.opening import inspect
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.adapters.sqlite.access import sqlite_reader
from twilio_notifications.core.errors import JournalError

async def start(path):
    async with SqliteJournal(path, events=None):
        pass

import os
os.setuid(65534)
path = Path(sys.argv[1])
for attempt in (
    inspect,
    lambda path: asyncio.run(start(path)),
    lambda path: sqlite_reader(path).changes(None),
    lambda path: sqlite_reader(path).timeline(1, now=0.0),
    lambda path: JournalFile(path).purge(finished_before=1.0),
):
    try:
        attempt(path)
    except JournalError as error:
        print(error)
"""


@only_root
@pytest.mark.parametrize("where", ["the folder", "one above it", "the file"])
async def test_a_journal_out_of_reach_is_answered_with_a_sentence(tmp_path: Path, where: str) -> None:
    """As for a person who looks at the journal of a service with DynamicUser."""
    folder = tmp_path / "private" / "state"
    folder.mkdir(parents=True)
    await a_file(folder / "journal.db")
    for above in (tmp_path, *list(tmp_path.parents)[:2]):
        above.chmod(0o755)
    folder.chmod(0o755 if where != "the folder" else 0o700)
    folder.parent.chmod(0o755 if where != "one above it" else 0o700)
    command = [sys.executable, "-c", LOOKING, str(folder / "journal.db")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: ASYNC221 - nothing else runs
    assert "" == said.stderr
    assert 5 == len(said.stdout.splitlines())
    expected = 5 if where != "the file" else 2
    assert said.stdout.count("connector's user") >= expected


# The same files.


@pytest.mark.parametrize("log", [b"\0" * 4096, b""])
@pytest.mark.parametrize("state", ["missing", "empty"])
async def test_a_log_that_lost_its_journal_is_refused_and_kept(
    tmp_path: Path, state: str, log: bytes
) -> None:
    """SQLite would delete it, and the requests that were acknowledged with it."""
    path = tmp_path / "journal.db"
    path.with_name("journal.db-wal").write_bytes(log)
    if state == "empty":
        path.touch()
    if not log:
        await a_file(path)
        return
    with pytest.raises(JournalError, match=f"is {state}, but its write-ahead log"):
        await a_file(path)
    with pytest.raises(JournalError, match=f"is {state}"):
        inspect(path)
    assert log == path.with_name("journal.db-wal").read_bytes()


async def test_the_first_steps_of_a_first_start_leave_no_log_without_a_journal(tmp_path: Path) -> None:
    """Otherwise a crash in them would look like a journal that was replaced."""
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        assert (tmp_path / "journal.db").stat().st_size


def delete(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink()


def move(path: Path) -> None:
    (path.parent / "moved").mkdir()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).rename(path.parent / "moved" / (path.name + suffix))


def replace(path: Path) -> None:
    path.with_name("other").touch()
    path.with_name("other").rename(path)


def delete_log(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def delete_folder(path: Path) -> None:
    shutil.rmtree(path.parent)


def move_folder(path: Path) -> None:
    path.parent.rename(path.parent.with_name("elsewhere"))


def replace_folder(path: Path) -> None:
    move_folder(path)
    path.parent.mkdir()


@pytest.mark.parametrize(
    "lose", [delete, move, replace, delete_log, delete_folder, move_folder, replace_folder]
)
async def test_nothing_is_acknowledged_once_the_files_are_gone(tmp_path: Path, lose: object) -> None:
    assert callable(lose)
    path = tmp_path / "journal" / "journal.db"
    path.parent.mkdir()
    async with a_journal(path) as journal:
        lose(path)
        with pytest.raises(JournalMoved, match="deleted, moved or replaced"):
            await record(journal, a_request())
        with pytest.raises(JournalMoved):  # and so the connector ends
            await journal.agenda()


async def test_what_was_acknowledged_is_finished_before_a_journal_without_files_ends(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request())
        delete(path)
        refused = journal.record([a_request("+12345000001")])
        await journal.open_attempts([1], at=START, clock_offset=None)
        await end(journal, a_success(1))
        assert not refused.done()
        await report(journal, [1], at=START)
        with pytest.raises(JournalMoved):
            await refused


async def test_files_that_are_put_back_are_used_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request())
        move(path)
        waiting = journal.record([a_request("+12345000001")])
        await journal.open_attempts([1], at=START, clock_offset=None)
        for suffix in ("-shm", "-wal", ""):
            (tmp_path / "moved" / (path.name + suffix)).rename(path.with_name(path.name + suffix))
        await waiting
    assert 2 == len(numbers(path))
