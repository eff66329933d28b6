"""A connection to PostgreSQL with the few methods that the journal needs, made again after it was lost."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeVar

import asyncpg

from twilio_notifications.adapters.postgres import storing
from twilio_notifications.adapters.postgres.faults import ValueRefused
from twilio_notifications.adapters.postgres.translating import Translation, translation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence

    from asyncpg.prepared_stmt import PreparedStatement

T = TypeVar("T")

CONNECT_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
"""How long the server may take to end a connection. All that matters is committed by then."""

COMMAND_SECONDS: Final = 30.0
"""How long the server may take to answer. Then the connection is ended."""

PREPARE_SECONDS: Final = 600.0
"""How long a new connection may take until it can be used: a large journal may have to be migrated."""

MOST_PREPARED: Final = 1_000
"""Statements that a connection keeps prepared. The journal has some hundred; searches add to them."""

PLANS_LAST: Final = 5_000
"""Executions after which the server makes new plans: tables grow faster than the server's statistics."""


@dataclass(slots=True)
class Rows:
    """Implements Cursor: what a statement has brought."""

    rows: Sequence[Any]
    rowcount: int
    _next: int = field(init=False, default=0)

    def fetchone(self) -> Any:
        if self._next >= len(self.rows):
            return None
        self._next += 1
        return self.rows[self._next - 1]

    def fetchall(self) -> list[Any]:
        left = list(self.rows[self._next :])
        self._next = len(self.rows)
        return left

    def __iter__(self) -> Iterator[Any]:
        return iter(self.fetchall())


class Session:
    """Implements Connection. One thread at a time uses it; `run` carries out a coroutine and waits for it."""

    def __init__(
        self,
        url: str,
        *,
        run: Callable[[Coroutine[Any, Any, Any]], Any],
        row: Callable[[Any], Any] = tuple,
        on_connect: Callable[[asyncpg.Connection], Awaitable[None]] | None = None,
    ) -> None:
        """`row` makes what callers get of a record. `on_connect` is done first with each new connection."""
        self._url = url
        self._run = run
        self._row = row
        self._on_connect = on_connect
        self._connection: asyncpg.Connection | None = None
        self._statements: dict[tuple[str, bool], tuple[Translation, PreparedStatement]] = {}
        self._is_pooled = False
        self._numbers = count(1)
        self._executions = 0

    def run(self, action: Callable[[asyncpg.Connection], Coroutine[Any, Any, T]]) -> T:
        """What the action brings on the connection, which is made where there is none."""
        result: T = self._run(self._use(action))
        return result

    def command(self, text: str) -> str:
        """Carries out a text without parameters, of one or more commands; the status of the last one."""
        status: str = self.run(lambda connection: connection.execute(text))
        return status

    def execute(self, statement: str, parameters: Sequence[Any] | Mapping[str, Any] = (), /) -> Rows:
        """Implements Connection.execute."""
        return self.run(lambda connection: self._execute(connection, statement, parameters))

    def executemany(self, statement: str, parameters: Iterable[Sequence[Any] | Mapping[str, Any]], /) -> Rows:
        """Implements Connection.executemany; all of them are on their way before the first is answered."""
        every = list(parameters)
        if not every:
            return Rows((), 0)
        return self.run(lambda connection: self._execute_many(connection, statement, every))

    def is_open(self) -> bool:
        """Whether there is a connection, as far as this side knows."""
        return self._connection is not None and not self._connection.is_closed()

    def drop(self) -> None:
        """Ends the connection without a word; the next use makes a new one."""
        connection, self._connection = self._connection, None
        self._statements.clear()
        if connection is not None:
            self._run(_terminate(connection))

    def close(self) -> None:
        """Ends the connection in order."""
        connection, self._connection = self._connection, None
        self._statements.clear()
        if connection is not None:
            self._run(_close(connection))

    async def _use(self, action: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
        if self._connection is None or self._connection.is_closed():
            self._statements.clear()
            self._connection = await self._connect()
        try:
            return await _in_time(self._connection, action, seconds=COMMAND_SECONDS)
        except asyncpg.PostgresError as error:
            error.detail = None  # it quotes rows, and with them texts and telephone numbers
            if not isinstance(error, asyncpg.DataError) or error.severity is not None:
                raise
        # It comes from the driver, whose words quote the value: they are left out with all that caused them.
        raise ValueRefused("a value does not fit its column")

    async def _connect(self) -> asyncpg.Connection:
        connection = await connected(self._url)
        try:
            await _in_time(connection, self._prepare, seconds=PREPARE_SECONDS)
        except BaseException:
            connection.terminate()
            raise
        return connection

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        await connection.set_type_codec(
            "text",
            schema="pg_catalog",
            encoder=storing.stored,
            decoder=storing.read,
            format="binary",
        )
        self._is_pooled = await is_pooled(connection)
        if self._on_connect is not None:
            await self._on_connect(connection)

    async def _execute(
        self, connection: asyncpg.Connection, statement: str, parameters: Sequence[Any] | Mapping[str, Any]
    ) -> Rows:
        translated, prepared = await self._get_prepared(connection, statement, many=False)
        rows = await prepared.fetch(*translated.values(parameters))
        _, _, count = prepared.get_statusmsg().rpartition(" ")
        return Rows(list(map(self._row, rows)), int(count) if count.isdecimal() else -1)

    async def _execute_many(
        self,
        connection: asyncpg.Connection,
        statement: str,
        parameters: Sequence[Sequence[Any] | Mapping[str, Any]],
    ) -> Rows:
        translated, prepared = await self._get_prepared(connection, statement, many=True)
        rows = await prepared.fetchmany([translated.values(each) for each in parameters])
        return Rows((), len(rows))

    async def _get_prepared(
        self, connection: asyncpg.Connection, statement: str, *, many: bool
    ) -> tuple[Translation, PreparedStatement]:
        """Of `many` executions only rows come back, so each row that is changed returns one."""
        self._executions += 1
        if self._executions % PLANS_LAST == 0 and not self._is_pooled:
            await connection.execute("DISCARD PLANS")
        known = self._statements.get((statement, many))
        if known is None:
            if len(self._statements) >= MOST_PREPARED:
                self._statements.clear()
            translated = translation(statement)
            text = f"{translated.text} RETURNING 1" if many else translated.text
            # Without a name, the server parses it with each execution.
            name = "" if self._is_pooled else f"s{next(self._numbers)}"
            known = translated, await connection.prepare(text, name=name)
            self._statements[statement, many] = known
        return known


async def connected(url: str) -> asyncpg.Connection:
    """A new connection, listed by the server under the name of this program; raises one of faults.ERRORS."""
    return await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        statement_cache_size=0,
        server_settings={"application_name": "twilio-notifications"},
    )


async def is_pooled(connection: asyncpg.Connection) -> bool:
    """Whether a pooler is between, which may give each transaction another session of the server.

    It cannot give the client the number of the one process that serves it.
    """
    number: int = await connection.fetchval("SELECT pg_backend_pid()")
    given: int = connection.get_server_pid()
    return number != given


async def _in_time(
    connection: asyncpg.Connection, action: Callable[[asyncpg.Connection], Awaitable[T]], *, seconds: float
) -> T:
    """Raises TimeoutError where the server takes longer, and ends the connection, which is of no use then.

    The driver's own timeouts ask the server over another connection to cancel, and wait for both.
    """
    loop = asyncio.get_running_loop()
    late_at = loop.time() + seconds
    ending = loop.call_at(late_at, connection.terminate)
    try:
        return await action(connection)
    except (asyncpg.PostgresError, asyncpg.InterfaceError):
        if connection.is_closed() and loop.time() >= late_at:
            raise TimeoutError from None
        raise
    finally:
        ending.cancel()


async def _terminate(connection: asyncpg.Connection) -> None:
    connection.terminate()


async def _close(connection: asyncpg.Connection) -> None:
    with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError):
        await connection.close(timeout=CLOSE_SECONDS)
        return
    connection.terminate()
