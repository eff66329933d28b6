"""Where people order: adds rows to the journal next to a running connector, which carries them out.

It changes nothing else. What an order does is decided and done by the connector alone.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.rows import encoded_id
from twilio_notifications.adapters.journal.statements import chains, wishes
from twilio_notifications.adapters.journal.statements import orders as sql
from twilio_notifications.core.errors import NoSuchRequest, Reason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.orders import OrderName, name_of, parameters_of, request_of
from twilio_notifications.ports import OrderResult, Selected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.core.escalation import Door
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import Selection

LONGEST_NUMBER = 18
"""Digits of a number of the journal: a database counts no further."""

LARGEST_NUMBER = (1 << 63) - 1
"""Of an integer of the journal, and so of a request."""

_SELECTED: Mapping[OrderName, str] = {
    OrderName.RESEND: sql.SELECTED_TO_RESEND,
    OrderName.CANCEL: sql.SELECTED_TO_CANCEL,
}


@dataclass(frozen=True, slots=True)
class SqlOrderDesk:
    """Implements ports.OrderDesk."""

    access: Access

    def place(self, orders: Sequence[Order], *, by: str, door: Door, at: float) -> tuple[int, ...]:
        """Writes the orders down in one transaction; their numbers, in their order."""
        numbers: list[int] = []
        with self.access.ordering() as connection:
            for order in orders:
                request = request_of(order)
                if request is not None and not connection.execute(sql.IS_THERE, (request,)).fetchone()[0]:
                    raise self._is_missing(request)
                bulk = numbers[0] if numbers else None
                what = (name_of(order), request, json.dumps(parameters_of(order)))
                numbers.append(connection.execute(sql.PLACE, (*what, by, door, at, bulk)).fetchone()[0])
            if len(numbers) > 1:
                connection.execute(sql.NUMBER_OF_BULK, numbers[:1])
        return tuple(numbers)

    def request(self, number: int) -> Selected:
        """One request. Raises NoSuchRequest where the journal does not hold it."""
        with self.access.reading() as connection:
            row = connection.execute(sql.LOOKED_AT, (number,)).fetchone()
        if row is None:
            raise self._is_missing(number)
        return _selected(row)

    def _is_missing(self, request: int) -> NoSuchRequest:
        return NoSuchRequest(
            f"the journal {self.access.name} holds no request {request}. "
            "See: twilio-notifications journal list"
        )

    def chains(self, name: str) -> list[int]:
        """Requests whose chains wait and that have this number, or else this id; the oldest first."""
        with self.access.reading() as connection:
            if name.isascii() and name.isdecimal() and len(name) <= LONGEST_NUMBER:
                row = connection.execute(chains.CHAIN_OF, (int(name),)).fetchone()
                if row is not None and row[0] is not None:
                    return [int(name)]
            every = (encoded_id(name), LARGEST_NUMBER, LARGEST_NUMBER)
            found = connection.execute(wishes.CHAINS_BY_ID, every).fetchall()
        return [request for (request,) in found]

    def results(self, numbers: Sequence[int]) -> list[OrderResult]:
        """These orders as they stand now, in this order."""
        # Looked at again and again: the file was checked when the orders were placed.
        with self.access.reading(glance=True) as connection:
            rows = [connection.execute(sql.RESULT, (number,)).fetchone() for number in numbers]
        return [_result(row) for row in rows if row is not None]

    def selected(self, name: OrderName, selection: Selection, *, limit: int) -> list[Selected]:
        """The newest requests of the selection that such an order can be carried out for, newest first."""
        values = {**asdict(selection), "name": name, "limit": limit}
        with self.access.reading() as connection:
            return [_selected(row) for row in connection.execute(_SELECTED[name], values)]


def _result(row: tuple[Any, ...]) -> OrderResult:
    number, name, *others = row
    request, done_at, result, refusal, made = others
    return OrderResult(
        number=number,
        name=OrderName(name),
        request=request,
        done_at=done_at,
        result=result,
        refusal=refusal,
        made=made,
    )


def _selected(row: tuple[Any, ...]) -> Selected:
    number, request_id, channel, phone_number, accepted_at, state, reason = row
    return Selected(
        number=number,
        id=json.loads(request_id),
        channel=Channel(channel),
        phone_number=phone_number,
        accepted_at=accepted_at,
        state=State(state),
        reason=None if reason is None else Reason(reason),
    )
