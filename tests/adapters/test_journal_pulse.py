"""The journal's pulse is felt while its writer comes round, and only then."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.journal.writer import Writer
from twilio_notifications.adapters.sqlite.engine import SqliteEngine
from twilio_notifications.core.errors import JournalClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes


class NoLedger:
    def begun(self, connection: object, lanes: Lanes | None) -> None:
        """Nothing is kept."""

    def committed(self) -> None:
        """Nothing is kept."""

    def is_empty(self) -> bool:
        return True

    def rolled_back(self) -> None:
        """Nothing is kept."""


@asynccontextmanager
async def a_writer() -> AsyncIterator[Writer]:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    writer = Writer(
        SqliteEngine(connection),
        ledger=NoLedger(),
        on_disk_fault=lambda _: None,
        on_disk_recovery=lambda: None,
    )
    try:
        yield writer
    finally:
        await writer.close()
        connection.close()


async def test_an_idle_writer_has_a_pulse() -> None:
    async with a_writer() as writer, asyncio.timeout(WAIT_SECONDS):
        await writer.pulse()


async def test_a_writer_that_hangs_has_none_until_it_goes_on() -> None:
    """As when a disk does not answer any more: the thread is there, and does nothing."""
    held, begun = threading.Event(), threading.Event()

    def hang(_connection: Connection) -> None:
        begun.set()
        held.wait()

    async with a_writer() as writer, asyncio.timeout(WAIT_SECONDS):
        hanging = writer.submit(hang)
        await asyncio.to_thread(begun.wait)
        pulse = writer.pulse()
        done, _ = await asyncio.wait({pulse, writer.pulse()}, timeout=0.05)
        assert set() == done
        held.set()
        await hanging
        await pulse


async def test_a_writer_that_waits_for_a_failing_disk_has_one() -> None:
    """Ending the connector would not help: it waits, and goes on by itself."""
    works = threading.Event()

    def write(_connection: Connection) -> None:
        if not works.is_set():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error

    async with a_writer() as writer, asyncio.timeout(WAIT_SECONDS):
        waiting = writer.submit(write)
        for _ in range(5):
            await writer.pulse()
            assert not waiting.done()
        works.set()
        await waiting


async def test_a_closed_journal_has_none_and_says_so() -> None:
    async with a_writer() as writer:
        pass
    with pytest.raises(JournalClosed):
        await writer.pulse()
