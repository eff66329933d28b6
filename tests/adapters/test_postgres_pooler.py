"""The journal behind a pooler of transactions, which gives each of them another session of the server."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engines import access_of, in_database, reader_of
from tests.support.factories import START, a_success
from tests.support.fakes import AwaitedEvents
from tests.support.journals import A, B, accept, begin, due, report
from tests.support.orders import place
from tests.support.patience import WAIT_SECONDS
from tests.support.pgbouncer import CONNECTIONS
from twilio_notifications.core.errors import JournalLocked
from twilio_notifications.core.orders import PauseOrder
from twilio_notifications.ports.journal.reader import Search

if TYPE_CHECKING:
    import asyncpg

    from tests.support.pgbouncer import PgBouncer
    from tests.support.postgresql import PostgreSql
    from twilio_notifications.adapters.postgres.journal import PostgresJournal

pytestmark = [pytest.mark.postgresql, pytest.mark.pgbouncer]

KILLS = 3
LASTING = 600.0
"""Of a lease, in seconds: as long as any test."""


def a_journal(url: str, events: AwaitedEvents | None = None, **options: Any) -> PostgresJournal:
    return in_database(url, events=events or AwaitedEvents(), report_seconds=0.0, **options)


async def work_off(journal: PostgresJournal, recipient: str) -> None:
    """Takes a request in, sends it, and reports its status."""
    await accept(journal, recipient)
    (id_,) = await due(journal)
    await begin(journal, id_)
    await journal.take([a_success(id_)])
    await report(journal, [id_])


async def test_two_connectors_share_a_journal_behind_it(pooled_url: str) -> None:
    async with (
        a_journal(pooled_url, lease_seconds=LASTING) as one,
        a_journal(pooled_url, member="two", lease_seconds=LASTING) as two,
    ):
        await accept(one, A, B)
        claimed = [await two.claim(due_before=START, limit=1), await one.claim(due_before=START, limit=9)]
        assert [[1], [2]] == [[each.id for each in every] for every in claimed]
        await begin(two, 1)
        await begin(one, 2)
        await two.take([a_success(1)])
        await one.take([a_success(2)])
        await report(one, [1, 2])
    entries = await asyncio.to_thread(reader_of(pooled_url).entries, Search(), now=START)
    assert 2 == len(entries.entries)


async def test_nothing_is_left_on_the_sessions_of_the_server(
    postgresql: PostgreSql, postgresql_url: str, pooled_url: str
) -> None:
    """No lock, no setting, no prepared statement: the next transaction may be another program's."""
    events = AwaitedEvents()
    async with a_journal(pooled_url, events) as journal:
        journal.watch_orders(lambda: None)
        await events.heard("notifications_silent")
        for _ in range(9):
            await work_off(journal, A)
        await asyncio.to_thread(access_of(pooled_url).is_running)
        assert 0 == postgresql.ask("SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert {("on", "on", 0)} == await asyncio.to_thread(sessions, postgresql, pooled_url)


def sessions(postgresql: PostgreSql, url: str) -> set[tuple[str, str, int]]:
    """What the sessions have of settings and of prepared statements; each of them is asked."""

    async def ask(connection: asyncpg.Connection) -> set[tuple[str, str, int]]:
        return {
            tuple(
                await connection.fetchrow(
                    "SELECT current_setting('enable_seqscan'), current_setting('jit'),"
                    " (SELECT COUNT(*) FROM pg_prepared_statements WHERE name <> '')"
                )
            )
            for _ in range(2 * CONNECTIONS)
        }

    found: set[tuple[str, str, int]] = postgresql.do(url, ask)
    return found


async def test_a_commit_is_on_the_disk_where_the_database_would_not_wait_for_it(
    postgresql: PostgreSql, postgresql_url: str, pgbouncer: PgBouncer
) -> None:
    name = postgresql_url.rpartition("/")[2]
    postgresql.ask(f"ALTER DATABASE {name} SET synchronous_commit = off")
    async with a_journal(pgbouncer.url(postgresql_url)) as journal:
        held = await journal._store.writer.submit(  # the writer's own transaction
            lambda connection: connection.execute("SELECT current_setting('synchronous_commit')").fetchone()
        )
        assert ("on",) == held


async def test_it_is_said_once_and_orders_and_requests_are_found_without_notifications(
    pooled_url: str,
) -> None:
    events = AwaitedEvents()
    async with (
        a_journal(pooled_url, events, lease_seconds=LASTING) as one,
        a_journal(pooled_url, member="two", lease_seconds=LASTING) as two,
    ):
        one.watch_orders(lambda: None)
        await events.heard("notifications_silent")
        await asyncio.to_thread(place, pooled_url, PauseOrder())
        assert 1 == len(await one.orders(limit=9))
        await accept(one, A)
        await two.beat(places=10, in_use=0, at=START)
        assert [1] == [each.id for each in await two.claim(due_before=START, limit=9)]
        assert 1 == events.count("notifications_silent")


async def test_a_restart_of_the_pooler_is_waited_for(pgbouncer: PgBouncer, pooled_url: str) -> None:
    events = AwaitedEvents()
    async with a_journal(pooled_url, events) as journal:
        await accept(journal, A)
        pgbouncer.kill()
        waiting = asyncio.ensure_future(accept(journal, B))
        await events.heard("journal_unavailable")
        pgbouncer.start()
        await asyncio.wait_for(waiting, WAIT_SECONDS)
        assert [1, 2] == await due(journal)


async def test_a_commit_during_which_the_pooler_died_is_found_out_about(
    pgbouncer: PgBouncer, pooled_url: str
) -> None:
    """Each request is written once, wherever in its transaction the connection ended."""
    async with a_journal(pooled_url) as journal:
        recipients = [f"+1234500{number:04}" for number in range(40 * KILLS)]
        for kill in range(KILLS):
            first = recipients[40 * kill : 40 * kill + 20]
            writing = [asyncio.ensure_future(accept(journal, recipient)) for recipient in first]
            await asyncio.wait(writing, return_when=asyncio.FIRST_COMPLETED)
            writing += [
                asyncio.ensure_future(accept(journal, recipient))
                for recipient in recipients[40 * kill + 20 : 40 * kill + 40]
            ]
            pgbouncer.kill()
            pgbouncer.start()
            await asyncio.wait_for(asyncio.gather(*writing), WAIT_SECONDS)
    entries = await asyncio.to_thread(reader_of(pooled_url).entries, Search(limit=999), now=START)
    # What people read has the last four digits alone.
    assert [one[-4:] for one in recipients] == sorted(
        str(entry.phone_number)[-4:] for entry in entries.entries
    )


async def test_old_requests_are_removed_behind_it_only_where_no_connector_runs(pooled_url: str) -> None:
    from twilio_notifications.adapters.postgres.purging import purge  # noqa: PLC0415 - needs asyncpg

    async with a_journal(pooled_url, lease_seconds=LASTING) as journal:
        await work_off(journal, A)
        with pytest.raises(JournalLocked, match="Stop it, purge, and start it again"):
            await asyncio.to_thread(purge, pooled_url, finished_before=9e9)
        await journal.leave(at=START)
    assert 1 == await asyncio.to_thread(purge, pooled_url, finished_before=9e9)


async def test_the_check_says_that_notifications_do_not_get_through(pooled_url: str) -> None:
    from twilio_notifications.adapters.postgres.inspecting import inspect  # noqa: PLC0415 - needs asyncpg

    assert "NOTIFY does not get through" in await asyncio.to_thread(inspect, pooled_url)
