"""What bounds a journal: how much it may hold, and what the writer asks before it records what arrives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection

YET_TO_COME_BYTES: Final = 1024
"""What a request that is not finished will still need: its attempts and its status."""


class NoRoom(Exception):
    """The journal may not grow; what arrives has to wait until something in it is reported."""


class FilesMoved(Exception):
    """The files that are open are not those that the path names any more."""


class ReserveGone(Exception):
    """The disk is full, and has no room for the reserve any more."""


class Room(Protocol):
    """What the writer asks before it records what arrives, and when the disk fails."""

    batch_bytes: int
    left: int
    """Bytes that were free for requests when the last ones were recorded; any thread may read it."""

    def make(self, connection: Connection, size: int) -> None:
        """Removes what was reported, oldest first, until `size` bytes fit. May raise ReserveGone."""

    def relieve(self, connection: Connection) -> None:
        """Frees what it can of a full disk; never raises for the disk."""

    def check(self) -> None:
        """Raises FilesMoved where the path does not name the open files any more."""


class Fitting(Protocol):
    """What the operation that records asks, within its transaction."""

    def used(self, connection: Connection) -> int:
        """Bytes that the journal takes now, to be given to the other two with what was added meanwhile."""

    def fits(self, size: int, *, used: int, unfinished: int) -> bool:
        """Whether a request of `size` bytes fits, with what it and the others will still need."""

    def fits_answer(self, size: int, *, used: int) -> bool:
        """Whether a status fits that needs nothing more; for those there is a share that no request takes."""


class Boundless:
    """The room of a journal in memory."""

    batch_bytes = 1 << 20
    left = 1 << 60

    def make(self, connection: Connection, size: int) -> None:
        pass

    def relieve(self, connection: Connection) -> None:
        pass

    def check(self) -> None:
        pass

    def used(self, connection: Connection) -> int:  # noqa: ARG002 - nothing is counted in memory
        return 0

    def fits(self, size: int, *, used: int, unfinished: int) -> bool:  # noqa: ARG002
        return True

    def fits_answer(self, size: int, *, used: int) -> bool:  # noqa: ARG002
        return True


class BoundingRoom(Room, Fitting, Protocol):
    """Both of them, for the one journal."""
