"""What people read where the file system forbids what they want of a journal."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from twilio_notifications.adapters.sqlite.translating import translated
from twilio_notifications.core.errors import JournalError


def test_without_the_right_to_write_people_read_who_has_it() -> None:
    """SQLite gives the same code for a file that may not be written; but root may write any file."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("PRAGMA query_only = 1")
        with (
            pytest.raises(JournalError, match="you may not write into the journal") as raised,
            translated(Path("j.db")),
        ):
            connection.execute("CREATE TABLE t (a)")
    assert "Do it as the user who owns the journal" in str(raised.value)


def test_another_error_of_sqlite_is_named() -> None:
    with (
        closing(sqlite3.connect(":memory:")) as connection,
        pytest.raises(JournalError, match="no such table: t"),
        translated(Path("j.db")),
    ):
        connection.execute("SELECT * FROM t")
