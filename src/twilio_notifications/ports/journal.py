"""The memory of the connector, and the values that cross its port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from twilio_notifications.ports.outbox import Outbox

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.model import (
        Channel,
        Notification,
    )
    from twilio_notifications.core.policy import Charge, Tally
    from twilio_notifications.ports.transport import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """By what a repeated PUBLISH is known again: a digest of topic and bytes.

    The packet identifier is a help only: some brokers give new numbers on each connection.
    """

    packet_id: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRequest:
    """A notification to be recorded."""

    notification: Notification
    accepted_at: float
    expires_at: float
    mark: Mark | None = None
    redelivered: bool = False
    origin: Origin | None = None


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


class Recording(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    REPEATED = "repeated"
    """The broker sent again what the journal holds already: acknowledge it, do nothing else."""
    DUPLICATE = "duplicate"
    """It repeats a request of a short while ago, and the operator said that ids are unique.

    It is not carried out, and answered with the status of that request.
    """
    FULL = "full"
    """The journal is at its limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A request whose turn has come, with its history so far."""

    id: int
    notification: Notification
    accepted_at: float
    expires_at: float
    due_at: float
    attempts: int
    """Attempts that count against `retries`."""
    deferrals: int
    waiting_reason: Reason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A request in doubt, with the attempt whose answer is not known."""

    request: Claimed
    opened_at: float
    doubt_at: float
    clock_offset: float | None
    """Twilio's clock minus ours at the opening, where it was known."""
    cut_off: bool
    """Our own end (crash, kill, drain limit) cut the attempt off, so that it costs the sender nothing."""
    message: str
    """What left the attempt in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The request has its outcome: close the attempt, if one is open, and write the status with it."""

    id: int
    at: float
    status: bytes
    reason: Reason | None
    """None for success."""
    message: str | None = None
    code: int | None = None
    sid: str | None = None
    counted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Postpone:
    """The request waits (again) until `due_at`."""

    id: int
    at: float
    due_at: float
    reason: Reason
    message: str
    code: int | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The attempt's answer is unknown; look at Twilio's records at `settle_at`."""

    id: int
    at: float
    settle_at: float
    message: str


Step = Finish | Postpone | Doubt


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """When the journal has something to do next; None: nothing of that kind waits."""

    next_due: float | None
    next_expiry: float | None
    next_settlement: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What a start found of an earlier run."""

    waiting: int
    in_doubt: int
    unreported: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRow:
    """A request whose row cannot be read; `request_id` is `""` where that is what cannot be read."""

    id: int
    request_id: str | int | float
    channel: Channel
    error: Exception


NO_CHARGES: Mapping[int, Sequence[Charge]] = MappingProxyType({})


class Journal(Outbox, Protocol):
    """The only memory. A call returns when its change is on disk; a failing disk is waited for."""

    def record(
        self, arrival: NewRequest | NewRejection, *, if_full: Callable[[], NewRejection] | None = None
    ) -> asyncio.Future[Recording]:
        """NEW, or what else became of it. Where there is no room, `if_full` is recorded in its place."""

    def forget_packets(self) -> asyncio.Future[None]:
        """The broker has a new session for us: no packet of the last one will be repeated."""

    def connection_ended(self) -> None:
        """The connection to the broker has ended: what came over it may be repeated over the next one."""

    async def claim(self, *, due_before: float, limit: int, place: int = 0) -> list[Claimed]:
        """Due requests whose turn has come: by priority, then oldest first. Changes nothing yet.

        `place` is the number of the first place: in each ten some belong to normal and low requests
        (core/policy/places.py).
        """

    async def open_attempts(
        self,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]] = NO_CHARGES,
    ) -> None:
        """Opens attempts and charges them, in one commit; an attempt that ends unsent is paid back."""

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What of these scopes was used in windows that began at or after `since`."""

    async def apply(self, step: Step) -> None: ...

    async def hasten(self, reason: Reason, *, now: float) -> None:
        """Makes due what waits for this reason, because the reason may be gone."""

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, whether or not their turn has come."""

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]: ...

    async def known_sids(self, sids: Sequence[str]) -> frozenset[str]: ...

    async def agenda(self) -> Agenda: ...

    async def purge(self, *, finished_before: float, limit: int, rejections_only: bool = False) -> int: ...

    async def forget_usage(self, *, now: float) -> None:
        """Removes what was used of the limits in windows that no limit looks at any more."""

    async def recover(self, *, now: float) -> Recovery: ...

    async def broken_rows(self) -> list[BrokenRow]:
        """Requests whose rows could not be read since the last call; they are set aside already."""

    def set_aside(self, id_: int) -> None:
        """From now on until the next start, no call returns this request: a defect holds it up."""
