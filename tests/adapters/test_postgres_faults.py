"""A journal whose PostgreSQL server is gone for a while: nothing is promised, lost or done twice."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from tests.support.engines import in_database
from tests.support.factories import START, a_request, a_success
from tests.support.fakes import AwaitedEvents
from tests.support.journals import A, B, C, accept, became, begin, due, end, outbox, record, statuses, waiting
from tests.support.mosquitto import HOST
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.postgres import engine
from twilio_notifications.adapters.postgres.opening import LOCK_JOURNAL
from twilio_notifications.core.errors import JournalClosed, JournalDamaged, JournalTooNew
from twilio_notifications.core.model import Text
from twilio_notifications.ports import Recording

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgresql import PostgreSql
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.postgres.journal import PostgresJournal

pytestmark = pytest.mark.postgresql

END_CONNECTIONS = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'connector'"


def a_journal(url: str, events: AwaitedEvents | None = None, **options: Any) -> PostgresJournal:
    return in_database(url, events=events or AwaitedEvents(), **{"report_seconds": 0.0, **options})


@pytest.fixture
def url(postgresql_url: str) -> str:
    return postgresql_url


def migrate(postgresql: PostgreSql, url: str, changes: str = "") -> None:
    """What a connector of the next version does when it starts."""

    async def change(connection: asyncpg.Connection) -> None:
        async with connection.transaction():
            await connection.execute(LOCK_JOURNAL)
            if changes:
                await connection.execute(changes)
            await connection.execute("UPDATE journal SET version = version + 1")

    postgresql.do(url, change)


class Cut(Enum):
    """When a connection breaks of a COMMIT."""

    BEFORE = auto()
    """The server does not get it, and rolls back."""
    AFTER = auto()
    """The server has carried it out, and its answer is lost."""


class CommitCutter:
    """The network between a connector and its server, which breaks at the next COMMIT after `cut` was set."""

    def __init__(self, url: str) -> None:
        self._to = int(url.rpartition("/")[0].rpartition(":")[2])
        self.cut: Cut | None = None
        self.leads_nowhere = False
        """From now on new connections end at once."""
        self._passing: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def url(self, url: str) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._connect, HOST, 0)
        port = server.sockets[0].getsockname()[1]
        try:
            yield url.replace(f":{self._to}/", f":{port}/")
        finally:
            server.close()
            for task in self._passing:
                task.cancel()
            await asyncio.gather(*self._passing, return_exceptions=True)

    def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._passing.append(asyncio.create_task(self._pass_both(reader, writer)))

    async def _pass_both(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.leads_nowhere:
            writer.close()
            return
        server_reader, server_writer = await asyncio.open_connection(HOST, self._to)
        answers = asyncio.create_task(self._pass_on(server_reader, writer))
        try:
            await self._pass_until_cut(reader, server_reader, server_writer, answers)
        finally:
            answers.cancel()
            for end_ in (writer, server_writer):
                end_.close()

    async def _pass_until_cut(
        self,
        reader: asyncio.StreamReader,
        server_reader: asyncio.StreamReader,
        server_writer: asyncio.StreamWriter,
        answers: asyncio.Task[None],
    ) -> None:
        while data := await reader.read(65536):
            if b"COMMIT" in data and self.cut is not None:
                cut, self.cut = self.cut, None
                if cut is Cut.AFTER:
                    answers.cancel()
                    await asyncio.gather(answers, return_exceptions=True)
                    server_writer.write(data)
                    await server_reader.read(65536)
                return
            server_writer.write(data)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()


async def numbers(journal: PostgresJournal) -> list[str]:
    """The telephones of the requests that wait, in their order."""
    return [one.notification.recipient.phone_number for one in await waiting(journal)]


@pytest.mark.parametrize("cut", Cut)
async def test_a_commit_whose_answer_is_lost_is_carried_out_once(url: str, cut: Cut) -> None:
    cutter, events = CommitCutter(url), AwaitedEvents()
    async with cutter.url(url) as cut_url, a_journal(cut_url, events) as journal:
        await accept(journal, A)
        cutter.cut = cut
        assert Recording.NEW == await record(journal, a_request(B))
        await accept(journal, C)
        await events.heard("journal_available")
        assert [A, B, C] == await numbers(journal)
    async with a_journal(url) as journal:
        assert [A, B, C] == await numbers(journal), "as the memory had it"


@pytest.mark.parametrize("cut", Cut)
async def test_a_step_whose_commit_is_cut_off_is_taken_once(url: str, cut: Cut) -> None:
    cutter = CommitCutter(url)
    async with cutter.url(url) as cut_url, a_journal(cut_url) as journal:
        await accept(journal, A, A)
        await begin(journal, 1)
        cutter.cut = cut
        (taken,) = await end(journal, a_success(1))
        assert [1] == [status.request for status in taken.written]
        assert [1] == [status.request for status in await statuses(journal)]
        assert [2] == await due(journal)


async def test_a_journal_that_is_closed_while_a_commit_is_unknown_says_so(url: str) -> None:
    cutter, events = CommitCutter(url), AwaitedEvents()
    async with cutter.url(url) as cut_url:
        journal = await a_journal(cut_url, events).__aenter__()
        cutter.cut, cutter.leads_nowhere = Cut.AFTER, True
        recording = journal.record([a_request(A)])
        await events.heard("journal_unavailable")
        await journal.__aexit__(None, None, None)
        with pytest.raises(JournalClosed, match="before it could be known"):
            await recording


async def test_a_server_that_restarts_is_waited_for(postgresql: PostgreSql, url: str) -> None:
    events = AwaitedEvents()
    async with a_journal(url, events) as journal:
        await accept(journal, A)
        await asyncio.to_thread(postgresql.stop)
        recordings = [journal.record([a_request(number)]) for number in (B, C)]
        await events.heard("journal_unavailable")
        assert {False} == {recording.done() for recording in recordings}
        await asyncio.to_thread(postgresql.start)
        assert [Recording.NEW, Recording.NEW] == await became(recordings)
        await events.heard("journal_available")
        assert [1, 2, 3] == await due(journal)


async def test_a_server_that_crashes_has_lost_nothing_that_was_acknowledged(
    postgresql: PostgreSql, url: str
) -> None:
    async with a_journal(url) as journal:
        await accept(journal, A, B)
        await asyncio.to_thread(postgresql.kill)
        reading = asyncio.ensure_future(due(journal))
        await asyncio.to_thread(postgresql.start)
        assert [1, 2] == await asyncio.wait_for(reading, WAIT_SECONDS)


async def test_a_transaction_whose_connection_ends_in_the_middle_is_repeated(
    postgresql: PostgreSql, url: str
) -> None:
    async with a_journal(url) as journal:
        times = 0

        def operation(connection: Connection) -> int:
            nonlocal times
            times += 1
            changed = connection.execute("INSERT INTO rules (fingerprint) VALUES (?)", ("one",)).rowcount
            if times == 1:
                postgresql.ask(END_CONNECTIONS)
            return changed

        assert 1 == await journal._store.writer.submit(operation)
        assert 2 == times
        assert "one" == await journal.rules()
        assert 1 == postgresql.ask("SELECT COUNT(*) FROM rules", url)


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_transaction_that_another_one_was_in_the_way_of_is_repeated_at_once(
    url: str, code: str
) -> None:
    events = AwaitedEvents()
    async with a_journal(url, events) as journal:
        times = 0

        def operation(connection: Any) -> None:
            nonlocal times
            times += 1
            connection.execute("INSERT INTO rules (fingerprint) VALUES (?)", (f"try {times}",))
            if times < 3:
                connection.command(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}'; END $$")

        await journal._store.writer.submit(operation)
        assert "try 3" == await journal.rules()
        assert 0 == events.count("journal_unavailable"), "nothing of this is for people"


async def test_a_read_goes_on_after_its_connection_was_ended(postgresql: PostgreSql, url: str) -> None:
    async with a_journal(url) as journal:
        await accept(journal, A)
        assert [1] == await due(journal)
        postgresql.ask(END_CONNECTIONS)
        assert [1] == await due(journal)
        assert [1] == await due(journal)


async def test_a_call_that_fails_by_its_own_fault_fails_alone(url: str) -> None:
    async with a_journal(url) as journal:
        failing = journal._store.writer.submit(lambda connection: connection.execute("SELECT 1 / 0"))
        recording = journal.record([a_request(A)])
        with pytest.raises(Exception, match="division by zero"):
            await failing
        assert [Recording.NEW] == await became([recording])


async def test_the_next_connector_may_start_as_soon_as_the_first_one_has_ended(url: str) -> None:
    for number in range(3):
        async with a_journal(url) as journal:
            await accept(journal, A)
            assert number + 1 == len(await waiting(journal))


async def test_a_connector_that_the_database_does_not_know_any_more_ends(
    postgresql: PostgreSql, url: str
) -> None:
    """As after a backup was restored: it could not know which of its transactions are there."""
    async with a_journal(url) as journal:
        await accept(journal, A)
        postgresql.ask("DELETE FROM writers", url)
        with pytest.raises(JournalDamaged, match="does not know this connector any more"):
            await record(journal, a_request(B))
        assert 1 == postgresql.ask("SELECT COUNT(*) FROM requests", url)


@pytest.mark.parametrize(
    "migration",
    ["", "DROP TABLE writers", "ALTER TABLE writers RENAME COLUMN number TO at"],
    ids=["others", "drops", "renames"],
)
@pytest.mark.parametrize("is_connected", [True, False])
async def test_a_connector_whose_journal_a_later_version_has_migrated_writes_nothing_more_and_says_why(
    postgresql: PostgreSql, url: str, migration: str, *, is_connected: bool
) -> None:
    """As in a rolling update: what it writes would have the meaning of its own version."""
    events = AwaitedEvents()
    async with a_journal(url, events) as journal:
        await accept(journal, A)
        migrate(postgresql, url, migration)
        if not is_connected:
            postgresql.ask(END_CONNECTIONS)
        for refused in (
            journal.record([a_request(B)]),
            journal.beat(places=1, in_use=0, at=START),
            journal.take([a_success(1)]),
        ):
            with pytest.raises(JournalTooNew, match=r"a later version has changed its tables\. Install that"):
                await refused
        assert 1 == postgresql.ask("SELECT COUNT(*) FROM requests", url)


async def test_a_commit_whose_answer_is_lost_acknowledges_nothing_where_a_later_version_has_migrated_since(
    postgresql: PostgreSql, url: str
) -> None:
    cutter, events = CommitCutter(url), AwaitedEvents()
    async with cutter.url(url) as cut_url, a_journal(cut_url, events) as journal:
        cutter.cut, cutter.leads_nowhere = Cut.AFTER, True
        recording = journal.record([a_request(A)])
        await events.heard("journal_unavailable")
        migrate(postgresql, url)
        cutter.leads_nowhere = False
        with pytest.raises(JournalTooNew):
            await recording


async def test_a_migration_waits_for_the_transaction_under_way_and_the_next_one_finds_it(
    postgresql: PostgreSql, url: str
) -> None:
    """Between the look at the version and the commit, no other connector migrates."""
    async with a_journal(url) as journal:
        writer, loop = journal._store.writer, asyncio.get_running_loop()
        begun, goes_on = asyncio.Event(), threading.Event()

        def operation(connection: Connection) -> None:
            loop.call_soon_threadsafe(begun.set)
            goes_on.wait(WAIT_SECONDS)
            connection.execute("INSERT INTO rules (fingerprint) VALUES (?)", ("old",))

        writing = writer.submit(operation)
        await begun.wait()
        migrating = asyncio.create_task(asyncio.to_thread(migrate, postgresql, url))
        try:
            waiting_for_lock = "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            async with asyncio.timeout(WAIT_SECONDS):
                while not await asyncio.to_thread(postgresql.ask, waiting_for_lock):
                    pass
        finally:
            goes_on.set()
        await writing
        await migrating
        with pytest.raises(JournalTooNew):
            await record(journal, a_request(A))


async def test_a_lock_that_another_connector_does_not_give_back_is_waited_for(
    postgresql: PostgreSql, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends the wait before the connector would give the connection up."""
    monkeypatch.setattr(engine, "LOCK_MILLISECONDS", 20)
    events = AwaitedEvents()
    async with a_journal(url, events) as journal:
        await accept(journal, A)
        other = await asyncpg.connect(url)
        try:
            await other.execute(f"BEGIN; {LOCK_JOURNAL}")
            recording = journal.record([a_request(B)])
            await events.heard("journal_unavailable")
            await asyncio.wait_for(journal.pulse(), WAIT_SECONDS)
            assert not recording.done()
        finally:
            await other.close()
        assert [Recording.NEW] == await became([recording])
        await events.heard("journal_available")
        assert [1, 2] == await due(journal)


async def test_texts_keep_every_character(url: str) -> None:
    """PostgreSQL takes no NUL."""
    strange = "a\x00b \U0010fffd0 \U0010fffd \ufeff 😀"
    async with a_journal(url) as journal:
        await accept(journal, A, content=Text(body=strange))
        (found,) = await waiting(journal)
        assert Text(body=strange) == found.notification.content


async def test_a_long_id_can_be_found_again(url: str) -> None:
    """An entry of an index has at most 2,704 bytes."""
    long_id = "".join(chr(0x10000 + 97 * n) for n in range(1024))
    async with a_journal(url, deduplicate_seconds=60.0) as journal:
        await accept(journal, A, request_id=long_id)
        assert Recording.DUPLICATE == await record(journal, a_request(A, request_id=long_id))
        await accept(journal, B, request_id=long_id, escalation="freezer")


async def test_numbers_are_never_given_twice(url: str) -> None:
    async with a_journal(url) as journal:
        await accept(journal, A, B)
        for number in (1, 2):
            await begin(journal, number)
            await end(journal, a_success(number))
        before = [status.position for status in await statuses(journal)]
        await journal.report(before, at=START)
        assert 2 == await journal.purge(finished_before=START + 1e6, limit=10)
    async with a_journal(url) as journal:
        await accept(journal, C)
        assert [3] == await due(journal)
        await begin(journal, 3)
        await end(journal, a_success(3))
        assert [3] == await outbox(journal)
        assert max(before) < (await statuses(journal))[0].position


async def test_a_connection_that_is_lost_while_a_row_is_read_sets_no_request_aside(url: str) -> None:
    """What is read with a row comes from the same connection, and its loss says nothing of the row."""
    async with a_journal(url) as journal:
        await accept(journal, A)
        aside = journal._store.aside

        def lose_the_connection(_row: object) -> int:
            raise ConnectionResetError

        with pytest.raises(ConnectionResetError):
            aside.values([(1, '"x"', "SMS")], lose_the_connection, wanted=1)
        assert [] == await journal.broken_rows()
        assert [1] == await due(journal)
