"""Notifications of the database: an order wakes the connector, and a pooler that keeps them is found out."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.engines import in_database
from tests.support.fakes import AwaitedEvents
from tests.support.mosquitto import HOST
from tests.support.orders import place
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.core.orders import PauseOrder

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.postgresql import PostgreSql
    from twilio_notifications.adapters.postgres.journal import PostgresJournal

pytestmark = pytest.mark.postgresql

NOTIFICATION = b"A"
"""The first byte of such a message."""


def a_journal(url: str, events: AwaitedEvents | None = None) -> PostgresJournal:
    return in_database(url, events=events or AwaitedEvents(), report_seconds=0.0)


class Rung:
    """Counts how often it was rung."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def again(self) -> None:
        """Returns when it is rung from now on."""
        self._rung.clear()
        await asyncio.wait_for(self._rung.wait(), WAIT_SECONDS)


async def test_an_order_wakes_the_connector(postgresql_url: str) -> None:
    rung, events = Rung(), AwaitedEvents()
    async with a_journal(postgresql_url, events) as journal:
        journal.watch_orders(rung.ring)
        await rung.again()  # it listens
        heard = asyncio.ensure_future(rung.again())
        await asyncio.to_thread(place, postgresql_url, PauseOrder())
        await heard
        assert 1 == len(await journal.orders(limit=9))
        assert 0 == events.count("notifications_silent")


async def test_the_server_lists_each_connection_under_the_name_of_the_program(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    names = (
        "SELECT string_agg(DISTINCT application_name, ',') FROM pg_stat_activity WHERE usename = 'connector'"
    )
    rung = Rung()
    async with a_journal(postgresql_url) as journal:
        journal.watch_orders(rung.ring)
        await rung.again()  # it listens
        found = postgresql.ask(f"{names} AND datname = current_database()", postgresql_url)
    assert "twilio-notifications" == found


async def test_after_a_restart_of_the_server_orders_wake_it_again(
    postgresql: PostgreSql, postgresql_url: str
) -> None:
    rung = Rung()
    async with a_journal(postgresql_url) as journal:
        journal.watch_orders(rung.ring)
        await rung.again()
        listening = asyncio.ensure_future(rung.again())
        postgresql.ask(
            "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'connector'"
        )
        await listening
        heard = asyncio.ensure_future(rung.again())
        await asyncio.to_thread(place, postgresql_url, PauseOrder())
        await heard


@asynccontextmanager
async def without_notifications(url: str) -> AsyncIterator[str]:
    """The URL of a way to the server that passes all but notifications, as a pooler of transactions does."""
    target = int(url.rpartition("/")[0].rpartition(":")[2])
    passing: list[asyncio.Task[None]] = []

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
        writer.close()

    async def pass_answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readexactly(1 + 4)
                body = await reader.readexactly(int.from_bytes(head[1:]) - 4)
                if head[:1] != NOTIFICATION:
                    writer.write(head + body)
        except asyncio.IncompleteReadError:
            writer.close()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = await asyncio.open_connection(HOST, target)
        # To the request for TLS, with which a connection begins, the answer is one byte.
        there[1].write(await reader.readexactly(8))
        writer.write(await there[0].readexactly(1))
        passing.append(asyncio.create_task(pass_on(reader, there[1])))
        passing.append(asyncio.create_task(pass_answers(there[0], writer)))

    server = await asyncio.start_server(connect, HOST, 0)
    try:
        yield url.replace(f":{target}/", f":{server.sockets[0].getsockname()[1]}/")
    finally:
        server.close()
        for task in passing:
            task.cancel()
        await asyncio.gather(*passing, return_exceptions=True)


async def test_a_pooler_that_swallows_notifications_is_said_once_and_orders_are_polled_for(
    postgresql_url: str,
) -> None:
    events, rung = AwaitedEvents(), Rung()
    async with without_notifications(postgresql_url) as url, a_journal(url, events) as journal:
        journal.watch_orders(rung.ring)
        await events.heard("notifications_silent")
        (told,) = events.named("notifications_silent")
        assert "polling" in str(told.fields["remark"])
        await asyncio.to_thread(place, postgresql_url, PauseOrder())
        assert 1 == len(await journal.orders(limit=9))
