"""Events of chains, and of what clients and people want of requests that are under way."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.ports.events.event import Event, Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports.journal import PlacedOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class WishDropped(Event):
    """A cancellation or an acknowledgement breaks the rules, and has no id to answer.

    `error` says which rule; `count` are those since the last WARNING, this one included, and 0 at DEBUG.
    """

    level: Level = field()
    topic: str
    error: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WishCarriedOut(Event):
    """A cancellation or an acknowledgement of a client is on disk, with all that it has ended.

    Where it ended more than one transaction may, this comes after the last one.
    """

    level: ClassVar[Level] = Level.INFO
    wish: str
    chains: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingRequestEnded(Event):
    """A request that waited was cancelled, or a newer one about the same took its place."""

    level: ClassVar[Level] = Level.INFO
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken(Event):
    """A step of the chain of request `number` is on disk, with so many requests."""

    level: ClassVar[Level] = Level.INFO
    number: int
    escalation: str
    step: int
    requests: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEnded(Event):
    """The chain of request `number` has ended: acknowledged, or not by any person in time."""

    level: Level = field()
    number: int
    ending: str
    how: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyFromOptedOut(Event):
    """A person answered an alarm with STOP: this telephone gets no more texts of this sender."""

    level: ClassVar[Level] = Level.WARNING
    phone_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundUnreadable(Event):
    """Twilio's lists of what came back cannot be read, so that no text or call back acknowledges."""

    level: ClassVar[Level] = Level.WARNING
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundReadable(Event):
    """They can be read again."""

    level: ClassVar[Level] = Level.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class CallHungUp(Event):
    """Twilio was asked to end a call that had not been answered; `ended`: Twilio took it."""

    level: ClassVar[Level] = Level.INFO
    number: int
    ended: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OrdersFound(Event):
    """Orders of people were read, and none of these is carried out yet."""

    orders: Sequence[PlacedOrder]


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderCarriedOut(Event):
    """An order of a person is on disk with its result, or refused; `number` is that of its request.

    In a bulk of many, the later ones have their lines at DEBUG.
    """

    level: Level = field()
    order: str
    number: int | None
    by: str
    result: str | None
    refused: str | None
