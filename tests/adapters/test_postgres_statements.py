"""The journal's statements on PostgreSQL: each is translated, and the server knows what it means."""

from __future__ import annotations

import re
from contextlib import closing
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

import pytest

from twilio_notifications.adapters.journal import statements
from twilio_notifications.adapters.journal.statements.work import INDEX_DUE
from twilio_notifications.adapters.postgres.opening import SETTINGS
from twilio_notifications.adapters.postgres.translating import Untranslatable, translation
from twilio_notifications.adapters.sqlite.opening import open_connection

if TYPE_CHECKING:
    from types import ModuleType

    import asyncpg

    from tests.support.postgresql import PostgreSql

pytestmark = pytest.mark.postgresql

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "CREATE")
PARAMETER_TYPES = {"int8", "float8", "text", "bytea", "json"}
"""Others would not take what the operations give."""

ONLY_HERE = {"journal", "writers", "reservations"}

ONLY_ON_SQLITE = {"counted"}
"""Modules of statements."""

WALKS = {
    # At the start, and when counts are wanted.
    "care COUNT_UNFINISHED",
    "care COUNT_WAITING",
    "care FUTURE_WAITING",
    "paces RELEASE",
    # In the order of an index, until enough is found.
    "backlog WAITING",
    "care TRIM",
    "members MAY_BE_CLAIMED",
    "work NEXT_EXPIRY",
    # With an order of a person, or where a call is hung up.
    "chains MARK_CANCELLED",
    "orders SELECTED_TO_CANCEL",
    "orders SELECTED_TO_RESEND",
    # Its index is there where the configuration wants it.
    "arrivals ORIGINAL",
}
"""They read a whole index, and why they may."""

WALK = re.compile("(Seq|Index|Index Only) Scan")
SHORT = re.compile(
    r"Scan on (broker|duplicates|journal|leadership|members|pauses|periods|reservations)\b"
    r"|Scan on (callback_secret|facts|rules|senders|usage|writers)\b"
    r"|using (chains_due|deliveries_due|hangups|members|orders|states_doubt|states_one_open|statuses_held)"
    r"|using (statuses_outbox|statuses_suspects|usage|wishes_unfinished)"
    r"|Bitmap Index Scan on (chains_due|duplicates|members|orders|pauses|states_one_open|statuses_outbox)"
)
"""Tables and indexes that stay small: what is open, in doubt or unreported, or named by a configuration."""


def every() -> dict[str, str]:
    """The statements by module and name."""
    return {
        f"{found.name} {name}": text
        for found in iter_modules(statements.__path__)
        if found.name not in ONLY_ON_SQLITE
        for name, text in _statements_of(import_module(f"{statements.__name__}.{found.name}"))
    }


def _statements_of(module: ModuleType) -> list[tuple[str, str]]:
    found = [(name, value) for name, value in vars(module).items() if name.isupper()]
    texts = [
        (name, text)
        for name, value in found
        for text in (value if isinstance(value, tuple) else (value,))
        if isinstance(text, str) and not name.startswith("_")
    ]
    return [(name, text) for name, text in texts if text.split()[0] in VERBS]


def _is_of_the_line(name: str, text: str) -> bool:
    """Whether a connector executes the statement again and again."""
    return not name.startswith("reading ") and name not in WALKS and "CREATE INDEX" not in text


def test_the_server_can_prepare_every_statement(postgresql: PostgreSql, postgresql_url: str) -> None:
    async def wrong(connection: asyncpg.Connection) -> dict[str, object]:
        found: dict[str, object] = {}
        for name, text in every().items():
            try:
                prepared = await connection.prepare(translation(text).text)
            except Exception as error:  # noqa: BLE001 - all of them are to be seen
                found[name] = error
                continue
            types = {parameter.name for parameter in prepared.get_parameters()}
            if not types <= PARAMETER_TYPES:
                found[name] = types
        return found

    assert len(every()) > 200
    assert {} == postgresql.do(postgresql_url, wrong)


def test_the_tables_have_the_columns_that_they_have_on_sqlite(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    async def tables(connection: asyncpg.Connection) -> dict[str, set[str]]:
        rows = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        )
        return {table: {name for one, name in rows if one == table} for table, _ in rows}

    theirs = postgresql.do(postgresql_url, tables)
    with closing(open_connection(None)) as connection:
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        ours = {
            name: {row[1] for row in connection.execute(f"PRAGMA table_info({name})")}
            for (name,) in names.fetchall()
        }
    assert ours == {name: columns for name, columns in theirs.items() if name not in ONLY_HERE}


def test_the_tables_have_the_indexes_that_they_have_on_sqlite(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    async def indexes(connection: asyncpg.Connection) -> set[str]:
        rows = await connection.fetch(
            "SELECT indexname FROM pg_indexes WHERE schemaname = 'public'"
            " AND indexname NOT LIKE '%_pkey' AND indexname NOT LIKE '%_key'"
        )
        return {name for (name,) in rows}

    with closing(open_connection(None)) as connection:
        rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
        ours = {name for (name,) in rows}
    assert ours == postgresql.do(postgresql_url, indexes)


@pytest.mark.parametrize(
    "name", sorted(name for name, text in every().items() if _is_of_the_line(name, text))
)
def test_a_statement_of_the_line_walks_along_nothing_that_grows_though_it_was_planned_when_all_was_empty(
    postgresql: PostgreSql, postgresql_url: str, name: str
) -> None:
    text = translation(every()[name]).text
    count = len(set(re.findall(r"\$\d+", text)))

    async def plan(connection: asyncpg.Connection) -> list[str]:
        async with connection.transaction():
            await connection.execute(INDEX_DUE)
            await connection.execute(f"{SETTINGS}; SET LOCAL plan_cache_mode = force_generic_plan")
            await connection.execute(f"PREPARE one AS {text}")
            values = f"({', '.join(['NULL'] * count)})" if count else ""
            return [row[0] for row in await connection.fetch(f"EXPLAIN EXECUTE one {values}")]

    steps = postgresql.do(postgresql_url, plan)
    after = zip(steps, [*steps[1:], ""], strict=True)
    walks = [step for step, following in after if WALK.search(step) and "Index Cond" not in following]
    assert [] == [walk for walk in walks if not SHORT.search(walk)], "\n".join(steps)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("SELECT a FROM b WHERE c = ? AND d = ?", "SELECT a FROM b WHERE c = $1 AND d = $2"),
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1"),
        ("SELECT ?1, ?2, ?1", "SELECT $1, $2, $1"),
        ("SELECT ':a ? it''s' WHERE a = ?", "SELECT ':a ? it''s' WHERE a = $1"),
        ("WHERE a IS ? AND b IS NOT ?", "WHERE a IS NOT DISTINCT FROM $1 AND b IS DISTINCT FROM $2"),
        ("WHERE a IS NOT NULL AND b IS NULL", "WHERE a IS NOT NULL AND b IS NULL"),
        ("SELECT MAX(a), MAX(b, ?)", "SELECT MAX(a), GREATEST(b, $1)"),
        ("SELECT MIN(MAX(a, b), c)", "SELECT LEAST(GREATEST(a, b), c)"),
        ("SELECT MAX((SELECT MIN(a, b)))", "SELECT MAX((SELECT LEAST(a, b)))"),
        ("FROM a INDEXED BY b CROSS JOIN c ON d = e", "FROM a JOIN c ON d = e"),
        ("FROM a NOT INDEXED JOIN c ON d = e", "FROM a JOIN c ON d = e"),
        ("SELECT 'CROSS JOIN', a LIKE ?", "SELECT 'CROSS JOIN', a ILIKE $1"),
        ("SELECT CAST(a / 3600 AS INTEGER)", "SELECT CAST(FLOOR(a / 3600) AS BIGINT)"),
    ],
)
def test_a_text_of_sqlite_gets_the_words_of_postgresql(ours: str, theirs: str) -> None:
    assert theirs == translation(ours).text


@pytest.mark.parametrize(
    "text",
    [
        "SELECT IIF(a, 1, 2)",
        "SELECT seq FROM sqlite_sequence",
        "PRAGMA user_version",
        "SELECT json_extract(a, '$.b')",
        "SELECT CAST(a AS INTEGER)",
        "SELECT rowid FROM states",
    ],
)
def test_a_word_that_only_sqlite_knows_is_refused(text: str) -> None:
    with pytest.raises(Untranslatable, match=re.escape(text)):
        translation(text)


def test_parameters_by_name_come_in_the_order_of_their_first_place() -> None:
    translated = translation("SELECT :b, :a, :b")
    assert [2, 1] == list(translated.values({"a": 1, "b": 2, "c": 3}))
