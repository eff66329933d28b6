"""The ports: what the pipeline needs from the outside, and the values that cross them.

Adapters implement these; the pipeline and the core know nothing else of the outside. A port stays under a
dozen methods. Nothing here has behaviour, so that a conformance suite per port is the whole specification.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.model import (
        Answer,
        Channel,
        Login,
        Notification,
        Records,
        Secret,
        Unreadable,
    )
    from twilio_notifications.core.policy import Charge, Tally


class Clock(Protocol):
    """Time as an argument, so that a timeline is a test without sleeping."""

    def now(self) -> float:
        """Seconds since the epoch; never runs backwards while the process lives."""

    async def sleep(self, seconds: float) -> None: ...


class Level(StrEnum):
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Observer(Protocol):
    """Hears what happens. Events have constant names; fields never hold a token or a message text."""

    def event(self, name: str, *, level: Level = Level.INFO, **fields: object) -> None: ...

    def defect(self, name: str, error: BaseException) -> None:
        """A defect of the connector, with its trace."""


class Milestone(StrEnum):
    """The points between two steps of the line at which a crash means something different.

    Production code passes them by; a test has the process kill itself at one of them.
    """

    RECOVERED = "recovered"
    RECEIVED = "received"
    RECORDED = "recorded"
    ACKNOWLEDGED = "acknowledged"
    CLAIMED = "claimed"
    ATTEMPT_OPENED = "attempt_opened"
    ANSWERED = "answered"
    ATTEMPT_CLOSED = "attempt_closed"
    DOUBT_RECORDED = "doubt_recorded"
    LOOKED_UP = "looked_up"
    SETTLED = "settled"
    STATUS_PUBLISHED = "status_published"
    STATUS_ACKNOWLEDGED = "status_acknowledged"
    STATUS_REPORTED = "status_reported"


class Milestones(Protocol):
    """Told of every milestone as it is passed."""

    def passed(self, milestone: Milestone) -> None: ...


# Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbound:
    """One received payload with its acknowledgement, which is called only after the journal's commit."""

    topic: str
    payload: bytes = field(repr=False)
    acknowledge: Callable[[], None]
    release: Callable[[], None] = lambda: None
    """Instead of `acknowledge`: it was not recorded and never will be, so it takes up no room any more."""
    passed_over: int = 0
    """Bytes of a payload that was too large to be held in memory; `payload` is empty then."""
    retained: bool = False
    redelivered: bool = False
    """The broker marks it as sent before (DUP); only then may it be a repetition."""
    packet_id: int | None = None


class Transport(Protocol):
    """Brings requests in and statuses out."""

    async def run(self, *, on_inbound: Callable[[Inbound], None], on_ready: Callable[[], None]) -> None:
        """Connects, and connects again, until cancelled; `on_ready` after each acknowledged subscription."""

    def publish(self, topic: str, payload: bytes) -> asyncio.Future[None]:
        """Done when the broker has acknowledged; fails with NotAcknowledged when the connection ends."""

    async def close(self) -> None:
        """Ends the connection in good order; the broker keeps the session."""


# Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """By what a repeated PUBLISH is known again: its packet identifier and a digest of topic and bytes."""

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


class Recording(StrEnum):
    """What became of an arrival."""

    NEW = "new"
    REPEATED = "repeated"
    """The broker sent again what the journal holds already: acknowledge it, do nothing else."""
    DUPLICATE = "duplicate"
    """Its id was accepted a short while ago, and the operator said that ids are unique."""
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
    """A request in doubt, with the attempt whose answer nobody knows."""

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
class Unreported:
    """A status in the outbox. `position` grows with every status written."""

    position: int
    id: int
    status: bytes


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


NO_CHARGES: Mapping[int, Sequence[Charge]] = MappingProxyType({})


class Journal(Protocol):
    """The only memory. A call returns when its change is on disk; a failing disk is waited for."""

    def record(
        self, arrival: NewRequest | NewRejection, *, if_full: Callable[[], NewRejection] | None = None
    ) -> asyncio.Future[Recording]:
        """NEW, or what else became of it. Where there is no room, `if_full` is recorded in its place."""

    def forget_packets(self) -> asyncio.Future[None]:
        """The broker has a new session for us: no packet of the last one will be repeated."""

    async def claim(self, *, due_before: float, limit: int) -> list[Claimed]:
        """Due requests whose turn has come: by priority, then oldest first. Changes nothing yet."""

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

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]: ...

    async def report(self, ids: Sequence[int], *, at: float) -> None: ...

    async def purge(self, *, finished_before: float, limit: int) -> int: ...

    async def recover(self, *, now: float) -> Recovery: ...


# Twilio


class Twilio(Protocol):
    """Twilio's API, for whoever has a login. Knows nothing of retries, order or the journal."""

    @property
    def clock_offset(self) -> float | None:
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def send(self, notification: Notification, login: Login) -> Answer: ...

    async def look_up(
        self, notification: Notification, *, since: float, login: Login
    ) -> Records | Unreadable: ...

    async def reachable(self) -> bool: ...


class Sender(Protocol):
    """Makes one attempt, with whichever login Twilio takes."""

    @property
    def clock_offset(self) -> float | None:
        """Twilio's clock minus ours, by its latest answer; None before the first one."""

    async def send(self, notification: Notification) -> Answer: ...

    async def look_up(self, notification: Notification, *, since: float) -> Records | Unreadable:
        """What Twilio's lists hold for this recipient, created at or after `since` (Twilio's clock)."""

    async def reachable(self) -> bool:
        """Whether there is a network between us and Twilio; costs nothing, sends nothing."""


# Around the connector


class SecretSource(Protocol):
    async def read(self) -> Secret:
        """The secret as it is now; raises SecretUnavailable with a sentence that says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A secret as it was when its source last gave it."""

    secret: Secret
    stored_at: float


class SecretCopy(Protocol):
    """Keeps a secret on this machine, unreadable for whoever lacks its key."""

    async def load(self) -> Copied | None:
        """None where there is none; raises SecretCopyUnusable where it cannot be opened."""

    async def store(self, copied: Copied) -> None:
        """Returns when it is on disk; raises SecretCopyUnusable."""


class Pulse(Protocol):
    """Something that works by itself, in a thread for instance, and can be asked whether it still does."""

    async def pulse(self) -> None:
        """Returns when it has come round, also while it waits for something that fails."""


class Supervisor(Protocol):
    """Whoever started the connector and watches over it, such as systemd."""

    watchdog_seconds: float | None
    """It ends the connector when it has not heard that it is alive for so long; None: it does not mind."""

    def ready(self) -> None: ...

    def reloading(self) -> None:
        """The configuration is being read again; `ready` ends it."""

    def stopping(self) -> None: ...

    def alive(self) -> None: ...
