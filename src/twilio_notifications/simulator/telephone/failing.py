"""The next request fails: a code of Twilio's becomes the fault or the plan that shows this code.

Twilio answers a request with some codes. Others come later: with the end of a text, or in the notifications
of a call whose voice document cannot be used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.core.twilio_codes import CODES, Concern, about_a_voice_document, explained
from twilio_notifications.simulator.deliveries import DeliveryOrder, StandingOrder
from twilio_notifications.simulator.errors import OrderRefused
from twilio_notifications.simulator.faults import ArmedFault, Fault, RefusedRequest, ServerError
from twilio_notifications.simulator.inbound import Number  # noqa: TC001 - msgspec reads the annotation
from twilio_notifications.simulator.plans import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.simulator.deliveries import DeliveryOrders
    from twilio_notifications.simulator.faults import Effect, Faults

MOST_WAITING: Final = 100

STATUSES: Final[Mapping[int, int]] = {
    20003: 401,
    20004: 405,
    20005: 403,
    20006: 403,
    20008: 403,
    20010: 403,
    20403: 403,
    20404: 404,
    20429: 429,
    63018: 429,
}
"""The HTTP statuses of refusals that are not 400."""
SERVER_ERRORS: Final[Mapping[int, Literal[500, 503]]] = {20500: 500, 20503: 503}
DELIVERY_CODES: Final = (range(30_000, 31_000), range(63_000, 64_000))
UNDELIVERED: Final = frozenset({Concern.RECIPIENT, Concern.NETWORK})
"""What a carrier finds out; for all other codes Twilio itself gives up, and the text is `failed`."""


class How(StrEnum):
    """When a client sees the code."""

    REFUSED = "refused"
    """Twilio answers the request with it."""
    UNDELIVERED = "undelivered"
    """Twilio accepts the text, and the text does not arrive."""
    DOCUMENT = "document"
    """Twilio makes the call, and cannot use its voice document."""


CHANNELS: Final[Mapping[How, Channel]] = {How.UNDELIVERED: Channel.SMS, How.DOCUMENT: Channel.CALL}


class FailureOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The next `times` requests show this code; None: those of each channel, those to each number."""

    code: int
    channel: Channel | None = None
    number: Number | None = None
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCode:
    """A code that a request can be made to show, with its meaning in words."""

    code: int
    means: str
    how: How


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFailure:
    """An order that has not struck as often as it may; `left` counts how often it still will."""

    order: FailureOrder
    left: int


def known_codes() -> tuple[KnownCode, ...]:
    """The codes that a request can be made to show, in ascending order."""
    return tuple(
        KnownCode(code=code, means=row.means, how=how)
        for code, row in CODES.items()
        if (how := _how(code)) is not None
    )


def _how(code: int) -> How | None:
    row = CODES.get(code)
    if row is None:
        return None
    if row.creation is not None:
        return How.REFUSED
    if about_a_voice_document(code):
        return How.DOCUMENT
    return How.UNDELIVERED if any(code in codes for codes in DELIVERY_CODES) else None


class NextFailures:
    """Orders of a person for failures; they come before all other faults and plans."""

    def __init__(self, *, faults: Faults, deliveries: DeliveryOrders) -> None:
        self._faults = faults
        self._deliveries = deliveries
        self._given: list[tuple[FailureOrder, ArmedFault | StandingOrder]] = []

    def add(self, order: FailureOrder, *, now: float) -> WaitingFailure:
        """Puts the order in force; raises OrderRefused for an unknown code, or where too many orders wait."""
        how = _how(order.code)
        if how is None:
            raise OrderRefused(
                f"The simulator cannot make a request show the code {order.code}: choose one of "
                "GET /simulator/codes"
            )
        only = CHANNELS.get(how, order.channel)
        if order.channel not in {None, only}:
            raise OrderRefused(
                f"The code {order.code} is one of the channel {only}: name that channel, or none"
            )
        if len(self.waiting()) >= MOST_WAITING:
            raise OrderRefused(f"{MOST_WAITING} failures wait: withdraw them by DELETE /simulator/failures")
        struck = (
            self._faults.add(_fault(order), now=now, first=True)
            if how is How.REFUSED
            else self._deliveries.add(_delivery(order, how), first=True)
        )
        self._given.append((order, struck))
        return WaitingFailure(order=order, left=order.times)

    def waiting(self) -> tuple[WaitingFailure, ...]:
        """The orders that will still strike, oldest first."""
        in_force = {id(struck) for struck in (*self._faults.armed, *self._deliveries.orders)}
        found = [
            (WaitingFailure(order=order, left=left), struck)
            for order, struck in self._given
            if (left := order.times - (struck.fired if isinstance(struck, ArmedFault) else struck.given)) > 0
            and id(struck) in in_force
        ]
        self._keep({id(struck) for _, struck in found})
        return tuple(failure for failure, _ in found)

    def withdraw(self) -> None:
        """Takes back all orders."""
        self._keep(set())

    def _keep(self, kept: set[int]) -> None:
        """Takes all orders out of force but those whose fault or plan has one of these identities."""
        gone = {id(struck) for _, struck in self._given} - kept
        self._given = [given for given in self._given if id(given[1]) not in gone]
        self._faults.armed[:] = [armed for armed in self._faults.armed if id(armed) not in gone]
        self._deliveries.orders[:] = [given for given in self._deliveries.orders if id(given) not in gone]


def _fault(order: FailureOrder) -> Fault:
    code = order.code
    means = explained(code).means
    effect: Effect = (
        ServerError(status=SERVER_ERRORS[code])
        if code in SERVER_ERRORS
        else RefusedRequest(code=code, message=means, status=STATUSES.get(code, 400))
    )
    return Fault(effect=effect, channel=order.channel, to=order.number, times=order.times)


def _delivery(order: FailureOrder, how: How) -> DeliveryOrder:
    words = explained(order.code)
    plan = (
        Plan(document_error=order.code)
        if how is How.DOCUMENT
        else Plan(
            end="undelivered" if words.concern in UNDELIVERED else "failed",
            error_code=order.code,
            error_message=words.means,
        )
    )
    return DeliveryOrder(plan=plan, channel=CHANNELS[how], to=order.number, times=order.times)
