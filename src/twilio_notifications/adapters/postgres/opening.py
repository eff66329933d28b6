"""Opens a journal on PostgreSQL: what the server must be, its tables, and their migrations.

It refuses rather than repairs, as on SQLite: tables of another program or of a later version are left as they
are, and the error says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import JournalDamaged, JournalError, JournalTooNew

if TYPE_CHECKING:
    from collections.abc import Iterator

    import asyncpg

OLDEST_SERVER: Final = 140000
"""PostgreSQL 14, as server_version_num has it."""

LOCK_SPACE: Final = 0x54774E6F
"""The first number of the advisory locks of this program; reads "TwNo"."""

LOCK_JOURNAL: Final = f"SELECT pg_advisory_xact_lock({LOCK_SPACE + 1}, hashtext(current_schema()))"
"""Until the end of the transaction, no other connector writes."""

SETTINGS: Final = (
    # A commit is on the disk when it returns.
    "SELECT set_config('synchronous_commit', 'on', true)"
    " WHERE current_setting('synchronous_commit') = 'off'; "
    # Each statement of the line has its index, and a list of what it looks for is short. A plan is made while
    # the tables may be empty, when a walk along a whole index looks as cheap, and is used for a while.
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
    "SET LOCAL jit = off"
)
"""Of a transaction that writes. They end with it: behind a pooler the next one has another session."""

VERSION: Final = "SELECT version FROM journal"
"""A migration changes neither this table nor this column: an earlier version looks there."""

FOREIGN_TABLE: Final = """
SELECT CAST(relname AS TEXT) FROM pg_class
WHERE relkind IN ('r', 'p') AND relnamespace = CAST(current_schema() AS regnamespace)
  AND to_regclass('journal') IS NULL
  AND NOT EXISTS (
      SELECT 1 FROM pg_depend
      WHERE classid = CAST('pg_class' AS regclass) AND objid = pg_class.oid AND deptype = 'e'
  )
ORDER BY relname LIMIT 1
"""
"""A table where there is no journal; another connector may have made one a moment ago. Those of the server's
extensions do not count: administrators may have put one into each new database."""

IS_IN_USE: Final = """
SELECT EXISTS (SELECT 1 FROM members WHERE until > EXTRACT(EPOCH FROM clock_timestamp()))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    version: int
    script: str


def migrations() -> Iterator[Migration]:
    """The numbered SQL files in their order."""
    folder = resources.files(__package__) / "migrations"
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        if file.name.endswith(".sql"):
            yield Migration(version=int(file.name.partition("_")[0]), script=file.read_text("utf-8"))


def newest_version() -> int:
    """The version that this program writes."""
    return max(migration.version for migration in migrations())


async def require_fit(connection: asyncpg.Connection) -> None:
    """Raises a JournalError for a server that cannot keep a journal."""
    number = int(await connection.fetchval("SHOW server_version_num"))
    if number < OLDEST_SERVER:
        raise JournalError(
            f"the PostgreSQL server has version {number // 10000}, and a journal needs version "
            f"{OLDEST_SERVER // 10000} or later. Upgrade the server, or name another one ([journal] url)."
        )
    encoding = await connection.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise JournalError(
            f"the database has the encoding {encoding}, and a journal needs UTF8. Create another one: "
            "createdb --encoding=UTF8 --template=template0 NAME"
        )
    if await connection.fetchval("SELECT current_schema() IS NULL"):
        raise JournalError(
            "the role may use no schema of the database that its search_path names. It must own the "
            "database: ALTER DATABASE … OWNER TO …"
        )
    if await connection.fetchval("SELECT pg_is_in_recovery()"):
        raise ConnectionError(
            "the server is a standby, which cannot write. Name the primary one in [journal] url, or all of "
            "them with target_session_attrs=read-write"
        )


async def is_in_use(connection: asyncpg.Connection) -> bool:
    """Whether a connector uses the journal: one that was killed does so until its lease has ended."""
    return bool(await connection.fetchval(IS_IN_USE))


async def version_of(connection: asyncpg.Connection) -> int:
    """The version of the journal's tables; 0: there are none. Raises for tables of another program."""
    if await connection.fetchval("SELECT to_regclass('journal') IS NULL"):
        foreign = await connection.fetchval(FOREIGN_TABLE)
        if foreign is not None:
            raise JournalDamaged(
                f"the database holds tables of another program, as {foreign}. Give the journal a database of "
                "its own ([journal] url)."
            )
        return 0
    version: int = await connection.fetchval(VERSION)
    if version > newest_version():
        raise JournalTooNew(
            f"the journal in the database has version {version}, this program knows versions up to "
            f"{newest_version()}: a connector of a later version has changed its tables. Install that "
            "version here too, or name another database ([journal] url)."
        )
    return version


async def migrate(connection: asyncpg.Connection) -> None:
    """Brings the tables up to date, each version in one transaction with its number."""
    for migration in migrations():
        async with connection.transaction():
            await connection.execute(LOCK_JOURNAL)
            if migration.version > await version_of(connection):
                await connection.execute(migration.script)
                await connection.execute(
                    "INSERT INTO journal (one, version) VALUES (1, $1)"
                    " ON CONFLICT (one) DO UPDATE SET version = excluded.version",
                    migration.version,
                )


async def open_to_read(connection: asyncpg.Connection) -> None:
    """For people, and for reads next to the writer."""
    version = await version_of(connection)
    if version < newest_version():
        raise JournalError(
            "there is no journal in the database yet, or one of an earlier version: start a connector of "
            "this version once."
        )
