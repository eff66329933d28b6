"""What happened to one request: a list of moments, oldest first, each with its instant `at`.

Instants are seconds since the epoch. Phone numbers and names are masked unless the caller asked for the whole
ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.core.delivery import Happening, LearnedFrom
    from twilio_notifications.core.errors import Reason, WaitReason
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.steps import AttemptOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """The request was recorded."""

    at: float
    origin: str | None
    """The side of a transport with more than one side from which it came; None: there is one side only."""
    resent_from: int | None
    """The request that a person sent again as this one; None: it came from a client or from a chain."""
    chain: int | None
    """The request that began the chain by which this one was made; None: no chain made it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waited:
    """A wait of more than a moment began."""

    at: float
    reason: WaitReason | None
    """None: for its turn, or for a free place."""
    message: str | None
    until: float | None
    """When it was to end; None: that is not known."""
    ended_at: float | None
    """None: it lasts."""
    behind: int | None
    """The request to the same recipient that comes first, of a wait that lasts; None: none does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseLasted:
    """A state began that kept this request and others waiting, or would have."""

    at: float
    reason: WaitReason
    message: str
    until: float | None
    ended_at: float | None
    """None: it lasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOpened:
    """An attempt was opened in the journal, before Twilio was asked."""

    at: float
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtArose:
    """The attempt has no answer; Twilio's records are looked up."""

    at: float
    attempt: int
    message: str
    look_at: float
    """When the records are looked up next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptClosed:
    """The attempt ended: with Twilio's answer, or with what its records showed."""

    at: float
    attempt: int
    outcome: AttemptOutcome
    reason: Reason | WaitReason | None
    """Why it was no success, or for what the request waits since then; None: it was one."""
    message: str | None
    code: int | None
    """Twilio's."""
    sid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredLate:
    """Twilio's answer came to a connector whose lease had ended: it counts as proof, and ended no attempt."""

    at: float
    attempt: int
    outcome: AttemptOutcome
    code: int | None
    """Twilio's."""
    sid: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusWritten:
    """A status was put into the outbox, or replaced an earlier one."""

    at: float
    follow_up: bool
    """It tells of the delivery or of the chain; otherwise it answers the request."""
    reason: Reason | None
    """None: a success."""
    message: str | None
    code: int | None
    remark: str | None
    """What became of the status, where it did not simply leave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLeft:
    """The broker, or the nucleus, has acknowledged a status."""

    at: float
    follow_up: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryMoved:
    """Something became known of the delivery."""

    at: float
    happening: Happening
    source: LearnedFrom
    word: str
    """Twilio's."""
    code: int | None
    meaning: str | None
    """What Twilio's code means and what to do, in a sentence; None where there is no code."""
    result: str | None
    """Whom or what a call reached; None where it says nothing about that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationBegan:
    """The request began a chain."""

    at: float
    escalation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationStepTaken:
    """A step of the chain was taken."""

    at: float
    step: int
    """From 1; step 0 is the request itself."""
    requests: int
    """Number of requests that it made; 0: it had nothing to say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonNotified:
    """The chain made a request, and what became of that one."""

    at: float
    request: int
    channel: Channel
    name: str
    phone_number: str
    became: str
    """Twilio's last word, or why it failed, or its state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyCame:
    """A text or a call came back from a telephone of the chain."""

    at: float
    phone_number: str
    meaning: str
    sid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationOver:
    """The chain ended."""

    at: float
    ending: str
    """`acknowledged`, `unacknowledged`, `cancelled` or `superseded`."""
    by: str | None
    """Who has acknowledged; None: not known, or no one."""
    door: str | None
    """How it was acknowledged; None: it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPlaced:
    """A person ordered something of the connector."""

    at: float
    order: int
    name: str
    """Of the kind of order, such as `resend`."""
    parameters: Mapping[str, object]
    """What the order has beyond its request, as another program may have written it."""
    by: str
    door: str
    """`command` or `console`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCarriedOut:
    """The connector carried the order out, or refused it."""

    at: float
    order: int
    name: str
    result: str | None
    """What it has done; None: it was refused."""
    refusal: str | None
    """Why it was refused; None: it was carried out."""
    made: int | None
    """The request that sends this one again; None: it made none."""


Moment = (
    Arrived
    | Waited
    | PauseLasted
    | AttemptOpened
    | DoubtArose
    | AttemptClosed
    | AnsweredLate
    | StatusWritten
    | StatusLeft
    | DeliveryMoved
    | EscalationBegan
    | EscalationStepTaken
    | PersonNotified
    | ReplyCame
    | EscalationOver
    | OrderPlaced
    | OrderCarriedOut
)
