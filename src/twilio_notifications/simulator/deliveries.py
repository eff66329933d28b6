"""Chooses what becomes of each new text and call: by an order of the test, by number, or by a draw.

The first order that concerns the resource decides; without one, the recipient's number decides, then the draw
where there is a seed. All others are delivered, or completed after a person has answered.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import Annotated, Final

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.plans import NO_PLAN, Plan

UNREACHABLE: Final = Plan(
    end="undelivered", error_code=30003, error_message="Unreachable destination handset"
)
NO_DOCUMENT: Final = Plan(document_error=11_200)

NUMBERS: Final = MappingProxyType(
    {
        "+15005550100": (Plan(end="delivered"), Plan(answered_by="human")),
        "+15005550101": (UNREACHABLE, Plan(end="busy")),
        "+15005550102": (
            Plan(end="undelivered", error_code=30005, error_message="Unknown destination handset"),
            Plan(end="no-answer"),
        ),
        "+15005550103": (
            Plan(end="undelivered", error_code=30006, error_message="Landline or unreachable carrier"),
            Plan(end="failed"),
        ),
        "+15005550104": (
            Plan(end="undelivered", error_code=30007, error_message="Message filtered"),
            Plan(end="canceled"),
        ),
        "+15005550105": (
            Plan(end="failed", error_code=30008, error_message="Unknown error"),
            Plan(answered_by="machine"),
        ),
        "+15005550106": (
            Plan(end="failed", error_code=30034, error_message="Unregistered number"),
            NO_DOCUMENT,
        ),
        "+15005550107": (Plan(end="sent"), Plan(keys="1")),
        "+15005550108": (Plan(late_seconds=60.0), Plan(late_seconds=60.0)),
        "+15005550109": (Plan(end="canceled"), Plan(answered_by="unknown")),
    }
)
"""What becomes of a text and of a call to each number that is reserved for it."""

# Chances in percent. The drawn codes are those that carriers give most often.
_TEXT_DRAWS: Final = (
    (65, Plan(end="delivered")),
    (15, Plan(end="undelivered")),
    (8, Plan(end="failed")),
    (7, Plan(end="sent")),
    (5, Plan(end="canceled")),
)
_CALL_DRAWS: Final = (
    (35, Plan(answered_by="human")),
    (15, Plan(answered_by="machine")),
    (10, Plan(answered_by="unknown")),
    (12, Plan(end="busy")),
    (12, Plan(end="no-answer")),
    (6, Plan(end="failed")),
    (5, Plan(end="canceled")),
    (5, NO_DOCUMENT),
)
_DRAWN_CODES: Final = (30003, 30004, 30005, 30006, 30007, 30008)
_LATE_CHANCE: Final = 0.2
_LATE_SECONDS: Final = 30.0


class DeliveryOrder(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A plan, and the resources that it is for; a condition that is None always holds.

    `times` limits the order to the next n resources.
    """

    plan: Plan
    channel: Channel | None = None
    to: str | None = None
    times: Annotated[int, msgspec.Meta(ge=0)] | None = None


@dataclass(slots=True, kw_only=True)
class StandingOrder:
    """An order in force; `given` counts the resources that it has decided."""

    order: DeliveryOrder
    given: int = 0

    def concerns(self, channel: Channel, to: str) -> bool:
        order = self.order
        return (
            order.channel in {None, channel}
            and (order.to is None or normalized(order.to) == to)
            and (order.times is None or self.given < order.times)
        )


class DeliveryOrders:
    """The orders in force, and the seed of the draw; without a seed nothing is drawn.

    `speed` is that of the drawn plans.
    """

    def __init__(self, *, seed: str | None = None, speed: float = 1.0) -> None:
        self.seed = seed
        self.speed = speed
        self.orders: list[StandingOrder] = []

    def add(self, order: DeliveryOrder, *, first: bool = False) -> StandingOrder:
        """Puts an order in force; `given` of the result counts the resources that it has decided.

        With `first` it decides before those that are in force already.
        """
        standing = StandingOrder(order=order)
        self.orders.insert(0 if first else len(self.orders), standing)
        return standing

    def plan_for(self, channel: Channel, to: str, *, earlier: int) -> Plan:
        """The plan for a new resource; `earlier` is the number of those before it to the same recipient.

        A draw depends on the seed, the recipient and `earlier` alone, so that it does not change with the
        order in which requests to different recipients arrive.
        """
        for standing in self.orders:
            if standing.concerns(channel, to):
                standing.given += 1
                return standing.order.plan
        if to in NUMBERS:
            text, call = NUMBERS[to]
            return text if channel is Channel.SMS else call
        if self.seed is None:
            return NO_PLAN
        drawn = _drawn(f"{self.seed}/{channel}/{to}/{earlier}", channel)
        return msgspec.structs.replace(drawn, speed=self.speed)


def _drawn(seed: str, channel: Channel) -> Plan:
    chance = random.Random(seed)  # noqa: S311 - a seed makes a run repeatable, nothing here is secret
    draws = _TEXT_DRAWS if channel is Channel.SMS else _CALL_DRAWS
    (plan,) = chance.choices([plan for _, plan in draws], weights=[weight for weight, _ in draws])
    code = chance.choice(_DRAWN_CODES) if plan.end in {"undelivered", "failed"} else None
    late = chance.uniform(0, _LATE_SECONDS) if chance.random() < _LATE_CHANCE else 0.0
    return msgspec.structs.replace(plan, error_code=code, late_seconds=late)
