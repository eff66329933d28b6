"""Lists as Twilio serves them: filtered, newest first, in pages that stay put while new resources arrive.

A page token names the resource at which the neighbouring page ended, so a page never shifts. As with Twilio,
`Page` alone is only client state: without a token the first page is served.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.instants import Comparison, Window, read_window
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.orders import first
from twilio_notifications.simulator.refusals import PAGE_SIZE_TOO_LARGE, Refusal, parameter_invalid
from twilio_notifications.simulator.rendering import render
from twilio_notifications.simulator.resources import (
    CALL_FINAL,
    DIALLED,
    SENT,
    Resource,
    instant_of,
    sender_at,
    status_at,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from twilio_notifications.simulator.store import Book

PAGE_SIZE = 50
PAGE_SIZE_LIMIT = 1_000
NEXT, PREVIOUS = "PA", "PB"  # the two kinds of page token
CONTROLS = frozenset({"PageSize", "Page", "PageToken"})
COLLECTIONS: Mapping[Channel, str] = {Channel.SMS: "messages", Channel.CALL: "calls"}
INSTANTS: Mapping[Channel, Mapping[str, frozenset[str]]] = {
    Channel.SMS: {"DateSent": SENT},
    Channel.CALL: {"StartTime": DIALLED, "EndTime": CALL_FINAL},
}
OPERATORS: tuple[Comparison, ...] = ("=", "<", ">")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One list request: what to show, which page, and what its links must repeat (`filters`)."""

    channel: Channel
    account_sid: str
    path: str
    to: str | None
    sender: str | None
    status: str | None
    parent: str | None
    windows: tuple[tuple[frozenset[str], Window], ...]
    filters: tuple[tuple[str, str], ...]
    size: int
    page: int
    token: str | None


def read_query(
    parameters: Mapping[str, list[str]], *, channel: Channel, account_sid: str, path: str
) -> Query | Refusal:
    """The list request that these query parameters mean. Parameters Twilio does not know are ignored."""
    size = _read_whole(first(parameters, "PageSize"), default=PAGE_SIZE)
    page = _read_whole(first(parameters, "Page"), default=0)
    if size is None or size == 0 or page is None:
        name = "Page" if page is None else "PageSize"
        return parameter_invalid(name, first(parameters, name))
    if size > PAGE_SIZE_LIMIT:
        return PAGE_SIZE_TOO_LARGE
    windows = _read_windows(parameters, channel=channel)
    if isinstance(windows, Refusal):
        return windows
    calls = channel is Channel.CALL
    return Query(
        channel=channel,
        account_sid=account_sid,
        path=path,
        to=normalized(first(parameters, "To")) or None,
        sender=normalized(first(parameters, "From")) or None,
        status=(first(parameters, "Status") or None) if calls else None,  # texts have no such filter
        parent=(first(parameters, "ParentCallSid") or None) if calls else None,
        windows=windows,
        filters=tuple((name, values[0]) for name, values in parameters.items() if name not in CONTROLS),
        size=size,
        page=page,
        token=first(parameters, "PageToken") or None,
    )


def _read_whole(value: str, *, default: int) -> int | None:
    if not value:
        return default
    return int(value) if value.isascii() and value.isdigit() else None


def _read_windows(
    parameters: Mapping[str, list[str]], *, channel: Channel
) -> tuple[tuple[frozenset[str], Window], ...] | Refusal:
    windows: list[tuple[frozenset[str], Window]] = []
    for name, statuses in INSTANTS[channel].items():
        read = windows_of(parameters, name, before_includes_day=channel is Channel.SMS)
        if isinstance(read, Refusal):
            return read
        windows.extend((statuses, window) for window in read)
    return tuple(windows)


def windows_of(
    parameters: Mapping[str, list[str]], name: str, *, before_includes_day: bool
) -> list[Window] | Refusal:
    """The windows that the filters of this name mean."""
    windows = []
    for operator, value in _comparisons(parameters, name):
        window = read_window(operator, value, before_includes_day=before_includes_day)
        if window is None:
            return parameter_invalid(name, value)
        windows.append(window)
    return windows


def _comparisons(parameters: Mapping[str, list[str]], name: str) -> Iterator[tuple[Comparison, str]]:
    """Twilio takes `DateSent>=…` (the name is then `DateSent>`), `DateSent>%3D=…` and `DateSent=>=…`."""
    for operator in OPERATORS:
        for spelling in (name,) if operator == "=" else (name + operator, name + operator + "="):
            value = first(parameters, spelling)
            if operator == "=" and value.startswith((">=", "<=")):
                yield (">" if value[0] == ">" else "<"), value[2:]
            elif value:
                yield operator, value


def list_page(
    query: Query, book: Book, *, when: Callable[[Resource], float], hidden_after: float
) -> dict[str, Any]:
    """The page as Twilio renders it, each resource as it is at the instant that `when` gives for it.

    Resources created after `hidden_after` are not shown yet.
    """
    shown, older, newer = _select(query, book, when=when, hidden_after=hidden_after)
    start = query.page * query.size
    next_token = NEXT + shown[-1].sid if shown and older else None
    previous_token = PREVIOUS + shown[0].sid if shown and newer else None
    return {
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": _uri(query, page=0, token=None),
        "next_page_uri": _uri(query, page=query.page + 1, token=next_token) if next_token else None,
        "page": query.page,
        "page_size": query.size,
        "previous_page_uri": (
            _uri(query, page=max(query.page - 1, 0), token=previous_token) if previous_token else None
        ),
        COLLECTIONS[query.channel]: [render(resource, when(resource)) for resource in shown],
        "start": start,
        "uri": _uri(query, page=query.page, token=query.token),
    }


def _select(
    query: Query, book: Book, *, when: Callable[[Resource], float], hidden_after: float
) -> tuple[list[Resource], bool, bool]:
    """The resources of the page, newest first, and whether there are older and newer ones."""
    kind, sid = (query.token[:2], query.token[2:]) if query.token else (NEXT, None)

    def matching(resources: Iterable[Resource], limit: int) -> list[Resource]:
        return list(islice((r for r in resources if _shows(query, r, when(r), hidden_after)), limit))

    if kind == PREVIOUS and sid is not None:
        found = matching(book.newer_than(sid, to=query.to), query.size + 1)
        return found[: query.size][::-1], True, len(found) > query.size
    found = matching(book.older_than(sid, to=query.to), query.size + 1)
    return found[: query.size], len(found) > query.size, sid is not None


def _shows(query: Query, resource: Resource, now: float, hidden_after: float) -> bool:
    return (
        resource.account_sid == query.account_sid
        and resource.created_at <= hidden_after
        and query.parent is None  # no call here has a parent
        and (query.sender is None or query.sender == sender_at(resource, now))
        and (query.status is None or query.status == status_at(resource, now))
        and all(window.holds(instant_of(resource, steps, now)) for steps, window in query.windows)
    )


def _uri(query: Query, *, page: int, token: str | None) -> str:
    pairs = [*query.filters, ("PageSize", str(query.size)), ("Page", str(page))]
    if token is not None:
        pairs.append(("PageToken", token))
    return f"{query.path}?" + "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
