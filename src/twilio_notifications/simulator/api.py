"""Answers requests to Messages and Calls as Twilio's REST API 2010-04-01 does.

`answer` decides and sends nothing: it has no sockets, no clock and no waiting. The engine applies the faults;
two of them change the execution and not the answer, and reach this module as `Circumstances`.
"""

from __future__ import annotations

import base64
import binascii
import math
from dataclasses import dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never
from urllib.parse import parse_qs, unquote

import msgspec

from twilio_notifications.core.model import Channel
from twilio_notifications.simulator import refusals
from twilio_notifications.simulator.lists import list_page, read_query
from twilio_notifications.simulator.notifications import notification, notifications_page
from twilio_notifications.simulator.numbers import MAGIC_GOOD_SENDER, normalized
from twilio_notifications.simulator.orders import TextOrder, first, read_call, read_text
from twilio_notifications.simulator.owned import numbers_page
from twilio_notifications.simulator.refusals import Refusal, render_refusal
from twilio_notifications.simulator.rendering import render
from twilio_notifications.simulator.resources import (
    ANSWERED,
    API_VERSION,
    Call,
    Resource,
    Step,
    TextMessage,
    changed,
    instant_of,
    is_final_at,
    seen_at,
    status_at,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.simulator.plans import Plan
    from twilio_notifications.simulator.world import World


class Action(StrEnum):
    """The action that a request asks for. A fault names the requests that it hits by the plural."""

    CREATE = "creates"
    LIST = "lists"
    FETCH = "fetches"
    UPDATE = "updates"
    DELETE = "deletes"
    ACCOUNT = "accounts"
    NUMBERS = "numbers"
    NOTIFICATIONS = "notifications"
    NONE = "others"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to the API in parts; `parameters` come from the form of a POST, else from the query.

    `part` is the SID of a notification, and empty for their list.
    """

    method: str
    path: str
    action: Action
    channel: Channel
    account_sid: str
    sid: str
    part: str = ""
    parameters: Mapping[str, list[str]] = field(repr=False)
    authorization: str = field(repr=False)

    @property
    def to(self) -> str:
        """The recipient that a create or a list names; empty without one."""
        return normalized(first(self.parameters, "To"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer. `headers` come in addition to the headers of every answer."""

    status: int
    body: bytes = field(repr=False)
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = b"application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """Faults that change how the API carries a request out."""

    list_lag_seconds: float = 0.0
    plan: Plan | None = None
    """How a new resource ends, whatever else decides it; None: as `deliveries` has it."""
    age_seconds: float | None = None
    """The age in seconds at which the API shows each resource; None shows its real age."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCredentials:
    """The logins that the simulator accepts.

    None accepts any account SID that equals the user name, and any token that is not empty. The SID of an API
    key is a user name too; without `api_keys`, any key is accepted where any token is.
    """

    account_sid: str | None = None
    auth_tokens: frozenset[str] | None = field(default=None, repr=False)
    api_keys: Mapping[str, str] | None = field(default=None, repr=False)
    """Secrets by SID."""
    signing_token: str | None = field(default=None, repr=False)
    """The account's primary auth token, which signs callbacks; None: the one that creates log in with."""

    def admits(self, request: Request) -> bool:
        user, secret = read_basic(request.authorization)
        expected = request.account_sid if self.account_sid is None else self.account_sid
        if expected != request.account_sid:
            return False
        if user.startswith("SK"):
            accepts_any_key = self.api_keys is None and self.auth_tokens is None
            return bool(secret) and (accepts_any_key or (self.api_keys or {}).get(user) == secret)
        is_known = bool(secret) if self.auth_tokens is None else secret in self.auth_tokens
        return user == expected and is_known


def read_basic(authorization: str) -> tuple[str, str]:
    """User name and secret; both empty where the header has none."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, token = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, token


COLLECTIONS: Mapping[str, Channel] = {"Messages": Channel.SMS, "Calls": Channel.CALL}
WITHOUT_SID: Mapping[str, Action] = {"GET": Action.LIST, "POST": Action.CREATE}
WITH_SID: Mapping[str, Action] = {"GET": Action.FETCH, "POST": Action.UPDATE, "DELETE": Action.DELETE}
CHALLENGE = ((b"WWW-Authenticate", b'Basic realm="Twilio API"'),)


def read_request(*, method: str, target: str, authorization: str, body: bytes) -> Request:
    """The request in parts. `action` is NONE where the API has no such resource."""
    path, _, query = target.partition("?")
    form = body.decode("utf-8", "replace") if method == "POST" else query
    action, channel, account_sid, sid = _route(method, path)
    # the list of a call's notifications, or one of them
    part = unquote(path).removesuffix(".json").split("/")[7:] if action is Action.NOTIFICATIONS else []
    return Request(
        method=method,
        path=path,
        action=action,
        channel=channel,
        account_sid=account_sid,
        sid=sid,
        part=part[0] if part else "",
        parameters=parse_qs(form, keep_blank_values=True),
        authorization=authorization,
    )


def _route(method: str, path: str) -> tuple[Action, Channel, str, str]:
    parts = unquote(path).removesuffix(".json").split("/")
    match parts:
        case ["", version, "Accounts", account_sid, name] if version == API_VERSION and name in COLLECTIONS:
            return WITHOUT_SID.get(method, Action.NONE), COLLECTIONS[name], account_sid, ""
        case ["", version, "Accounts", account_sid, name, sid] if version == API_VERSION and (
            name in COLLECTIONS
        ):
            return WITH_SID.get(method, Action.NONE), COLLECTIONS[name], account_sid, sid
        case ["", version, "Accounts", account_sid, "Calls", sid, "Notifications", *part] if (
            version == API_VERSION and len(part) <= 1
        ):
            return (Action.NOTIFICATIONS if method == "GET" else Action.NONE), Channel.CALL, account_sid, sid
        case ["", version, "Accounts", account_sid, "IncomingPhoneNumbers"] if version == API_VERSION:
            return (Action.NUMBERS if method == "GET" else Action.NONE), Channel.SMS, account_sid, ""
        case ["", version, "Accounts", account_sid] if version == API_VERSION:
            return (Action.ACCOUNT if method == "GET" else Action.NONE), Channel.SMS, account_sid, account_sid
        case _:
            return Action.NONE, Channel.SMS, "", ""


def answer(
    request: Request, world: World, credentials: KnownCredentials, *, now: float, circumstances: Circumstances
) -> Response:
    """Carries the request out; returns the answer."""
    if not credentials.admits(request):
        return refuse(refusals.AUTHENTICATE)
    match request.action:
        case Action.CREATE:
            return _create(request, world, now=now, plan=circumstances.plan)
        case Action.LIST:
            return _list(request, world, now=now, circumstances=circumstances)
        case Action.FETCH | Action.UPDATE | Action.DELETE | Action.NOTIFICATIONS:
            resource = world.store.books[request.channel].get(request.sid)
            if resource is None or resource.account_sid != request.account_sid:
                return refuse(refusals.not_found(request.path))
            return _act_on(request, resource, world, now=seen_at(resource, now, circumstances.age_seconds))
        case Action.ACCOUNT:
            return _reply(HTTPStatus.OK, _render_account(request.account_sid))
        case Action.NUMBERS:
            return _numbers(request)
        case Action.NONE:
            known = bool(request.account_sid)
            return refuse(refusals.METHOD_NOT_ALLOWED if known else refusals.not_found(request.path))
        case _:
            assert_never(request.action)


def refuse(refusal: Refusal, *headers: tuple[bytes, bytes]) -> Response:
    """The answer with this refusal."""
    challenge = CHALLENGE if refusal.status == HTTPStatus.UNAUTHORIZED else ()
    return Response(status=refusal.status, body=render_refusal(refusal), headers=(*challenge, *headers))


def _reply(status: HTTPStatus, content: object) -> Response:
    return Response(status=status, body=msgspec.json.encode(content))


def _create(request: Request, world: World, *, now: float, plan: Plan | None) -> Response:
    texts = request.channel is Channel.SMS
    order = read_text(request.parameters, now=now) if texts else read_call(request.parameters)
    if isinstance(order, Refusal):
        return refuse(order)
    if isinstance(order, TextOrder) and world.opt_outs.forbids(
        to=order.to, sender=order.sender or MAGIC_GOOD_SENDER
    ):
        return refuse(refusals.TEXT_OPTED_OUT)
    resource = world.create(order, account_sid=request.account_sid, now=now, plan=plan)
    return _reply(HTTPStatus.CREATED, render(resource, now))


def _list(request: Request, world: World, *, now: float, circumstances: Circumstances) -> Response:
    query = read_query(
        request.parameters, channel=request.channel, account_sid=request.account_sid, path=request.path
    )
    if isinstance(query, Refusal):
        return refuse(query)
    lag_seconds, age_seconds = circumstances.list_lag_seconds, circumstances.age_seconds
    hidden_after = now - lag_seconds if lag_seconds else math.inf
    page = list_page(
        query,
        world.store.books[request.channel],
        when=lambda resource: seen_at(resource, now, age_seconds),
        hidden_after=hidden_after,
    )
    return _reply(HTTPStatus.OK, page)


def _numbers(request: Request) -> Response:
    """The list of the account's own numbers: the number in the query, where it can be a sender."""
    query = read_query(
        request.parameters, channel=Channel.SMS, account_sid=request.account_sid, path=request.path
    )
    if isinstance(query, Refusal):
        return refuse(query)
    return _reply(HTTPStatus.OK, numbers_page(query, first(request.parameters, "PhoneNumber")))


def _act_on(request: Request, resource: Resource, world: World, *, now: float) -> Response:
    match request.action:
        case Action.NOTIFICATIONS:
            return _notifications(request, resource, now=now)
        case Action.FETCH:
            return _reply(HTTPStatus.OK, render(resource, now))
        case Action.DELETE:
            if not is_final_at(resource, now):
                return refuse(refusals.NOT_COMPLETE)
            world.store.books[request.channel].remove(resource.sid)
            return Response(status=HTTPStatus.NO_CONTENT, body=b"")
        case _:
            return _update(request, resource, world, now=now)


def _notifications(request: Request, resource: Resource, *, now: float) -> Response:
    query = read_query(
        request.parameters, channel=request.channel, account_sid=request.account_sid, path=request.path
    )
    if isinstance(query, Refusal):
        return refuse(query)
    if not isinstance(resource, Call):
        return refuse(refusals.not_found(request.path))
    shown = (
        notification(resource, request.part, now=now)
        if request.part
        else notifications_page(resource, query, request.parameters, now=now)
    )
    if shown is None:
        return refuse(refusals.not_found(request.path))
    return refuse(shown) if isinstance(shown, Refusal) else _reply(HTTPStatus.OK, shown)


def _update(request: Request, resource: Resource, world: World, *, now: float) -> Response:
    updated = (
        _update_message(resource, request.parameters, now=now)
        if isinstance(resource, TextMessage)
        else _update_call(resource, request.parameters, now=now)
    )
    if isinstance(updated, Refusal):
        return refuse(updated)
    world.replace(updated)
    return _reply(HTTPStatus.OK, render(updated, now))


def _update_message(
    message: TextMessage, parameters: Mapping[str, list[str]], *, now: float
) -> Resource | Refusal:
    """Cancels the text (`Status=canceled`) or redacts it (an empty `Body=`).

    Twilio cancels only what is scheduled: a text that is queued cannot be taken back.
    """
    status = first(parameters, "Status")
    if status == "canceled":
        if status_at(message, now) != "scheduled":
            return refusals.TEXT_NOT_SCHEDULED
        return changed(message, Step(now, "canceled"))
    if status:
        return refusals.parameter_invalid("Status", status)
    if first(parameters, "Body"):
        return refusals.parameter_invalid("Body", "only an empty body can be set")
    if not is_final_at(message, now):
        return refusals.NOT_COMPLETE
    return replace(message, body="")


def _update_call(call: Call, parameters: Mapping[str, list[str]], *, now: float) -> Resource | Refusal:
    """Ends the call (`canceled` only before it is answered, `completed` at any time) or redirects it."""
    status = first(parameters, "Status")
    answered = instant_of(call, ANSWERED, now) is not None
    match status:
        case "canceled":
            return call if answered or is_final_at(call, now) else changed(call, Step(now, "canceled"))
        case "completed":
            # "completed" only ever means connected
            last = "completed" if answered else "canceled"
            return call if is_final_at(call, now) else changed(call, Step(now, last))
        case "":
            redirects = first(parameters, "Url") or first(parameters, "Twiml")
            in_progress = answered and not is_final_at(call, now)
            return refusals.CALL_NOT_IN_PROGRESS if redirects and not in_progress else call
        case _:
            return refusals.parameter_invalid("Status", status)


def _render_account(account_sid: str) -> dict[str, object]:
    uri = f"/{API_VERSION}/Accounts/{account_sid}"
    return {
        "auth_token": None,  # Twilio shows the token here; the simulator reveals none
        "date_created": "Thu, 30 Jul 2015 20:00:00 +0000",
        "date_updated": "Thu, 30 Jul 2015 20:00:00 +0000",
        "friendly_name": "Twilio simulator",
        "owner_account_sid": account_sid,
        "sid": account_sid,
        "status": "active",
        "subresource_uris": {"calls": f"{uri}/Calls.json", "messages": f"{uri}/Messages.json"},
        "type": "Full",
        "uri": f"{uri}.json",
    }
