"""Orders: what people want of a connector, written into the journal and carried out by the connector."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    Order,
    OrderName,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
)
from twilio_notifications.ports.journal.chains import Ended

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core.conclusions import OrderWriter
    from twilio_notifications.core.errors import Reason
    from twilio_notifications.core.escalation import ChainEnd, Door
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.steps import Finish
    from twilio_notifications.ports.journal.waits import Pause

__all__ = [
    "AcknowledgeOrder",
    "CancelOrder",
    "CarriedOut",
    "Order",
    "OrderDesk",
    "OrderName",
    "OrderResult",
    "Orders",
    "PauseOrder",
    "PlacedOrder",
    "ResendOrder",
    "ResolveOrder",
    "ResumeOrder",
    "Selected",
    "Selection",
]


# For the connector.


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """What a person ordered, and the connector has not carried out yet."""

    number: int
    name: OrderName
    request: int | None
    """None: it is about all requests."""
    order: Order | None
    """None: its parameters cannot be read."""
    by: str
    door: Door
    """Whether it came from a command or from the console."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """What became of an order. Exactly one of `result` and `refusal` is set, a sentence for people."""

    result: str | None = None
    refusal: str | None = None
    made: int | None = None
    """The request that sends another one again; None: it made none."""
    ended: Ended = field(default_factory=Ended)
    """What of chains and waiting requests has ended by it, and the statuses that are in the outbox now."""
    end: ChainEnd | None = None
    """How its chains ended; None: it ends no chains."""
    settled: Finish | None = None
    """What a person has said of a request; None: nothing."""
    pause: Pause | None = None
    """The pause that has begun, changed or ended by it; None: none has."""


class Orders(Protocol):
    """What the stage for orders needs of the journal; it raises what `Chains` raises."""

    def watch_orders(self, ring: Callable[[], None]) -> None:
        """From now on calls this in the running event loop soon after an order was placed.

        It may not be called, where the database does not tell of it: orders are looked for all the same.
        """

    async def orders(self, *, limit: int) -> list[PlacedOrder]:
        """Orders that are not carried out yet, the oldest first."""

    async def carry_out(self, placed: PlacedOrder, *, at: float, writer: OrderWriter) -> CarriedOut | None:
        """Carries out the order in the transaction that writes its result; None: that was done before."""

    async def refuse_order(self, number: int, refusal: str, *, at: float) -> None:
        """Writes down that an order is not carried out, and why; nothing where it was carried out before."""


# For people.


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderResult:
    """An order as it stands in the journal."""

    number: int
    name: OrderName
    request: int | None
    done_at: float | None
    """None: it is not carried out yet."""
    result: str | None
    """What it has done; None: it is not carried out yet, or it was refused."""
    refusal: str | None
    """Why it was refused; None: it was not."""
    made: int | None
    """The request that sends another one again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The requests that a bulk order is about. What is None narrows nothing."""

    reason: Reason | None = None
    """Why they failed."""
    channel: Channel | None = None
    phone_number: str | None = None
    since: float | None = None
    """When they were accepted, at the earliest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A request that an order would be about."""

    number: int
    id: str | int | float
    """The client's."""
    channel: Channel
    phone_number: str | None
    """None: it was rejected when it came."""
    accepted_at: float
    state: State
    reason: Reason | None
    """Why it failed; None: it did not."""


class OrderDesk(Protocol):
    """Where people order, next to a running connector or while none runs.

    Its methods wait for the disk: call them outside of an event loop. Each raises a JournalError that says
    what to do.
    """

    def place(self, orders: Sequence[Order], *, by: str, door: Door, at: float) -> tuple[int, ...]:
        """Writes the orders down in one transaction; their numbers, in their order.

        `by` is the person who ordered. Several orders have the number of the first of them as the number of
        their bulk. Raises JournalError, and writes none, where the journal holds no such request.
        """

    def request(self, number: int) -> Selected:
        """One request. Raises JournalError where the journal does not hold it."""

    def chains(self, name: str) -> list[int]:
        """Requests whose chains wait and that have this number, or else this id; the oldest first."""

    def results(self, numbers: Sequence[int]) -> list[OrderResult]:
        """These orders, in this order; without those whose requests were removed meanwhile."""

    def selected(self, name: OrderName, selection: Selection, *, limit: int) -> list[Selected]:
        """The newest requests of the selection that such an order can be carried out for, newest first.

        To send again: those that failed, and were not sent again since. To cancel: those that wait.
        """
