"""The journal on PostgreSQL, in one database."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final, Self, Unpack

from twilio_notifications.adapters.journal.journal import SqlJournal
from twilio_notifications.adapters.journal.room import Boundless
from twilio_notifications.adapters.journal.sharing import Shared
from twilio_notifications.adapters.postgres.engine import (
    BEGIN_WRITING,
    CLOCK,
    FORGET_WRITERS,
    PostgresEngine,
    PostgresReads,
)
from twilio_notifications.adapters.postgres.faults import ERRORS
from twilio_notifications.adapters.postgres.listening import CHANNEL, Listener
from twilio_notifications.adapters.postgres.locking import TRY_RECIPIENTS
from twilio_notifications.adapters.postgres.opening import (
    LOCK_JOURNAL,
    migrate,
    open_to_read,
    require_fit,
    version_of,
)
from twilio_notifications.adapters.postgres.place import place_of, refusal
from twilio_notifications.adapters.postgres.reserving import Reservations, free_reserved
from twilio_notifications.adapters.postgres.session import Session
from twilio_notifications.event_loop import new_event_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    import asyncpg

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.journal import JournalOptions
    from twilio_notifications.adapters.journal.numbers import Numbered
    from twilio_notifications.ports import Events


NOTIFY: Final = "SELECT pg_notify(?, ?)"

NEWS: Final = "news "
"""Begins a notification of a connector, in front of its token; others are orders of people."""

SHORTEST_SILENCE_SECONDS: Final = 1.0
"""A connector on a busy machine may say nothing for so long within a transaction."""

NEWS_SECONDS: Final = 0.05
"""For how long news is gathered: under load there would be some with each commit of each connector."""


DRAW_NUMBERS: Final = "SELECT nextval(CAST(? AS regclass)) FROM generate_series(1, CAST(? AS BIGINT))"


def _draw_numbers(connection: Connection, of: Numbered, count: int) -> list[int]:
    rows = connection.execute(DRAW_NUMBERS, (f"numbers_of_{of}", count))
    return [number for (number,) in rows]


def _try_recipients(connection: Connection, requests: Sequence[int]) -> set[int]:
    rows = connection.execute(TRY_RECIPIENTS, (json.dumps(list(requests)),))
    return {request for (request,) in rows}


def news_of(token: int | None) -> str:
    return f"{NEWS}{token}"


class PostgresJournal(SqlJournal):
    """A journal in a database of its own, which several connectors may share."""

    def __init__(
        self,
        url: str,
        *,
        events: Events,
        member: str,
        lease_seconds: float = 10.0,
        **options: Unpack[JournalOptions],
    ) -> None:
        """`url` is postgresql://…, as asyncpg takes it. `options` are those of SqlJournal.

        `member` is the name of this connector for people, and `lease_seconds` is how long the others wait for
        it where it is silent.
        """
        sharing = Shared(
            name=member,
            lease_seconds=lease_seconds,
            clock=lambda connection: float(connection.execute(CLOCK).fetchone()[0]),
            draw=lambda: secrets.randbelow(2**63 - 1) + 1,
            draw_numbers=_draw_numbers,
            try_recipients=_try_recipients,
            free_reserved=free_reserved,
        )
        charging = Reservations(sharing=sharing, monotonic=options.get("monotonic", time.monotonic))
        super().__init__(place_of(url), events=events, sharing=sharing, charging=charging, **options)
        self._url = url
        self._lease_seconds = lease_seconds
        self._is_open = False
        self._listening: asyncio.Task[None] | None = None
        self._on_order: Callable[[], None] = lambda: None
        self._on_news: Callable[[], None] = lambda: None
        self._has_news = False

    async def __aenter__(self) -> Self:
        """Connects, and makes the tables where there are none; raises a JournalError that says what to do."""
        self._opened = ExitStack()
        try:
            engine = await asyncio.to_thread(self._open, self._opened)
            loop = self._opened.enter_context(closing(new_event_loop()))
            session = Session(self._url, run=loop.run_until_complete, on_connect=open_to_read)
            reads = self._opened.enter_context(closing(PostgresReads(session)))
            self._store = self._assembled(engine, reads, Boundless())
        except BaseException as error:
            await asyncio.to_thread(self._opened.close)
            if isinstance(error, ERRORS):
                raise refusal(self._url, error) from error
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listening is not None:
            self._listening.cancel()
            await asyncio.wait([self._listening])
        await self._store.writer.close()
        await asyncio.to_thread(self._opened.close)

    def watch_orders(self, ring: Callable[[], None]) -> None:
        """Calls this also now and then without an order."""
        self._on_order = ring
        self._listen()

    def watch_news(self, on_news: Callable[[], None]) -> None:
        """Calls it once for all news of a short time."""
        self._on_news = on_news
        self._listen()

    def _listen(self) -> None:
        if self._listening is None:
            listener = Listener(url=self._url, place=self._name, events=self._events, hear=self._hear)
            self._listening = asyncio.create_task(listener.run())

    def _hear(self, text: str) -> None:
        if not text.startswith(NEWS):
            self._on_order()
        elif text != news_of(self._sharing.token) and not self._has_news:
            self._has_news = True
            asyncio.get_running_loop().call_later(NEWS_SECONDS, self._pass_news_on)

    def _pass_news_on(self) -> None:
        self._has_news = False
        self._ledger.memory.suppose_that_something_waits()
        self._on_news()

    def _open(self, opened: ExitStack) -> PostgresEngine:
        """In a thread: what waits for the server must not hold up the event loop.

        A loop of asyncio asks the allocator for 256 kB before each read, and gives most of it back. That
        leaves holes, so memory grows by some MB in ten minutes. One of uvloop has a buffer of its own.
        """
        loop = opened.enter_context(closing(new_event_loop()))
        session = Session(self._url, run=loop.run_until_complete, on_connect=self._prepare)
        opened.enter_context(closing(session))
        engine = PostgresEngine(
            connection=session,
            token=secrets.token_hex(16),
            place=self._name,
            on_committed=self._notify,
            silence_seconds=max(SHORTEST_SILENCE_SECONDS, self._lease_seconds / 2),
        )
        session.execute(FORGET_WRITERS)
        session.execute(BEGIN_WRITING, (engine.token,))
        self._is_open = True
        self._create_wanted_indexes(session)
        # Of one connector at a time: another one may write the same senders just now, in another order.
        session.command(f"BEGIN; {LOCK_JOURNAL}")
        self._ledger.paces.load(session)
        session.command("COMMIT")
        self._ledger.load(session)
        return engine

    def _notify(self, session: Session) -> None:
        """Tells the other connectors, outside the transaction: those that notify are committed one by one."""
        if self._sharing.take_news():
            session.execute(NOTIFY, (CHANNEL, news_of(self._sharing.token)))

    async def _prepare(self, connection: asyncpg.Connection) -> None:
        await require_fit(connection)
        if self._is_open:
            await version_of(connection)  # refuses one that another connector has migrated meanwhile
        else:
            await migrate(connection)
