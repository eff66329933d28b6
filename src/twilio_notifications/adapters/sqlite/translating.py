"""Errors of SQLite → errors of the journal that say what to do."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into a JournalError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        # The primary code (https://www.sqlite.org/rescode.html); errors of the module itself have none.
        if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_READONLY:
            raise JournalError(
                f"you may not write into the journal {path}. Nothing was changed. Do it as the user who owns "
                "the journal and its folder."
            ) from error
        raise JournalError(
            f"the journal {path} cannot be used: {error}. Nothing was changed. It must be a journal of this "
            "program, on a disk that is not full, in a folder that you may write to."
        ) from error
