"""Brings a journal of version 5, with one wide table, to version 6, in the transaction that is open.

A process that ends in the middle leaves the old version whole. The requests move in steps, so that memory
stays small and the log can say how far it is; each step removes what it has moved, and the next one uses its
pages.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.sqlite import takeover_statements as sql
from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from pathlib import Path

STEP_REQUESTS: Final = 2_000
PROGRESS_SECONDS: Final = 3.0


def take_over(connection: sqlite3.Connection, *, progress: Callable[[int, int], None]) -> None:
    """Moves all rows. `progress` hears now and then how many requests were moved, and of about how many."""
    first, last = connection.execute(sql.BOUNDS).fetchone()
    after = first - 1
    told = time.monotonic()
    while (up_to := connection.execute(sql.LAST_OF_STEP, (after, STEP_REQUESTS)).fetchone()[0]) is not None:
        for statement in sql.STEP:
            connection.execute(statement, {"after": after, "last": up_to})
        after = up_to
        if time.monotonic() - told >= PROGRESS_SECONDS:
            told = time.monotonic()
            progress(after - first + 1, last - first + 1)
    for statement in sql.END:
        connection.execute(statement)


def require_room(connection: sqlite3.Connection, path: Path) -> None:
    """Raises a JournalError where the disk has no room for a second copy of the journal's rows."""
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (unused,) = connection.execute("PRAGMA freelist_count").fetchone()
    needed = (pages - unused) * size
    disk = os.statvfs(path.parent)
    free = disk.f_bavail * disk.f_frsize
    if free < needed:
        raise JournalError(
            f"the journal {path} was written by an earlier version. To bring it up to date takes "
            f"{needed:,} bytes on its disk, and {free:,} are free. Nothing was changed. Free room on that "
            "disk, and start again."
        )
