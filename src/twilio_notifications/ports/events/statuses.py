"""Events of the outbox: statuses on their way to the broker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports.journal import Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusPublished(Event):
    """A status was handed to the transport."""

    status: Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAcknowledged(Event):
    """The broker has acknowledged a status; the journal does not know it yet."""

    status: Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusesReported(Event):
    """The journal has noted that these statuses are acknowledged."""

    positions: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRefused(Event):
    """The broker or the nucleus refused a status; it is published again."""

    level: ClassVar[Level] = Level.ERROR
    topic: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusLeftAlone(Event):
    """The journal could not keep a change of this status; it is left alone until the next start."""

    level: ClassVar[Level] = Level.ERROR
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusTooLarge(Event):
    """The broker hangs up over statuses of so many bytes."""

    level: ClassVar[Level] = Level.ERROR
    number: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusShortened(Event):
    """A status of so many bytes was published with fewer."""

    level: ClassVar[Level] = Level.WARNING
    number: int
    bytes: int
    published: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusSetAside(Event):
    """The broker does not take a status; it is tried again after all others."""

    level: ClassVar[Level] = Level.ERROR
    number: int
    bytes: int
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusesHeld(Event):
    """Statuses wait so many seconds over this connection, because earlier ones ended under statuses."""

    level: ClassVar[Level] = Level.WARNING
    seconds: float
