"""The journal's file: owned by one connector, refused when it is not a sound one, and then left as it was."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.support.factories import START, a_request
from tests.support.fakes import RecordingEvents
from tests.support.journals import record
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.opening import APPLICATION_ID, migrations
from twilio_notifications.core.errors import JournalDamaged, JournalError, JournalLocked, JournalTooNew

if TYPE_CHECKING:
    from pathlib import Path


def a_journal(path: Path) -> SqliteJournal:
    return SqliteJournal(path, events=RecordingEvents())


async def write(path: Path, *, requests: int = 300) -> None:
    async with a_journal(path) as journal:
        for n in range(requests):
            journal.record([a_request(f"+1234500{n:04}", name="x" * 200)])
        await journal.agenda()


def contents(folder: Path) -> dict[str, bytes]:
    """Every file that holds something; not the lock, nor SQLite's shared memory, nor an empty log."""
    return {
        path.name: path.read_bytes()
        for path in folder.iterdir()
        if path.is_file() and path.stat().st_size and not path.name.endswith((".lock", "-shm"))
    }


async def refused(path: Path, error: type[JournalError]) -> str:
    """The sentence with which a start refuses the file, which is left as it was, unlocked."""
    before = contents(path.parent)
    with pytest.raises(error) as raised:
        async with a_journal(path):
            pass
    assert before == contents(path.parent)
    with pytest.raises(error):  # and not JournalLocked
        async with a_journal(path):
            pass
    assert str(path) in str(raised.value)
    return str(raised.value)


async def test_a_second_connector_is_told_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    async with a_journal(path):
        with pytest.raises(JournalLocked) as raised:
            async with a_journal(path):
                pass
    assert str(path) in str(raised.value)
    assert "Stop that one" in str(raised.value)
    async with a_journal(path):
        pass


PEER = """
import asyncio, sys
from pathlib import Path
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.errors import JournalLocked
async def main():
    async with SqliteJournal(Path(sys.argv[1]), events=None):
        pass
try:
    asyncio.run(main())
except JournalLocked:
    sys.exit(7)
"""


async def test_a_second_connector_in_another_process_is_refused_too(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    command = [sys.executable, "-c", PEER, str(path)]
    async with a_journal(path):
        assert 7 == subprocess.run(command, check=False).returncode  # noqa: ASYNC221 - nothing else runs here
    assert 0 == subprocess.run(command, check=False).returncode  # noqa: ASYNC221 - nothing else runs here


async def test_a_second_name_of_the_same_file_does_not_fool_the_lock(tmp_path: Path) -> None:
    path, link = tmp_path / "journal.db", tmp_path / "link.db"
    link.symlink_to(path)
    async with a_journal(path):
        with pytest.raises(JournalLocked):
            async with a_journal(link):
                pass


async def test_a_text_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    path.write_text("[connector]\n" * 100)
    assert "Nothing was changed" in await refused(path, JournalDamaged)


async def test_an_sqlite_file_of_others_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE requests (id)")
    assert "no journal of this program" in await refused(path, JournalDamaged)


@pytest.mark.parametrize("place", ["the end is missing", "the middle is overwritten"])
async def test_a_damaged_journal_is_refused(tmp_path: Path, place: str) -> None:
    path = tmp_path / "journal.db"
    await write(path)
    whole = path.read_bytes()
    half = len(whole) // 2
    spoilt = {
        "the end is missing": whole[:half],
        "the middle is overwritten": whole[:5000] + b"\xa5" * 30_000 + whole[35_000:],
    }
    path.write_bytes(spoilt[place])
    assert "sqlite3" in await refused(path, JournalDamaged)


async def test_a_journal_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    await write(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    assert "version 99" in await refused(path, JournalTooNew)


async def test_a_refused_journal_keeps_the_write_ahead_log_that_a_crash_left(tmp_path: Path) -> None:
    """The last commits before the crash stand in it; they belong to the program that wrote them."""
    path = tmp_path / "journal.db"
    await write(tmp_path / "origin.db")
    with closing(sqlite3.connect(tmp_path / "origin.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE requests SET name = 'y'")
        for suffix in ("", "-wal"):
            shutil.copy(tmp_path / f"origin.db{suffix}", tmp_path / f"journal.db{suffix}")
    await refused(path, JournalTooNew)


async def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    """As `touch` leaves it, for a person who sets its permissions beforehand."""
    path = tmp_path / "journal.db"
    path.touch()
    await write(path, requests=1)
    with closing(sqlite3.connect(path)) as connection:
        assert (APPLICATION_ID,) == connection.execute("PRAGMA application_id").fetchone()


@pytest.mark.parametrize("missing", [True, False])
async def test_a_path_that_cannot_be_used_is_named(tmp_path: Path, *, missing: bool) -> None:
    path = tmp_path / "folder" / "journal.db"
    if not missing:
        path.mkdir(parents=True)
    with pytest.raises(JournalError, match=str(path)):
        async with a_journal(path):
            pass


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", ".lock"])
async def test_the_files_are_for_their_owner_alone(tmp_path: Path, suffix: str) -> None:
    """They hold message texts and phone numbers."""
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request())
        assert 0o600 == path.with_name(path.name + suffix).stat().st_mode & 0o777


async def test_what_was_committed_survives_a_connection_that_vanishes(tmp_path: Path) -> None:
    """A copy of the files, taken while the journal is open, is what a power cut leaves."""
    path = tmp_path / "journal.db"
    async with a_journal(path) as journal:
        await record(journal, a_request())
        await journal.open_attempts([1], at=START, clock_offset=None)
        (tmp_path / "cut").mkdir()
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", tmp_path / "cut" / f"journal.db{suffix}")
    async with a_journal(tmp_path / "cut" / "journal.db") as journal:
        recovery = await journal.recover(now=START + 9)
        assert (0, 1, 0) == (recovery.waiting, recovery.in_doubt, recovery.unreported)


def test_migrations_are_numbered_without_a_gap() -> None:
    versions = [migration.version for migration in migrations()]
    assert list(range(1, len(versions) + 1)) == versions
