"""What a person reads of a database that cannot keep a journal; never with the password."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.engines import access_of, desk_of, in_database, reader_of
from tests.support.factories import START
from tests.support.fakes import RecordingEvents
from tests.support.journals import A, accept
from twilio_notifications.core.errors import (
    JournalDamaged,
    JournalError,
    JournalLocked,
    JournalTooNew,
    JournalUnreachable,
)
from twilio_notifications.core.pace import Rate, SenderRates
from twilio_notifications.ports.journal.reader import Search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgresql import PostgreSql
    from twilio_notifications.adapters.postgres.journal import PostgresJournal

pytestmark = pytest.mark.postgresql

WRONG = "wrong-word"
LASTING = 600.0
"""A lease of so many seconds outlives every test."""


def a_journal(url: str, **options: Any) -> PostgresJournal:
    return in_database(url, events=RecordingEvents(), report_seconds=0.0, **options)


def inspected(url: str) -> str:
    from twilio_notifications.adapters.postgres.inspecting import inspect  # noqa: PLC0415 - needs asyncpg

    return inspect(url)


async def is_refused(url: str, kind: type[JournalError], expected: str, *, lasts: bool = False) -> None:
    """By a start; and by the check, which finds the same. What `lasts` is not waited for."""
    with pytest.raises(kind, match=expected) as raised:
        await a_journal(url).__aenter__()
    assert not (lasts and isinstance(raised.value, JournalUnreachable))
    said = f"{raised.value} {raised.value!r}"
    assert "word" not in said.replace("password", "").replace("PASSWORD", ""), "a password"


@contextmanager
def empty(postgresql: PostgreSql) -> Iterator[str]:
    with postgresql.database(empty=True) as url:
        yield url


async def test_a_first_start_makes_the_tables(postgresql: PostgreSql) -> None:
    with empty(postgresql) as url:
        async with a_journal(url) as journal:
            await accept(journal, A)
        assert 1 == len(reader_of(url).entries(Search(), now=0.0).entries)


async def test_a_server_that_does_not_run_is_named(postgresql: PostgreSql, postgresql_url: str) -> None:
    url = postgresql_url.replace(f":{postgresql.port}/", ":1/")
    await is_refused(url, JournalError, r"127\.0\.0\.1:1/\w+ cannot be reached.* Start PostgreSQL")


async def test_a_wrong_password_is_named_and_not_shown(postgresql: PostgreSql, postgresql_url: str) -> None:
    url = postgresql.url(postgresql_url.rpartition("/")[2], password=WRONG)
    await is_refused(url, JournalError, "refuses the login as connector")


async def test_a_file_of_the_url_that_cannot_be_read_is_named(postgresql_url: str, tmp_path: Path) -> None:
    url = f"{postgresql_url}?sslmode=verify-full&sslrootcert={tmp_path}/ca.pem"
    await is_refused(
        url, JournalError, f"sslrootcert names {tmp_path}/ca.pem, which cannot be read", lasts=True
    )


async def test_an_authority_that_is_missing_is_a_mistake_of_the_url(
    postgresql_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    url = f"{postgresql_url}?sslmode=verify-full"
    await is_refused(url, JournalError, "Correct .journal. url: root certificate file", lasts=True)


async def test_a_server_without_tls_is_not_waited_for_where_the_url_requires_it(postgresql_url: str) -> None:
    await is_refused(
        f"{postgresql_url}?sslmode=require",
        JournalError,
        "takes no connections by TLS, .*Set ssl = on",
        lasts=True,
    )


async def test_two_connectors_with_other_senders_start_at_the_same_time(postgresql_url: str) -> None:
    """As in a change of the paces that is carried out one connector after the other."""
    numbers = [f"+1555010{number:04}" for number in range(200)]
    rates = SenderRates(texts=Rate.per_second(1), calls=Rate.per_second(1))
    for _ in range(3):
        async with AsyncExitStack() as stack:
            orders = (numbers, numbers[::-1], numbers[::2], numbers[1::2])
            journals = [a_journal(postgresql_url, paces=dict.fromkeys(order, rates)) for order in orders]
            await asyncio.gather(*map(stack.enter_async_context, journals))


async def test_a_socket_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    url = f"postgresql://connector@/journal?host={tmp_path}"
    await is_refused(url, JournalUnreachable, "Start PostgreSQL")


async def test_a_server_without_room_for_connections_says_how_many_are_needed(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    postgresql.ask(f"ALTER DATABASE {postgresql_url.rpartition('/')[2]} CONNECTION LIMIT 0")
    await is_refused(
        postgresql_url, JournalUnreachable, r"too many connections .*\. Each connector needs three"
    )


async def test_what_the_server_says_in_more_than_one_line_is_one_sentence(postgresql: PostgreSql) -> None:
    with empty(postgresql) as url:
        database = url.rpartition("/")[2]
        postgresql.ask(f"ALTER DATABASE {database} OWNER TO postgres")
        postgresql.ask(f"REVOKE ALL ON DATABASE {database} FROM PUBLIC")
        await is_refused(url, JournalError, rf'permission denied for database "{database}"\. The role must')


async def test_a_database_that_does_not_exist_is_named(postgresql: PostgreSql) -> None:
    await is_refused(postgresql.url("nowhere"), JournalError, "no such database. Create it: createdb")


async def test_a_role_without_the_right_to_make_tables_is_told_how_to_get_it(
    postgresql: PostgreSql,
) -> None:
    with empty(postgresql) as url:
        postgresql.ask(f"ALTER DATABASE {url.rpartition('/')[2]} OWNER TO postgres")
        postgresql.ask("REVOKE CREATE ON SCHEMA public FROM PUBLIC", url)
        await is_refused(url, JournalError, "cannot be used by connector.*ALTER DATABASE")
        with pytest.raises(JournalError, match="cannot be used by connector"):
            inspected(url)


async def test_a_role_that_may_use_no_schema_is_told_what_it_must_own(postgresql: PostgreSql) -> None:
    with empty(postgresql) as url:
        postgresql.ask(f"ALTER DATABASE {url.rpartition('/')[2]} OWNER TO postgres")
        postgresql.ask("REVOKE ALL ON SCHEMA public FROM PUBLIC", url)
        await is_refused(url, JournalError, "may use no schema of the database.*ALTER DATABASE")


async def test_a_database_of_another_encoding_is_refused(postgresql: PostgreSql) -> None:
    postgresql.ask("CREATE DATABASE latin TEMPLATE template0 ENCODING LATIN1 OWNER connector")
    try:
        await is_refused(
            postgresql.url("latin"), JournalError, "has the encoding LATIN1, and a journal needs UTF8"
        )
    finally:
        postgresql.ask("DROP DATABASE latin WITH (FORCE)")


@pytest.mark.parametrize("table", ["requests", "members", "customers"])
async def test_tables_of_another_program_are_left_alone(postgresql: PostgreSql, table: str) -> None:
    with empty(postgresql) as url:
        postgresql.ask(f"CREATE TABLE {table} (what TEXT)", url)
        await is_refused(url, JournalDamaged, f"tables of another program, as {table}")
        with pytest.raises(JournalDamaged, match="tables of another program"):
            await asyncio.to_thread(inspected, url)
        assert 1 == postgresql.ask("SELECT COUNT(*) FROM pg_tables WHERE schemaname = 'public'", url)


async def test_what_an_extension_of_the_server_has_made_is_no_table_of_another_program(
    postgresql: PostgreSql,
) -> None:
    with empty(postgresql) as url:
        postgresql.ask("CREATE TABLE spatial_reference (what TEXT)", url)
        postgresql.ask("ALTER EXTENSION plpgsql ADD TABLE spatial_reference", url)
        async with a_journal(url) as journal:
            await accept(journal, A)


async def test_a_journal_of_a_later_version_is_refused(postgresql: PostgreSql, postgresql_url: str) -> None:
    postgresql.ask("UPDATE journal SET version = 9999", postgresql_url)
    await is_refused(postgresql_url, JournalTooNew, "has version 9999, this program knows versions up to")
    with pytest.raises(JournalTooNew, match="has version 9999"):
        reader_of(postgresql_url).entries(Search(), now=0.0)


def test_a_database_without_a_journal_is_read_by_no_one(postgresql: PostgreSql) -> None:
    with empty(postgresql) as url:
        for read in (
            lambda: reader_of(url).entries(Search(), now=0.0),
            lambda: desk_of(url).results([1]),
            lambda: access_of(url).is_running(),
        ):
            with pytest.raises(JournalError, match="no journal in the database yet"):
                read()


async def test_the_check_says_what_a_start_would_find(postgresql: PostgreSql, postgresql_url: str) -> None:

    with empty(postgresql) as url:
        assert "an empty database, in which the journal will be created" in await asyncio.to_thread(
            inspected, url
        )
    async with a_journal(postgresql_url, lease_seconds=LASTING) as journal:
        await accept(journal, A)
        found = await asyncio.to_thread(inspected, postgresql_url)
        await journal.leave(at=START)
    assert "in use by a running connector; unfinished requests: 1, statuses" in found
    assert "NOTIFY" not in found
    assert "in use" not in await asyncio.to_thread(inspected, postgresql_url)


@pytest.mark.parametrize(
    ("later", "kind"), [(1, JournalTooNew), (-1, JournalError)], ids=["later", "earlier"]
)
async def test_old_requests_are_removed_by_the_version_of_the_journal_only(
    postgresql: PostgreSql, postgresql_url: str, later: int, kind: type[JournalError]
) -> None:
    from twilio_notifications.adapters.postgres.purging import purge  # noqa: PLC0415 - needs asyncpg

    postgresql.do(
        postgresql_url,
        lambda connection: connection.execute("UPDATE journal SET version = version + $1", later),
    )
    with pytest.raises(kind, match="version"):
        await asyncio.to_thread(purge, postgresql_url, finished_before=9e9)


async def test_old_requests_are_removed_only_where_no_connector_runs(postgresql_url: str) -> None:

    from twilio_notifications.adapters.postgres.purging import purge  # noqa: PLC0415 - needs asyncpg

    async with a_journal(postgresql_url, lease_seconds=LASTING) as journal:
        with pytest.raises(JournalLocked, match="Stop it, purge, and start it again"):
            await asyncio.to_thread(purge, postgresql_url, finished_before=9e9)
        await journal.leave(at=START)
    assert 0 == await asyncio.to_thread(purge, postgresql_url, finished_before=9e9)
