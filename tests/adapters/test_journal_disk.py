"""A disk that is full: nothing is promised, nothing is lost, and it goes on by itself when there is room."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, cast

from tests.support.disks import mounted
from tests.support.factories import START, a_rejection, a_request, a_success
from tests.support.fakes import AwaitedEvents, RecordingEvents
from tests.support.journals import became, connection_of, end, record, report
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.purging import JournalFile
from twilio_notifications.core.errors import JournalClosed
from twilio_notifications.ports import Level, Recording

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twilio_notifications.ports import NewRequest


async def limit_pages(journal: SqliteJournal, count: int) -> None:
    """A file of so many pages is full: SQLite reports it as it reports a full disk."""
    await journal._store.writer.submit(
        lambda connection: connection.execute(f"PRAGMA max_page_count = {count}").fetchone()
    )


def big(number: int) -> NewRequest:
    return a_request(f"+1234500{number:04}", name="x" * 4000)


async def test_nothing_is_promised_while_the_disk_is_full_and_all_is_done_afterwards(tmp_path: Path) -> None:
    events = AwaitedEvents()
    async with SqliteJournal(tmp_path / "journal.db", events=events) as journal:
        await record(journal, big(0))
        await limit_pages(journal, 1)
        recordings = [journal.record([big(n)]) for n in range(1, 300)]
        await events.heard("journal_unavailable")
        assert {False} == {recording.done() for recording in recordings}
        # The writer's thread holds the connection only while it tries: between two tries the room grows.
        cast("Callable[[str], object]", connection_of(journal).execute)("PRAGMA max_page_count = 1000000")
        assert {Recording.NEW} == set(await became(recordings))
        await events.heard("journal_available")
        assert 300 == len(await journal.overdue(now=float("inf"), limit=1000))
    assert 1 == events.count("journal_unavailable") == events.count("journal_available")
    (told,) = events.named("journal_unavailable")
    assert (Level.ERROR, str(tmp_path / "journal.db")) == (told.level, told.fields["journal"])


async def test_those_who_watch_the_disk_hear_when_it_fails_and_when_it_works_again(tmp_path: Path) -> None:
    """Also who begins to watch while it fails."""
    heard: list[str] = []
    has_recovered = asyncio.Event()

    def recovered() -> None:
        heard.append("works")
        has_recovered.set()

    events = AwaitedEvents()
    async with SqliteJournal(tmp_path / "journal.db", events=events) as journal:
        await record(journal, big(0))
        await limit_pages(journal, 1)
        recorded = journal.record([big(1)])
        await events.heard("journal_unavailable")
        journal.watch_disk(on_fault=heard.append, on_recovery=recovered)
        cast("Callable[[str], object]", connection_of(journal).execute)("PRAGMA max_page_count = 1000000")
        await became([recorded])
        await asyncio.wait_for(has_recovered.wait(), WAIT_SECONDS)
    assert ["database or disk is full", "works"] == heard


async def test_the_places_are_counted_right_after_a_full_disk(tmp_path: Path) -> None:
    events = AwaitedEvents()
    path = tmp_path / "journal.db"
    async with SqliteJournal(path, events=events, maximum_waiting=30) as journal:
        await limit_pages(journal, 1)
        recordings = [journal.record([big(n)]) for n in range(40)]
        await events.heard("journal_unavailable")
        cast("Callable[[str], object]", connection_of(journal).execute)("PRAGMA max_page_count = 1000000")
        found = await became(recordings)
    assert [Recording.NEW] * 30 + [Recording.FULL] * 10 == found


async def test_what_was_never_written_is_not_promised_at_the_end_either(tmp_path: Path) -> None:
    """The broker was not told either, and brings it again at the next start."""
    events = AwaitedEvents()
    path = tmp_path / "journal.db"
    async with SqliteJournal(path, events=events) as journal:
        await record(journal, big(0))
        await limit_pages(journal, 1)
        recordings = [journal.record([big(n)]) for n in range(1, 20)]
        await events.heard("journal_unavailable")
    await asyncio.wait(recordings)
    assert {JournalClosed} == {type(recording.exception()) for recording in recordings}
    async with SqliteJournal(path, events=events) as journal:
        assert 1 == len(await journal.overdue(now=float("inf"), limit=1000))


async def test_what_can_be_read_is_read_while_the_disk_is_full(tmp_path: Path) -> None:
    """Statuses that wait are published all the same."""
    events = AwaitedEvents()
    async with SqliteJournal(tmp_path / "journal.db", events=events) as journal:
        await record(journal, big(0))
        await journal.open_attempts([1], at=START, clock_offset=None)
        await end(journal, a_success(1))
        await limit_pages(journal, 1)
        recordings = [journal.record([big(n)]) for n in range(1, 20)]
        await events.heard("journal_unavailable")
        assert [1] == [status.request for status in await journal.unreported(after=0, limit=9)]
        assert {False} == {recording.done() for recording in recordings}
    await asyncio.wait(recordings)
    assert {JournalClosed} == {type(recording.exception()) for recording in recordings}


FILLING = """
import asyncio, resource, signal, sys
from pathlib import Path
from twilio_notifications.adapters.sqlite import SqliteJournal
from tests.support.factories import a_request
from tests.support.journals import record
from twilio_notifications.ports.events import name_of

class Printing:
    def tell(self, event):
        print(name_of(type(event)), flush=True)

async def main():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    async with SqliteJournal(Path(sys.argv[1]), events=Printing()) as journal:
        await record(journal, a_request("+12345000000"))
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        recordings = [journal.record([a_request(f"+1234500{n:04}", name="x" * 4000)]) for n in range(200)]
        while not (await asyncio.to_thread(sys.stdin.readline)).startswith("room"):
            pass
        assert not any(recording.done() for recording in recordings), "promised too early"
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await asyncio.gather(*recordings)
        print(len(await journal.overdue(now=float("inf"), limit=1000)), flush=True)

asyncio.run(main())
"""


def test_a_limit_of_the_operating_system_is_waited_for_like_a_full_disk(tmp_path: Path) -> None:
    """The only full disk that root and ordinary users can both have, without a file system of their own."""
    command = [sys.executable, "-c", FILLING, str(tmp_path / "journal.db")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as peer:
        assert peer.stdin is not None
        assert peer.stdout is not None
        assert "journal_unavailable\n" == peer.stdout.readline()
        peer.stdin.write("room\n")
        peer.stdin.close()
        assert ["journal_available\n", "201\n"] == sorted(peer.stdout, reverse=True)
    assert 0 == peer.returncode


async def test_a_purge_works_on_a_full_disk(tmp_path: Path) -> None:
    """Deleting needs room for the log; the reserve is that room."""
    with mounted(tmp_path / "small", megabytes=16) as folder:
        path = folder / "journal.db"
        async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
            await record(journal, big(0))
            for number in range(600):
                await record(journal, a_rejection(request_id=f"{number}{'x' * 4000}"))
                await report(journal, [number + 2], at=START)
        (folder / "ballast").write_bytes(bytes(shutil.disk_usage(folder).free))
        assert 0 == shutil.disk_usage(folder).free
        assert 600 == JournalFile(path).purge(finished_before=START + 1)
        async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
            assert Recording.NEW is await record(journal, big(1))


async def test_a_start_and_its_alarms_work_on_a_disk_that_others_have_filled(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", megabytes=16) as folder:
        path = folder / "journal.db"
        async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
            for number in range(600):
                await record(journal, a_rejection(request_id=f"{number}{'x' * 4000}"))
                await report(journal, [number + 1], at=START)
        (folder / "ballast").write_bytes(bytes(shutil.disk_usage(folder).free))
        async with SqliteJournal(path, events=RecordingEvents(), report_seconds=0.0) as journal:
            assert Recording.NEW is await record(journal, a_request())
            assert 1 == len(await journal.claim(due_before=START, limit=9))
