"""How texts of a journal's file become strings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.aside import Undecodable

if TYPE_CHECKING:
    import sqlite3


def tolerant(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The connection, on which a text that is not UTF-8 spoils its own row and not the whole read."""
    connection.text_factory = _decoded
    return connection


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return Undecodable(text.decode("utf-8", "replace"))
