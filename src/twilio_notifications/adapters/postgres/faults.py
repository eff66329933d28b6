"""What the errors of PostgreSQL and of the way to it mean."""

from __future__ import annotations

from typing import Final

import asyncpg

from twilio_notifications.adapters.journal.engine import DatabaseFault

# https://www.postgresql.org/docs/current/errcodes-appendix.html
CONFLICTS: Final = frozenset({"40001", "40P01"})
"""Serialization failure, deadlock."""

_PASSING: Final = frozenset({"25006", "25P03", "55P03", "57014", "57P01", "57P02", "57P03", "57P05"})
"""Read-only after a fail-over, what the server has given up, a lock that was waited for long enough, a server
that ends or starts."""

_PASSING_CLASSES: Final = frozenset({"08", "28", "3D", "53", "58"})
"""Connection, login, database, resources (a full disk), errors of the system."""

_DAMAGE: Final = frozenset({"XX001", "XX002"})


class ValueRefused(ValueError):
    """A value that the column of a statement cannot hold."""


ERRORS: Final = (
    ValueRefused,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""All that a session raises."""


def fault_of(error: Exception) -> DatabaseFault | None:
    """None: it is no error of the database."""
    match error:
        case asyncpg.PostgresError():
            return _of_code(error.sqlstate or "")
        case ValueRefused():
            return DatabaseFault.OF_CALL
        case asyncpg.InterfaceError():  # a connection that is closed
            return DatabaseFault.PASSING
        case asyncpg.InternalClientError() | OSError() | TimeoutError():
            return DatabaseFault.PASSING
        case _:
            return None


def _of_code(code: str) -> DatabaseFault:
    if code in CONFLICTS:
        return DatabaseFault.CONFLICT
    if code in _PASSING or code[:2] in _PASSING_CLASSES:
        return DatabaseFault.PASSING
    return DatabaseFault.FINAL if code in _DAMAGE else DatabaseFault.OF_CALL
