"""What a start would find of a journal on PostgreSQL; changes nothing, and disturbs no connector."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import asyncpg

from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.postgres.faults import ERRORS
from twilio_notifications.adapters.postgres.listening import gets_through
from twilio_notifications.adapters.postgres.opening import (
    is_in_use,
    newest_version,
    require_fit,
    version_of,
)
from twilio_notifications.adapters.postgres.place import place_of, refusal
from twilio_notifications.adapters.postgres.session import connected
from twilio_notifications.core.errors import JournalError

_MAY_CREATE: Final = "SELECT has_schema_privilege(current_schema(), 'CREATE')"

_MAY_WRITE: Final = "SELECT has_table_privilege('requests', 'INSERT, UPDATE, DELETE')"


def inspect(url: str) -> str:
    """In a sentence; raises what a start would raise."""
    try:
        with ThreadPoolExecutor(1) as thread:  # the caller may stand in an event loop
            return thread.submit(asyncio.run, _inspect(url)).result()
    except (JournalError, *ERRORS) as error:
        raise refusal(url, error) from error


async def _inspect(url: str) -> str:
    place = place_of(url)
    connection = await connected(url)
    try:
        await require_fit(connection)
        version, polled = await version_of(connection), ""
        if not await connection.fetchval(_MAY_WRITE if version else _MAY_CREATE):
            raise asyncpg.InsufficientPrivilegeError("it may not write there")
        if not await gets_through(url, connection):
            polled = (
                "; NOTIFY does not get through, as behind a pooler of transactions: orders are polled for"
            )
        if not version:
            return f"{place}: an empty database, in which the journal will be created{polled}"
        if version < newest_version():
            return (
                f"{place}: of version {version}; the next start brings it to version "
                f"{newest_version()}{polled}"
            )
        unfinished = await connection.fetchval(care.COUNT_UNFINISHED)
        unreported = await connection.fetchval(care.COUNT_UNREPORTED)
        used = "in use by a running connector; " if await is_in_use(connection) else ""
        return (
            f"{place}: {used}unfinished requests: {unfinished}, statuses that are not reported yet: "
            f"{unreported}{polled}"
        )
    finally:
        connection.terminate()
