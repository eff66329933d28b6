"""Orders of people: each is shown with what it does, and placed only when it is confirmed."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, assert_never
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

from twilio_notifications.console.forms import FORM_ID_BYTES, FormsTaken
from twilio_notifications.console.rendering import visit_of
from twilio_notifications.console.requests import require_request, timeline_of
from twilio_notifications.core.escalation import Door
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    OrderName,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
    name_of,
    request_of,
)
from twilio_notifications.ports.events import ConsoleOrderPlaced

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports.journal.reader import Entry

LONGEST_PAUSE_HOURS = 24 * 30
_HOUR = 3_600
_SID = re.compile(r"(SM|MM|CA)[0-9a-f]{32}")
PATHS_OF_ONE = tuple(name for name in OrderName if name not in {OrderName.PAUSE, OrderName.RESUME})


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """What a form says that is no order, in a sentence."""

    problem: str


class OrderPages:
    """`/requests/NUMBER/ORDER`, `/pause` and `/resume`: a page that asks, and what follows a yes."""

    def __init__(self, parts: ConsoleParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages
        self._taken = FormsTaken()

    async def ask(self, request: Request) -> Response:
        return await self._question(request, problem=None)

    async def place(self, request: Request) -> Response:
        visit = visit_of(request)
        name, number = _name(request), request.path_params.get("number")
        order = _order(name, number, visit.form, now=self._parts.now())
        if isinstance(order, Unclear):
            return await self._question(request, problem=order.problem)
        if number is not None:
            await require_request(request, self._parts)
        where = await self._taken.once(visit, lambda: self._place(order, person=visit.person))
        return RedirectResponse(where, status_code=303)

    async def _place(self, order: Order, *, person: str) -> str:
        """Places the order; the address of the page that shows what becomes of it."""
        parts, number = self._parts, request_of(order)
        place = partial(parts.desk.place, [order], by=person, door=Door.CONSOLE, at=parts.now())
        (placed,) = await asyncio.to_thread(place)
        parts.events.tell(ConsoleOrderPlaced(person=person, order=name_of(order), requests=1))
        where = "/" if number is None else f"/requests/{number}"
        return f"{where}?{urlencode({'order': placed})}"

    async def _question(self, request: Request, *, problem: str | None) -> Response:
        name, number = _name(request), request.path_params.get("number")
        entry: Entry | None = None
        if number is not None:
            entry = (await timeline_of(request, self._parts)).entry
        return self._pages.page(
            request,
            "order",
            status=200 if problem is None else 400,
            order=name,
            entry=entry,
            problem=problem,
            form=visit_of(request).form,
            form_id=self._parts.random_bytes(FORM_ID_BYTES).hex(),
        )


def _name(request: Request) -> OrderName:
    return OrderName(request.url.path.rpartition("/")[2])


def _order(name: OrderName, number: int | None, form: Mapping[str, str], *, now: float) -> Order | Unclear:
    """The order of a confirmed form."""
    match name, number:
        case OrderName.PAUSE, _:
            return _pause(form.get("hours", ""), now=now)
        case OrderName.RESUME, _:
            return ResumeOrder()
        case _, None:
            return Unclear(problem="The order names no request.")
        case OrderName.RESEND, int(request):
            return ResendOrder(request=request)
        case OrderName.CANCEL, int(request):
            return CancelOrder(request=request)
        case OrderName.RESOLVE, int(request):
            return _resolve(request, form)
        case OrderName.ACKNOWLEDGE, int(request):
            return AcknowledgeOrder(request=request)
        case _:
            assert_never(name)


def _pause(hours: str, *, now: float) -> PauseOrder | Unclear:
    if not hours.strip():
        return PauseOrder()
    try:
        number = float(hours)
    except ValueError:
        number = 0.0
    if not 0 < number <= LONGEST_PAUSE_HOURS:
        sentence = f"The pause must have more than 0 and at most {LONGEST_PAUSE_HOURS} hours, or none at all."
        return Unclear(problem=sentence)
    return PauseOrder(until=now + number * _HOUR)


def _resolve(request: int, form: Mapping[str, str]) -> ResolveOrder | Unclear:
    sent, sid = form.get("sent"), form.get("sid", "").strip()
    if sent not in {"yes", "no"}:
        return Unclear(problem="Say whether it was sent.")
    if sid and (sent == "no" or _SID.fullmatch(sid) is None):
        sentence = "A SID begins with SM, MM or CA, has 32 more digits, and goes with what was sent only."
        return Unclear(problem=sentence)
    return ResolveOrder(request=request, sent=sent == "yes", sid=sid or None)
