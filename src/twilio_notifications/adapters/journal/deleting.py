"""Deletes requests with all that belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.statements import care as sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.journal.connection import Connection


def delete_requests(
    connection: Connection, statement: str, bounds: Mapping[str, Any] | tuple[Any, ...]
) -> int:
    """Carries out PURGE, PURGE_REJECTIONS or TRIM; how many requests are gone.

    The newest status may be among what goes, and its position in the outbox is never given again.
    """
    for keep in sql.KEEP_POSITION:
        connection.execute(keep)
    return connection.execute(statement, bounds).rowcount
