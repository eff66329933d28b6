"""Arrivals: what the broker delivered goes into the journal, and is acknowledged only then."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.model import Acknowledgement, Cancellation, Channel, Notification
    from twilio_notifications.ports.journal.chains import Ended, WishProgress
    from twilio_notifications.ports.journal.outbox import Unreported
    from twilio_notifications.ports.transport import Envelope, Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Identifies a repeated PUBLISH: a digest of topic and bytes.

    The packet identifier only helps: some brokers give new numbers on each connection.
    """

    packet_id: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRejection:
    """A request that is answered without an attempt: its status is recorded at once."""

    channel: Channel
    request_id: str | int | float
    accepted_at: float
    reason: Reason
    message: str
    status: bytes
    mark: Mark | None = None
    redelivered: bool = False
    origin: Origin | None = None
    envelope: Envelope | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A notification to be recorded."""

    notification: Notification
    accepted_at: float
    expires_at: float
    mark: Mark | None = None
    redelivered: bool = False
    origin: Origin | None = None
    envelope: Envelope | None = None
    may_leave: bool = False
    """The policy admits it at once: its attempt is opened in the same transaction, if nothing of its
    recipient is unfinished, a place is left, and its sender has room. Otherwise it is claimed once whatever
    the pace of its sender, as its answer may be due at once."""
    hint: str = ""
    """How to acknowledge: the last line of a text, with `{code}` for the code of its chain, or what a call
    speaks where it takes keys."""
    tells_end: bool = False
    """It tells the others of a chain that it has ended."""
    writer: ChainWriter | None = None
    """Writes what ends by this request: older ones about the same. Needed with `about` or `escalation`."""
    if_full: NewRejection | None = None
    """Recorded in its place where the journal has no room for it; None: nothing is recorded then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWish:
    """What a client wants of requests under way. Its first part is carried out when it is recorded."""

    wish: Cancellation | Acknowledgement
    at: float
    writer: ChainWriter
    mark: Mark | None = None
    redelivered: bool = False
    origin: Origin | None = None


Arrival = NewRequest | NewRejection | NewWish


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Under what circumstances attempts may be opened together with the arrivals of one call."""

    at: float
    clock_offset: float | None
    """Twilio's clock minus ours, in seconds; None where it is not known yet."""
    places: int
    """Number of attempts that may be opened."""


class Recording(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    REPEATED = "repeated"
    """The broker sent again what the journal holds already: acknowledge it, do nothing else."""
    UNDECIDED = "undecided"
    """It may be what another connector has recorded and not acknowledged: nothing is recorded, so ask again.

    Only where several connectors take requests in.
    """
    DUPLICATE = "duplicate"
    """It repeats a request of a short while ago, and the operator said that ids are unique.

    It is not carried out, and answered with the status of that request.
    """
    FULL = "full"
    """The journal is at its limit."""
    FAILED = "failed"
    """It could not be recorded, by a defect that concerns this arrival alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What became of one arrival."""

    recording: Recording
    id: int | None
    """The journal's number of what was inserted; None where nothing was."""
    opened: bool = False
    """Its attempt is open, and must be made now."""
    error: Exception | None = None
    """The defect; set only with FAILED."""
    ended: Ended | None = None
    """What ended by it; None: nothing could."""
    progress: WishProgress | None = None
    """How far the wish is; None: it is no wish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recordings:
    """What became of the arrivals of one call."""

    recorded: tuple[Recorded, ...]
    """One for each arrival, in their order."""
    written: tuple[Unreported, ...]
    """The statuses that the same transaction put into the outbox, by position."""


class Arrivals(Protocol):
    """What the intake needs of the journal. Raises nothing itself: errors are those of the futures."""

    def record(
        self, arrivals: Sequence[Arrival], *, opening: Opening | None = None
    ) -> asyncio.Future[Recordings]:
        """What became of each arrival, once all of them are on disk; they are recorded in one transaction.

        Without `opening` no attempt is opened. Calls are carried out in their order.
        An arrival that fails by a defect of its own is FAILED, and the others are recorded.
        The future raises JournalFull where not even the rejections fit, JournalClosed where the journal was
        closed first, JournalDamaged or JournalMoved where its files cannot be used any more. In each of these
        cases none of the arrivals is recorded.
        """

    def is_roomy(self, count: int) -> bool:
        """Whether `count` more requests surely fit; from memory, at no cost.

        False from about nine tenths of either bound on (requests that wait, bytes): then each NewRequest
        should carry its `if_full`.
        """

    def forget_packets(self) -> asyncio.Future[None]:
        """The broker has a new session for the connector: it will repeat no packet of the last session.

        The future raises what those of `record` raise, except JournalFull.
        """

    def connection_ended(self) -> None:
        """The connection to the broker has ended: what came over it may be repeated over the next one."""
