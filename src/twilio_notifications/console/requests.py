"""The list of requests with its filters, and the page of one request with its time line."""

from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException

from twilio_notifications.console.moments import line_of
from twilio_notifications.console.rendering import visit_of
from twilio_notifications.core.errors import WAITS_FOR, Reason, WaitReason
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.orders import OrderName
from twilio_notifications.core.wording import shown
from twilio_notifications.ports.journal.reader import Only, Search
from twilio_notifications.ports.journal.timeline import OrderCarriedOut

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from twilio_notifications.console.parts import ConsoleParts
    from twilio_notifications.console.rendering import Pages
    from twilio_notifications.ports.journal.reader import Timeline

PER_PAGE = 50
MOST_ORDERS_SHOWN = 20
LARGEST_NUMBER = (1 << 63) - 1
"""Of a request in the journal."""
_LONGEST = 1_024
_DONE = frozenset({State.FINISHED, State.REPORTED})


def _instant(text: str) -> float:
    """The instant that a browser's field for date and time has, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _number(text: str) -> int:
    """The number of a request; at most as many digits as the journal counts."""
    if re.fullmatch(r"[0-9]{1,18}", text) is None:
        raise ValueError("it is no number of a request")
    return int(text)


_FIELDS: Mapping[str, Callable[[str], object]] = {
    "only": Only,
    "id": str,
    "contact": str,
    "phone_number": str,
    "name": str,
    "state": State,
    "reason": lambda text: WaitReason(text) if text in set(WaitReason) else Reason(text),
    "channel": Channel,
    "since": _instant,
    "until": _instant,
    "before": _number,
}
"""The filters of the list, each with what reads its text; a ValueError says that it cannot be read."""

_MORE = frozenset({"channel", "state", "reason", "contact", "since", "until", "reveal"})
"""Those that the page hides until they are asked for."""


class RequestPages:
    """`/requests` and `/requests/NUMBER`."""

    def __init__(self, parts: ConsoleParts, pages: Pages) -> None:
        self._parts = parts
        self._pages = pages

    async def show_list(self, request: Request) -> Response:
        asked = {name: text.strip() for name, text in request.query_params.items() if text.strip()}
        search, problems = _search(asked)
        reveal = asked.get("reveal") == "1" or visit_of(request).reveals
        page = await asyncio.to_thread(
            self._parts.reader.entries, search, now=self._parts.now(), reveal=reveal
        )
        older = None
        if page.before is not None:
            older = urlencode({**asked, "before": page.before})
        newest = urlencode({name: text for name, text in asked.items() if name != "before"})
        return self._pages.page(
            request,
            "requests",
            entries=page.entries,
            asked=asked,
            problems=problems,
            has_more_filters=bool(_MORE & asked.keys()),
            reveal=reveal,
            older=older,
            newest=newest if "before" in asked else None,
            reasons=[*Reason, *WaitReason],
            states=list(State),
            onlys=list(Only),
            waits_for=WAITS_FOR,
        )

    async def show(self, request: Request) -> Response:
        reveal = request.query_params.get("reveal") == "1"
        timeline = await timeline_of(request, self._parts, reveal=reveal)
        results = await asyncio.to_thread(self._parts.desk.results, orders_asked_for(request))
        lines = [line_of(moment) for moment in timeline.moments]
        return self._pages.page(
            request,
            "request",
            entry=timeline.entry,
            particulars=timeline.particulars,
            lines=lines[::-1],
            orders=orders_for(timeline),
            results=results,
            reveal=reveal,
            waits_for=WAITS_FOR,
        )


async def require_request(request: Request, parts: ConsoleParts) -> None:
    """Raises HTTPException where the journal has no request of the number that the path names."""
    search = Search(among=[request.path_params["number"]])
    is_possible = request.path_params["number"] <= LARGEST_NUMBER
    found = is_possible and await asyncio.to_thread(parts.reader.entries, search, now=parts.now())
    if not (found and found.entries):
        raise HTTPException(status_code=404)


async def timeline_of(request: Request, parts: ConsoleParts, *, reveal: bool = False) -> Timeline:
    """The request that the path names, with all that happened to it; raises as `require_request`."""
    await require_request(request, parts)
    number, reveals = request.path_params["number"], reveal or visit_of(request).reveals
    return await asyncio.to_thread(parts.reader.timeline, number, now=parts.now(), reveal=reveals)


def orders_asked_for(request: Request) -> list[int]:
    """The orders whose results the address of a page asks for: those that its reader has just placed."""
    asked = request.query_params.getlist("order")[:MOST_ORDERS_SHOWN]
    return [int(text) for text in asked if re.fullmatch(r"[0-9]{1,18}", text)]


def orders_for(timeline: Timeline) -> list[OrderName]:
    """The orders that make sense for a request; the connector decides whether it carries them out."""
    entry, found = timeline.entry, []
    waits_for_a_person = entry.escalation is not None and entry.escalation.ending is None
    if waits_for_a_person:
        found.append(OrderName.ACKNOWLEDGE)
    # What a person has said can be corrected until the broker has acknowledged the status that says so.
    can_be_corrected = entry.state is State.FINISHED and any(
        isinstance(moment, OrderCarriedOut) and moment.name == OrderName.RESOLVE and moment.refusal is None
        for moment in timeline.moments
    )
    if entry.reason is Reason.OUTCOME_UNKNOWN or can_be_corrected:
        found.append(OrderName.RESOLVE)
    if entry.state in _DONE and entry.phone_number is not None:
        found.append(OrderName.RESEND)
    if entry.state not in _DONE or waits_for_a_person:
        found.append(OrderName.CANCEL)
    return found


def _search(asked: Mapping[str, str]) -> tuple[Search, list[str]]:
    """The search, and a sentence for each filter that cannot be read and is left out."""
    narrowed: dict[str, Any] = {}
    problems = []
    for name, read in _FIELDS.items():
        text = asked.get(name)
        if text is None:
            continue
        try:
            narrowed[name] = read(text[:_LONGEST])
        except (ValueError, OverflowError):
            problems.append(f"The filter {name} cannot be {shown(text)}: it is left out.")
    return Search(limit=PER_PAGE, **narrowed), problems
