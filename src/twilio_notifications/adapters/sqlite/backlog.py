"""Counts what waits, with a connection and a thread of its own, so that the connector goes on meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite.opening import read_beside
from twilio_notifications.adapters.sqlite.statements import backlog as sql
from twilio_notifications.core.errors import JournalError, WaitReason
from twilio_notifications.ports.figures import Backlog

if TYPE_CHECKING:
    from pathlib import Path


class SqliteBacklog:
    """Implements ports.figures.BacklogSource, for the journal in this file, which is open."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def backlog(self, *, now: float) -> Backlog:
        """Reads each waiting request once; while SQLite counts, the event loop turns."""
        try:
            return await asyncio.to_thread(self._count, now)
        except sqlite3.Error as error:
            raise JournalError(f"the journal {self._path} cannot be read: {error}") from error

    def _count(self, now: float) -> Backlog:
        with closing(read_beside(self._path)) as connection:
            connection.execute("BEGIN")  # the statements see one state of the file
            row = connection.execute(sql.PAUSE_OF_ALL, {"now": now}).fetchone()
            pause = None if row is None else row[0]
            rows = connection.execute(sql.WAITING, {"now": now, "pause": pause}).fetchall()
            oldest = min((first for _, _, first in rows), default=None)
            accepted = None if oldest is None else connection.execute(sql.ACCEPTED_AT, (oldest,)).fetchone()
        waiting = {None if reason is None else WaitReason(reason): count for reason, count, _ in rows}
        return Backlog(waiting=waiting, oldest_at=None if accepted is None else accepted[0])
