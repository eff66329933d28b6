"""The steps of a request's life: what the core decides, the journal keeps, and log and metrics read.

A step carries the outcome of the attempt that it closes, so that no part of the program works the outcome out
again from other fields.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.core.errors import Reason, WaitReason
    from twilio_notifications.core.model import Channel, Notification


class AttemptOutcome(StrEnum):
    """How an attempt ended, or that its end is not known."""

    ACCEPTED = "ACCEPTED"
    """Twilio took it."""
    REFUSED = "REFUSED"
    """Twilio said no."""
    DEFERRED = "DEFERRED"
    """Twilio, or something on the way to it, certainly did not carry it out; it may be made later."""
    FAILED = "FAILED"
    """Twilio's records show that it was not carried out."""
    UNSENT = "UNSENT"
    """It was opened, and the connector did not make it: the lifetime ended first, or a defect did."""
    IN_DOUBT = "IN_DOUBT"
    """It may have been carried out."""


SENT_NOTHING = frozenset(
    {AttemptOutcome.REFUSED, AttemptOutcome.DEFERRED, AttemptOutcome.FAILED, AttemptOutcome.UNSENT}
)
"""Outcomes by which nothing was sent: what the attempt used of the operator's limits is paid back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A request that may be attempted, with its history so far."""

    id: int
    notification: Notification
    accepted_at: float
    expires_at: float
    due_at: float
    attempts: int = 0
    """Attempts that count against `retries`."""
    deferrals: int = 0
    waiting_reason: WaitReason | None = None
    attempt: int = 1
    """Number of the attempt that is open, or else of the next one."""
    chain: int | None = None
    """The number of the request that began the chain to which it belongs; its own for that request."""
    chain_ended: bool = False
    """Whether that chain has ended."""
    tells_end: bool = False
    """It tells of that end, and so goes out after it."""
    recalled: Reason | None = None
    """Why it is to end unsent: Cancelled or Superseded. None: it is not."""
    traceparent: str | None = None
    """The client's trace, as it wrote it; None: it named none."""

    @property
    def is_step(self) -> bool:
        """Whether a chain made it: it publishes no status of its own."""
        return self.chain is not None and self.chain != self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubtful:
    """A request in doubt, with the attempt whose answer is not known."""

    request: Claimed
    opened_at: float
    doubt_at: float
    """When the doubt arose, or was found at a start."""
    clock_offset: float | None
    """Twilio's clock minus ours when the attempt was opened, in seconds; None where it was not known yet."""
    cut_off: bool
    """The end of the connector (crash, kill, drain limit) cut the attempt off, so that it costs the sender
    nothing. It was opened by a process whose clock need not be today's."""
    message: str
    """What left the attempt in doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """What the journal follows of a request that Twilio accepted, and from when on."""

    word: str
    """Twilio's word for the state."""
    look_at: float
    """When to ask Twilio for the first time."""
    sender_number: str | None = None
    """Twilio's; None: the requested one."""
    phone_number: str | None = None
    """Twilio's; None: the requested one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """The request has its outcome: close the attempt, if one is open, and write the status with it."""

    id: int
    at: float
    status: bytes
    reason: Reason | None
    """None for success."""
    outcome: AttemptOutcome | None
    """The end of the attempt that this step closes; None where no attempt is open."""
    message: str | None = None
    code: int | None = None
    sid: str | None = None
    counted: bool = True
    """The attempt counts against `retries`."""
    follow: Follow | None = None
    """What is followed from now on; None: nothing. Only with a SID."""
    attempt: int | None = None
    """Number of the attempt that this step closes; None: of the one that is open, if one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The queue of a sender at Twilio is full: nothing leaves from it before `until`."""

    sender_number: str
    channel: Channel
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Postpone:
    """The request waits, or goes on waiting, until `due_at`."""

    id: int
    at: float
    due_at: float
    reason: WaitReason
    message: str
    outcome: AttemptOutcome | None
    """The end of the attempt that this step closes; None where no attempt is open."""
    code: int | None = None
    counted: bool = False
    """The attempt counts against `retries`."""
    stall: Stall | None = None
    """Its sender waits with it, and all that leaves from that one; None: no other request does."""
    attempt: int | None = None
    """Number of the attempt that this step closes; None: of the one that is open, if one is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """The attempt's answer is not known; look at Twilio's records at `settle_at`."""

    id: int
    at: float
    settle_at: float
    message: str
    attempt: int | None = None
    """Number of the attempt that is in doubt; None: of the one that is open."""

    @property
    def outcome(self) -> AttemptOutcome:
        return AttemptOutcome.IN_DOUBT


Step = Finish | Postpone | Doubt
