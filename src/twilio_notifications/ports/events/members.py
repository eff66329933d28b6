"""Events of connectors that share a journal: which of them leads, and which are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from twilio_notifications.ports.events.event import Event, Level


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipTaken(Event):
    """The connector leads from now on: it takes requests in and reports their statuses."""

    level: ClassVar[Level] = Level.INFO
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipLost(Event):
    """Another connector leads, or may lead; this one only sends."""

    level: ClassVar[Level] = Level.WARNING
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStandsBy(Event):
    """The connector sends what another one takes in, and leads when that one does not any more."""

    level: ClassVar[Level] = Level.INFO
    member: str
    leader: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MembersChanged(Event):
    """So many connectors share the journal now; this one may make so many attempts at once."""

    level: ClassVar[Level] = Level.INFO
    members: int
    share: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRemoved(Event):
    """The lease of another connector has ended: it was killed, stands still, or cannot reach the database."""

    level: ClassVar[Level] = Level.WARNING
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipRenewed(Event):
    """The lease of this connector had ended, as after a long standstill; it is a member again."""

    level: ClassVar[Level] = Level.WARNING
    member: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLapsed(Event):
    """The lease of an attempt had ended when it was over; what Twilio answered is kept as evidence."""

    level: ClassVar[Level] = Level.WARNING
    number: int
    sid: str | None
