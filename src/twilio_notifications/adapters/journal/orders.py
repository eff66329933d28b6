"""Orders on SQLite: what people ordered, read and carried out by the connector."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.statements import orders as sql
from twilio_notifications.core.escalation import Door
from twilio_notifications.core.orders import OrderName, order_of
from twilio_notifications.ports import PlacedOrder

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.core.conclusions import OrderWriter
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import CarriedOut

_DOORS = frozenset(Door)


class SqlOrders:
    """Implements ports.Orders."""

    _store: OpenJournal

    def watch_orders(self, ring: Callable[[], None]) -> None:
        """A file tells of nothing."""

    async def orders(self, *, limit: int) -> list[PlacedOrder]:
        """Orders that are not carried out yet, the oldest first."""
        return await self._store.read(
            lambda connection: [_placed(row) for row in connection.execute(sql.WAITING_ORDERS, (limit,))]
        )

    async def carry_out(self, placed: PlacedOrder, *, at: float, writer: OrderWriter) -> CarriedOut | None:
        """Carries out the order in the transaction that writes its result; None: that was done before."""
        carrying = self._store.carrying
        return await self._store.lead(
            lambda connection: carrying.carry_out(connection, placed, at=at, writer=writer)
        )

    async def refuse_order(self, number: int, refusal: str, *, at: float) -> None:
        """Writes down that an order is not carried out, and why."""

        def operation(connection: Connection) -> None:
            connection.execute(sql.DONE, (at, None, refusal, None, number))

        await self._store.writer.submit(operation)


def _placed(row: tuple[Any, ...]) -> PlacedOrder:
    number, name, request, parameters, by, door = row
    return PlacedOrder(
        number=number,
        name=OrderName(name),
        request=request,
        order=_order(name, request, parameters),
        by=by,
        door=Door(door) if door in _DOORS else Door.COMMAND,
    )


def _order(name: str, request: int | None, parameters: str) -> Order | None:
    """None where another program has written what this one cannot read."""
    try:
        return order_of(name, request, json.loads(parameters))
    except (ValueError, RecursionError):
        return None
