"""Transactions of connectors on one PostgreSQL database, held open on purpose."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.journal.lanes import NO_LANES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.ports import Journal

WAITING_FOR_LOCKS = "SELECT COUNT(*) FROM pg_locks WHERE locktype = $1 AND NOT granted"


class _Gate:
    """An operation that shares the transaction of others, and holds it open."""

    def __init__(self) -> None:
        self.reached, self._over = threading.Event(), threading.Event()

    def __call__(self, _connection: Connection) -> None:
        self.reached.set()
        self._over.wait()

    def open(self) -> None:
        self._over.set()


@asynccontextmanager
async def held(journal: Journal) -> AsyncIterator[None]:
    """What is begun within it shares one transaction, which begins afterwards."""
    gate = _Gate()
    cast("Any", journal)._store.writer.submit(gate, lanes=NO_LANES)
    await asyncio.to_thread(gate.reached.wait)
    try:
        yield
    finally:
        gate.open()


@asynccontextmanager
async def under_way(journal: Journal, begin: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
    """Within it, what was begun is written and not committed; afterwards it is."""
    writer = cast("Any", journal)._store.writer
    first, last = _Gate(), _Gate()
    writer.submit(first, lanes=NO_LANES)
    await asyncio.to_thread(first.reached.wait)
    begun = asyncio.ensure_future(begin())
    await asyncio.sleep(0)  # it is handed to the writer before the last gate
    writer.submit(last, lanes=NO_LANES)
    first.open()
    await asyncio.to_thread(last.reached.wait)
    try:
        assert not begun.done()
        yield
    finally:
        last.open()
        await begun


async def waits_for_a_lock(url: str, call: Awaitable[Any], *, kind: str = "advisory") -> asyncio.Future[Any]:
    """The call, which another transaction keeps from being written.

    The `kind` of the lock is PostgreSQL's word: "transactionid" is that of a row.
    """
    waiting = asyncio.ensure_future(call)
    connection = await asyncpg.connect(url)
    try:
        async with asyncio.timeout(WAIT_SECONDS):
            while not await connection.fetchval(WAITING_FOR_LOCKS, kind):  # noqa: ASYNC110 - the server tells of none
                await asyncio.sleep(0.01)
    finally:
        await connection.close()
    assert not waiting.done()
    return waiting
