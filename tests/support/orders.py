"""Words in which tests order something: at the desk, and of the journal that a connector has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.support.engines import desk_of
from tests.support.factories import START
from twilio_notifications.core.conclusions import ChainWriter, OrderWriter, StatusWriter
from twilio_notifications.core.delivery import Following, Tracking
from twilio_notifications.core.escalation import Chain, Door

if TYPE_CHECKING:
    from tests.support.engines import Place
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import CarriedOut, Orders

BY: Final = "Ann"

WRITER: Final = OrderWriter(
    chains=ChainWriter(
        statuses=StatusWriter(tracking=Tracking(following=Following.POLL)),
        chains={"freezer": Chain(steps=(), tell_others=False)},
        contacts={},
        default_sender_number=None,
    ),
    lifetime_seconds=60.0,
)


def place(path: Place, *orders: Order, at: float = START, door: Door = Door.COMMAND) -> tuple[int, ...]:
    """The numbers of the orders, written into the journal's file."""
    return desk_of(path).place(orders, by=BY, door=door, at=at)


async def carried_out(
    journal: Orders, *, at: float = START, writer: OrderWriter = WRITER
) -> list[CarriedOut]:
    """What became of the orders that wait, the oldest first."""
    done = [
        await journal.carry_out(placed, at=at, writer=writer) for placed in await journal.orders(limit=100)
    ]
    return [one for one in done if one is not None]


async def ordered(
    journal: Orders, path: Place, order: Order, *, at: float = START, door: Door = Door.COMMAND
) -> CarriedOut:
    """What became of an order that is placed now."""
    place(path, order, at=at, door=door)
    (done,) = await carried_out(journal, at=at)
    return done
