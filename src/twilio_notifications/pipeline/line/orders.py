"""Carries out what people order: looks for orders that another process has written, the oldest first.

What an order does is decided in the core and done by the journal, in the transaction that writes its result.
This stage tells what has happened, and wakes the other stages.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.conclusions.orders import DEFECTIVE_ORDER
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.escalation import EndKind
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line.limiter import Limiter
from twilio_notifications.ports.events import Defect, Level, OrderCarriedOut, OrdersFound
from twilio_notifications.ports.journal import CarriedOut

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.conclusions import OrderWriter
    from twilio_notifications.core.steps import Finish
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.ended import EndedTeller
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Orders, PlacedOrder

BATCH: Final = 200
"""Orders in one turn. The journal carries them out in one transaction, or in a few."""

LOOK_SECONDS: Final = 0.5
"""Between two looks: another process writes orders, and not every database tells of them."""

HELD_UP_SECONDS: Final = 60.0
"""How long one order may hold up a connector that joins: several times what a leader takes to be followed."""

LINES_A_MINUTE: Final = 100
"""The most lines at INFO: a bulk order may be about thousands of requests."""


@dataclass(slots=True, kw_only=True)
class OrderTaker:
    """Takes orders, and has the journal carry them out."""

    journal: Orders
    clock: Clock
    events: Events
    bells: Bells
    writer: OrderWriter
    pacing: Pacing
    ended: EndedTeller
    on_followed: Callable[[Finish], None]
    """Hears of each request that a person has settled, and whose delivery is followed from now on."""
    _limiter: Limiter = field(init=False)
    _oldest: int | None = field(init=False, default=None)
    _held_until: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._limiter = Limiter(clock=self.clock, most=LINES_A_MINUTE)

    async def run(self) -> None:
        """Goes on until cancelled. Raises what ends the journal."""
        bell = Alarm(self.clock)
        self.journal.watch_orders(bell.ring)
        while True:
            if not await self.turn():
                await bell.wait(self.clock.now() + LOOK_SECONDS)

    async def catch_up(self) -> None:
        """Carries out what was ordered while no connector ran, before anything is sent."""
        while await self.turn():
            pass

    async def holds_up(self) -> bool:
        """Whether a connector that joins waits until the leader has carried out what is ordered.

        It does so for as long as that goes on, but not for an order that stays: it may be one of a later
        version, or about rows that cannot be read. Raises JournalError.
        """
        now, oldest = self.clock.now(), None
        for placed in await self.journal.orders(limit=1):
            oldest = placed.number
        if oldest != self._oldest:
            self._oldest, self._held_until = oldest, now + HELD_UP_SECONDS
        return oldest is not None and now < self._held_until

    async def turn(self) -> bool:
        """Carries out the oldest orders; whether there may be more at once. Raises JournalError."""
        placed = await self.journal.orders(limit=BATCH)
        if placed:
            self.events.tell(OrdersFound(orders=placed))
        done = await asyncio.gather(*(self._take(one) for one in placed))
        return len(done) == BATCH and all(done)

    async def _take(self, placed: PlacedOrder) -> bool:
        """Whether the order is done with. A defect refuses it, so that it holds up no other."""
        try:
            done = await self.journal.carry_out(placed, at=self.clock.now(), writer=self.writer)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - it costs this order its result, and no other anything
            return await self._refuse(placed, error)
        if done is not None:
            self._tell(placed, done)
        return True

    async def _refuse(self, placed: PlacedOrder, error: Exception) -> bool:
        self.events.tell(Defect(name="order_failed", error=error))
        try:
            await self.journal.refuse_order(placed.number, DEFECTIVE_ORDER, at=self.clock.now())
        except JournalError:
            raise
        except Exception as again:  # noqa: BLE001 - then it is tried once more at the next look
            self.events.tell(Defect(name="order_failed", error=again))
            return False
        self._tell(placed, CarriedOut(refusal=DEFECTIVE_ORDER))
        return True

    def _tell(self, placed: PlacedOrder, done: CarriedOut) -> None:
        """After the commit."""
        self.events.tell(
            OrderCarriedOut(
                level=Level.INFO if self._limiter.admits() else Level.DEBUG,
                order=placed.name,
                number=placed.request,
                by=placed.by,
                result=done.result,
                refused=done.refusal,
            )
        )
        if done.pause is not None:
            self.pacing.order_pause(done.pause)
        if done.settled is not None and done.settled.follow is not None:
            self.on_followed(done.settled)
        who = None if done.end is None else done.end.acknowledged
        self.ended.tell(
            done.ended,
            kind=EndKind.CANCELLED if done.end is None else done.end.kind,
            how=None if who is None else who.door,
        )
        if done.refusal is None:
            self.bells.work.ring()  # a request may wait, or all of them may leave again
            self.bells.chains.ring()  # a call may have to be hung up, or a step may have failed
