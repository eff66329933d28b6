"""What differs between the databases that keep a journal, as far as the writer of the journal needs it."""

from __future__ import annotations

from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeVar

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.core.errors import JournalError

    R = TypeVar("R")


class DatabaseFault(Enum):
    """What an error of the database means for the transaction in which it was raised."""

    OF_CALL = auto()
    """The call's own fault: another try would fail in the same way."""
    PASSING = auto()
    """The disk or the server does not work just now: the same transaction is tried again after a pause."""
    CONFLICT = auto()
    """Another transaction was in the way: the same one is tried again at once."""
    FINAL = auto()
    """The journal is lost for good."""


class CommitUnknown(Exception):
    """The connection was lost while a transaction was being committed: it is committed, or it is not."""


_WORDLESS: Final[Mapping[type[Exception], str]] = MappingProxyType(
    {
        MemoryError: "out of memory",
        TimeoutError: "no answer in time",
        CommitUnknown: "no answer in time to a COMMIT",
    }
)


def said_of(error: Exception) -> str:
    """A fault in words, also where it says nothing itself."""
    return str(error) or _WORDLESS.get(type(error), type(error).__name__)


class DatabaseEngine(Protocol):
    """The database of a journal, for the writer's thread alone."""

    @property
    def connection(self) -> Connection:
        """The same object at all times, also where the connection behind it is made again."""

    @property
    def has_lanes(self) -> bool:
        """Whether transactions of several connectors may be under way at the same time."""

    def begin(self, lanes: Lanes | None = None) -> None:
        """Begins a transaction that has these lanes; None: the whole journal."""

    def commit(self) -> None:
        """Commits it. Raises CallFailed for a constraint that waits for the end, and CommitUnknown."""

    def roll_back(self) -> None:
        """Gives the transaction up, if one is open; also called where the database fails."""

    def was_committed(self) -> bool:
        """After CommitUnknown: whether the transaction was committed. Raises a passing fault."""

    def fault(self, error: Exception) -> DatabaseFault | None:
        """What an error means; None: it is no error of the database."""

    def is_passing(self, error: Exception) -> bool:
        """Whether the disk or the server does not work just now; for any thread."""

    def lost(self, error: Exception) -> JournalError:
        """The error that ends the connector: going on would acknowledge what cannot be kept."""


class Reads(Protocol):
    """The connection by which the connector reads what is committed, while a transaction is under way."""

    async def read(self, operation: Callable[[Connection], R]) -> R:
        """What the operation has read. Raises ReadFailed."""


class ReadFailed(Exception):
    """The read failed by a fault of the database; its cause says how."""
