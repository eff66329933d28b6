"""Events of the connection to the broker or to the Greengrass V2 nucleus."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from twilio_notifications.ports.transport import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConnected(Event):
    """There is a connection, and the subscriptions are acknowledged."""

    level: Level = field()
    broker: str
    protocol: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUnreachable(Event):
    """There is no connection; it is tried again."""

    level: ClassVar[Level] = Level.WARNING
    broker: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerLost(Event):
    """The connection ended; it is tried again."""

    level: Level = field()
    broker: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerUnsteady(Event):
    """The connection is lost again and again for the same reason."""

    level: ClassVar[Level] = Level.WARNING
    broker: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerGrantsLess(Event):
    """The broker takes or delivers messages with QoS 0 only."""

    level: ClassVar[Level] = Level.WARNING
    broker: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerDeaf(Event):
    """A message of the connector to itself did not come back."""

    level: ClassVar[Level] = Level.WARNING
    broker: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopySuspected(Event):
    """Two equal requests came together, and both are executed."""

    level: ClassVar[Level] = Level.WARNING
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyDropped(Event):
    """A request came a second time by an old subscription, and was executed once."""

    level: Level = field()
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRefused(Event):
    """The connector may not send itself a message."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityRefused(Event):
    """The broker does not keep whether the connector is connected."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseRefused(Event):
    """A response topic that a client asked for gets no status; the status topic does."""

    level: Level = field()
    topic: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WishTopicsRefused(Event):
    """The broker or the nucleus refuses a topic of cancellations or acknowledgements; requests go on."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusConnected(Event):
    """The nucleus has answered all subscriptions and granted at least one."""

    level: ClassVar[Level] = Level.INFO
    pubsub: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusUnreachable(Event):
    """There is no connection to the nucleus; it is tried again."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusRefused(Event):
    """The nucleus does not know this process any more."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusLost(Event):
    """The connection to the nucleus ended; it is tried again."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusDeaf(Event):
    """A message of the connector to itself did not come back from this side."""

    level: ClassVar[Level] = Level.WARNING
    side: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class NucleusDeliversAgain(Event):
    """A message of the connector to itself came back from a side that was deaf."""

    level: ClassVar[Level] = Level.INFO
    side: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentEndPostponed(Event):
    """Only a new start would help, and it is too early for one; `until` is in UTC."""

    level: ClassVar[Level] = Level.WARNING
    until: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComponentStateUntold(Event):
    """The connector could not report to the nucleus that the component works."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRefused(Event):
    """The nucleus refuses a subscription, or does not answer it."""

    level: ClassVar[Level] = Level.ERROR
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionClosed(Event):
    """The nucleus ended a subscription; the connector subscribes again."""

    level: ClassVar[Level] = Level.WARNING
    topic: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageUnreadable(Event):
    """The nucleus delivered something that is no message."""

    level: ClassVar[Level] = Level.ERROR
    topic: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsDropped(Event):
    """So many requests wait for the disk that those which come now are lost."""

    level: ClassVar[Level] = Level.ERROR
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestsTakenAgain(Event):
    """There is room again, after so many requests were dropped."""

    level: ClassVar[Level] = Level.INFO
    dropped: int
