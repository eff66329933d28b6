"""Chains: what goes on after a request until a person acknowledges it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from twilio_notifications.core.conclusions import ChainWriter, RunningChain
    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.escalation import ChainEnd, WaitingAt
    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports.journal.arrivals import NewRequest
    from twilio_notifications.ports.journal.outbox import Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """A step of a chain that is due."""

    chain: int
    position: int
    """Among the steps of all rounds, from 0."""
    at: float
    requests: tuple[NewRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsuccessful:
    """A status that is no success, of a request that waited or of a chain that has ended."""

    request: Claimed
    reason: Reason
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What the end of chains and of waiting requests has changed."""

    chains: tuple[int, ...] = ()
    """By the number of the request that began each; without those that had ended before."""
    requests: tuple[int, ...] = ()
    """Requests that waited, and wait no more."""
    unsuccessful: tuple[Unsuccessful, ...] = ()
    """What clients are answered by it, where that is no success."""
    written: tuple[Unreported, ...] = ()
    """The statuses that the same transaction put into the outbox."""


class WishName(StrEnum):
    """What clients want of requests that are under way."""

    CANCEL = "cancel"
    ACKNOWLEDGE = "acknowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class WishProgress:
    """A part of a wish is carried out."""

    name: WishName
    ended: Ended
    """What this part has ended."""
    end: ChainEnd
    """How its chains end."""
    chains: int
    """Number of chains that all parts so far have ended."""
    requests: int
    """Number of requests that waited and that all parts so far have ended."""
    unfinished: bool
    """Further parts follow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notified:
    """A telephone that a waiting chain has notified."""

    phone_number: str
    name: str
    """The escalation of the chain."""
    person: str
    sender_number: str
    waiting: WaitingAt


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownReply:
    """A text or a call that came back and means something. `at` is by our clock."""

    sid: str
    phone_number: str
    at: float
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hangup:
    """A call that Twilio is to end while it waits or rings; `tries` failed so far."""

    sid: str
    request: int
    tries: int


class Chains(Protocol):
    """What the escalator needs of the journal.

    Each call raises JournalClosed where the journal was closed first, and JournalDamaged or JournalMoved
    where its files cannot be used any more. A failing disk is waited for.
    """

    async def due_chains(self, *, now: float, limit: int) -> list[RunningChain]:
        """Chains that are to be looked at by now, the longest due first."""

    async def next_chain_look(self) -> float | None:
        """When a chain is to be looked at next; None: no chain waits."""

    async def put_off(self, running: RunningChain, *, look_at: float) -> None:
        """The chain is looked at again at `look_at`, unless something has happened to it meanwhile."""

    async def take_step(self, step: NewStep) -> bool:
        """Records the step and its requests; False where the chain has ended, or has taken the step already.

        The condition is read in the transaction that records, so that a step never follows an
        acknowledgement.
        """

    async def end_chain(
        self, chain: int, end: ChainEnd, *, writer: ChainWriter, reply: KnownReply | None = None
    ) -> Ended:
        """Ends the chain in one transaction with all that it ends; nothing where it has ended already.

        Requests of it that wait are cancelled, calls of it that may ring are to be hung up, its status goes
        into the outbox, and texts for the others who were notified are recorded. A `reply` that was carried
        out before changes nothing.
        """

    async def notified(self) -> list[Notified]:
        """The telephones that waiting chains have notified."""

    async def note_reply(self, reply: KnownReply, *, chain: int) -> bool:
        """Remembers a reply that ends nothing; whether it is new."""

    async def chain_of(self, request: int) -> tuple[int, str] | None:
        """The chain of a request, ended or not, and the name of its recipient; None: it belongs to none."""

    async def due_hangups(self, *, now: float, limit: int) -> list[Hangup]:
        """Calls that Twilio is to end now."""

    async def go_on_with_wish(self, *, at: float, writer: ChainWriter) -> WishProgress | None:
        """Carries out the next part of the oldest wish that goes on; None: there is none.

        A wish begins when it is recorded (`Arrivals.record`). It goes on as long as something is left that it
        is to end, a bounded part in each transaction; what arrives after it is left alone.
        """

    async def hung_up(self, sid: str, *, again_at: float | None) -> None:
        """Twilio was asked to end this call; it is asked once more at `again_at`. None: it need not be."""
