"""What people order of a connector: one value for each kind of order, and the form in which it is kept.

An order names its request by the journal's number. What an order has beyond that are its parameters, an
object of JSON in the journal, so that another program may write orders too. Nothing in them is trusted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, assert_never

MAXIMUM_PERSON_CHARACTERS: Final = 256
"""Of the name of a person."""

_SID: Final = re.compile(r"(SM|MM|CA)[0-9a-f]{32}")


class OrderName(StrEnum):
    """The kinds of orders."""

    RESEND = "resend"
    CANCEL = "cancel"
    RESOLVE = "resolve"
    ACKNOWLEDGE = "acknowledge"
    PAUSE = "pause"
    RESUME = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendOrder:
    """Send a finished request again, as a new one."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelOrder:
    """End what of the request has not happened yet: its wait, its ringing call, its escalation."""

    request: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveOrder:
    """Say whether a request was sent that was answered with OutcomeUnknown."""

    request: int
    sent: bool
    sid: str | None = None
    """Of its text or call at Twilio; None: not known, or it was not sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcknowledgeOrder:
    """End the escalation of the request: a person looks after it."""

    request: int
    by: str | None = None
    """Who looks after it; None: the person who ordered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseOrder:
    """Let all requests wait."""

    until: float | None = None
    """When the pause ends by itself; None: it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeOrder:
    """End that pause."""


Order = ResendOrder | CancelOrder | ResolveOrder | AcknowledgeOrder | PauseOrder | ResumeOrder


def name_of(order: Order) -> OrderName:
    """The kind of the order."""
    match order:
        case ResendOrder():
            return OrderName.RESEND
        case CancelOrder():
            return OrderName.CANCEL
        case ResolveOrder():
            return OrderName.RESOLVE
        case AcknowledgeOrder():
            return OrderName.ACKNOWLEDGE
        case PauseOrder():
            return OrderName.PAUSE
        case ResumeOrder():
            return OrderName.RESUME
        case _:
            assert_never(order)


def request_of(order: Order) -> int | None:
    """The number of the request that the order is about; None: it is about no single one."""
    match order:
        case PauseOrder() | ResumeOrder():
            return None
        case _:
            return order.request


def parameters_of(order: Order) -> dict[str, object]:
    """What the order has beyond its request, as `order_of` reads it."""
    match order:
        case ResolveOrder(sent=sent, sid=sid):
            return {"sent": sent} if sid is None else {"sent": sent, "sid": sid}
        case AcknowledgeOrder(by=str() as by):
            return {"by": by}
        case PauseOrder(until=float() as until):
            return {"until": until}
        case _:
            return {}


def order_of(name: str, request: int | None, parameters: object) -> Order:
    """The order that these say; raises ValueError, which says what is wrong with them."""
    kind = OrderName(name)
    if not isinstance(parameters, Mapping):
        raise ValueError("its parameters are no object")  # noqa: TRY004 - a wrong value from outside
    match kind, request:
        case OrderName.PAUSE, None:
            return PauseOrder(until=_instant(parameters.get("until")))
        case OrderName.RESUME, None:
            return ResumeOrder()
        case ((OrderName.PAUSE | OrderName.RESUME), _):
            raise ValueError("it names a request, and is about all of them")
        case _, None:
            raise ValueError("it names no request")
        case OrderName.RESEND, int(number):
            return ResendOrder(request=number)
        case OrderName.CANCEL, int(number):
            return CancelOrder(request=number)
        case OrderName.RESOLVE, int(number):
            return _resolve(number, parameters)
        case OrderName.ACKNOWLEDGE, int(number):
            return _acknowledge(number, parameters)
        case _:
            raise ValueError("its request is no number")


def _resolve(request: int, parameters: Mapping[Any, Any]) -> ResolveOrder:
    sent, sid = parameters.get("sent"), parameters.get("sid")
    if not isinstance(sent, bool):
        raise ValueError("its parameter sent is neither true nor false")  # noqa: TRY004 - as above
    if sid is not None and not (isinstance(sid, str) and _SID.fullmatch(sid)):
        raise ValueError("its parameter sid is no SID of a text or a call")
    return ResolveOrder(request=request, sent=sent, sid=sid)


def _acknowledge(request: int, parameters: Mapping[Any, Any]) -> AcknowledgeOrder:
    by = parameters.get("by")
    if by is None or (isinstance(by, str) and 0 < len(by) <= MAXIMUM_PERSON_CHARACTERS):
        return AcknowledgeOrder(request=request, by=by)
    raise ValueError(f"its parameter by is no name of 1 to {MAXIMUM_PERSON_CHARACTERS} characters")


def _instant(until: object) -> float | None:
    if until is None:
        return None
    if isinstance(until, int | float) and not isinstance(until, bool) and math.isfinite(until):
        return float(until)
    raise ValueError("its parameter until is no number of seconds since 1970")
