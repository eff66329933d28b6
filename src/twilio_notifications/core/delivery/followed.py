"""Deliveries as the journal follows them, and what one look or one callback changes of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.core.delivery.follow_ups import Who
    from twilio_notifications.core.delivery.states import Delivery
    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.steps import Claimed, Stall


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """A delivery of the journal. Instants are seconds since the epoch."""

    request: Claimed
    sid: str
    begun_at: float
    """When Twilio had accepted it."""
    look_at: float | None
    """When to ask Twilio next; None: following has ended."""
    delivery: Delivery
    who: Who
    version: int = 0
    """Grows with each change: a change is taken only where the delivery is still as it was read."""


class LearnedFrom(StrEnum):
    """How the connector learned of something."""

    POLL = "poll"
    CALLBACK = "callback"
    NOTIFICATIONS = "notifications"
    """Twilio's notifications of a call."""
    CONNECTOR = "connector"
    """The connector itself, which ended following."""


class Happening(StrEnum):
    """What stands on the time line of a request after its acceptance."""

    CHANGED = "changed"
    """Twilio's word has a higher rank than the one before."""
    LEARNED = "learned"
    """A code, a key or a detection came to a known word."""
    CONTRADICTED = "contradicted"
    """Another last word came after the first one, and changes nothing."""
    GAVE_UP = "gave up"
    """Following ended without a last word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One entry of the time line. None: it says nothing about that."""

    happening: Happening
    source: LearnedFrom
    word: str
    code: int | None = None
    result: str | None = None
    """Whom or what a call reached, where it is known since then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUpStatus:
    """A status for the outbox that tells of a delivery."""

    status: bytes
    reason: Reason | None
    """None for success."""
    message: str | None = None
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one look or one callback changes: the journal takes it in one transaction."""

    request: int
    version: int
    """That of the delivery from which this was concluded."""
    at: float
    before: Delivery
    after: Delivery
    who: Who
    look_at: float | None
    happened: Happened | None
    """None: only the instant of the next look changes, or how often was looked."""
    status: FollowUpStatus | None
    stall: Stall | None = None
    """The sender whose queue at Twilio was full; None: it was not that."""
