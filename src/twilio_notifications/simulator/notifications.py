"""The notifications of a call: the errors that Twilio met while it carried the call out."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus

from twilio_notifications.simulator.instants import rfc2822
from twilio_notifications.simulator.lists import windows_of
from twilio_notifications.simulator.orders import first
from twilio_notifications.simulator.refusals import Refusal
from twilio_notifications.simulator.resources import ANSWERED, API_VERSION, instant_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.simulator.lists import Query
    from twilio_notifications.simulator.resources import Call, Notice

ERROR_LEVEL = "0"
TEXTS = {11_200: "An attempt to retrieve content returned an error", 12_100: "Document parse failure"}


def notifications_page(
    call: Call, query: Query, parameters: Mapping[str, list[str]], *, now: float
) -> dict[str, Any] | Refusal:
    """The page of the call's notifications, newest first, filtered by `Log` and `MessageDate`."""
    windows = windows_of(parameters, "MessageDate", before_includes_day=True)
    if isinstance(windows, Refusal):
        return windows
    level = first(parameters, "Log")
    found = [
        _rendered(call, number, notice)
        for number, notice in _visible(call, now)
        if level in {"", ERROR_LEVEL} and all(window.holds(notice.at) for window in windows)
    ][::-1]
    start = query.page * query.size
    shown = found[start : start + query.size]
    return {
        "end": start + max(len(shown) - 1, 0),
        "first_page_uri": _uri(query, 0),
        "next_page_uri": _uri(query, query.page + 1) if start + query.size < len(found) else None,
        "notifications": shown,
        "page": query.page,
        "page_size": query.size,
        "previous_page_uri": _uri(query, query.page - 1) if query.page else None,
        "start": start,
        "uri": _uri(query, query.page),
    }


def notification(call: Call, sid: str, *, now: float) -> dict[str, Any] | None:
    """One notification with the request that it is about; None where the call has no such one."""
    for number, notice in _visible(call, now):
        if _sid(call, number) == sid:
            unknown = {"request_variables": "", "response_body": "", "response_headers": ""}
            return {**_rendered(call, number, notice), **unknown}
    return None


def _visible(call: Call, now: float) -> list[tuple[int, Notice]]:
    """The notices that can be seen; a call that was never answered fetched no document."""
    if instant_of(call, ANSWERED, now) is None:
        return []
    return [(number, notice) for number, notice in enumerate(call.notices) if notice.at <= now]


def _sid(call: Call, number: int) -> str:
    return "NO" + hashlib.blake2b(f"{call.sid}/{number}".encode(), digest_size=16).hexdigest()


def _rendered(call: Call, number: int, notice: Notice) -> dict[str, Any]:
    sid = _sid(call, number)
    return {
        "account_sid": call.account_sid,
        "api_version": API_VERSION,
        "call_sid": call.sid,
        "date_created": rfc2822(notice.at),
        "date_updated": rfc2822(notice.at),
        "error_code": str(notice.code),
        "log": ERROR_LEVEL,
        "message_date": rfc2822(notice.at),
        "message_text": TEXTS.get(notice.code, f"Error {notice.code}"),
        "more_info": f"https://www.twilio.com/docs/errors/{notice.code}",
        "request_method": "POST",
        "request_url": notice.url,
        "sid": sid,
        "uri": f"/{API_VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}/Notifications/{sid}.json",
    }


def _uri(query: Query, page: int) -> str:
    pairs = [*query.filters, ("PageSize", str(query.size)), ("Page", str(page))]
    return f"{query.path}?" + "&".join(f"{quote_plus(name)}={quote_plus(value)}" for name, value in pairs)
