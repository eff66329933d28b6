"""Deletes requests with all that belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.sqlite.statements import care as sql

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


def delete_requests(
    connection: sqlite3.Connection, statement: str, bounds: Mapping[str, Any] | tuple[Any, ...]
) -> int:
    """Carries out PURGE, PURGE_REJECTIONS or TRIM; how many requests are gone.

    The newest status may be among what goes, and its position in the outbox is never given again.
    """
    for keep in sql.KEEP_POSITION:
        connection.execute(keep)
    return connection.execute(statement, bounds).rowcount
