"""Calls that wait to be written, what became of them, and what the faults of SQLite mean."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from twilio_notifications.core.errors import JournalDamaged

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from twilio_notifications.adapters.sqlite.kinds import Kind

# https://www.sqlite.org/rescode.html, primary codes: the disk's fault, not the statement's.
DISK_FAULTS: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_READONLY,
    }
)
DAMAGE: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_PRIMARY_CODE: Final = 0xFF


class Ledger(Protocol):
    """What is kept in memory about the journal, and so must follow its transactions."""

    def committed(self) -> None: ...

    def rolled_back(self) -> None: ...

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""


@dataclass(frozen=True, slots=True)
class Waiting:
    kind: Kind[Any, Any]
    call: Any
    future: asyncio.Future[Any]
    arrival: bool = False
    size: int = 0
    """Bytes of its requests and rejections; 0 for what only has to keep its place among them."""
    members: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class CallFailed(Exception):
    """A call failed by its own fault; its cause says how."""


def primary_code(error: sqlite3.Error) -> int:
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)
    return code & _PRIMARY_CODE


def damaged(error: sqlite3.Error) -> JournalDamaged:
    """Ends the connector: going on would acknowledge what cannot be kept."""
    error_of_all = JournalDamaged(
        f"the journal is damaged ({error}). Nothing more is acknowledged. Keep a copy of the file, then "
        "recover it with sqlite3's .recover, or move it away to begin an empty one."
    )
    error_of_all.__cause__ = error
    return error_of_all


def deliver(results: Sequence[Result]) -> None:
    for result in results:
        if result.future.done():  # its waiter was cancelled; the change is on disk all the same
            continue
        if result.error is None:
            result.future.set_result(result.value)
        else:
            result.future.set_exception(result.error)
