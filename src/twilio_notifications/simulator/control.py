"""The simulator's own endpoints under /simulator/…: its ledger, its faults, and the telephones.

They are for the program that started the simulator in another process, and for people. They need no
credentials and answer only to the loopback. Latency and faults do not affect them, and the counters leave
them out.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs

import msgspec

from twilio_notifications.simulator.announcer import CallbackTreatment
from twilio_notifications.simulator.api import Response
from twilio_notifications.simulator.deliveries import DeliveryOrder
from twilio_notifications.simulator.errors import OrderRefused, QueryUnreadable
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.inbound import InboundOrder
from twilio_notifications.simulator.orders import first
from twilio_notifications.simulator.rendering import render
from twilio_notifications.simulator.telephone import endpoints
from twilio_notifications.simulator.telephone.page import PAGE, page
from twilio_notifications.simulator.world import ChangeOrder, KeyOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.simulator.announcer import CallbackEntry
    from twilio_notifications.simulator.deliveries import StandingOrder
    from twilio_notifications.simulator.engine import Engine
    from twilio_notifications.simulator.faults import ArmedFault
    from twilio_notifications.simulator.store import LedgerEntry

PREFIX = "/simulator/"
LEDGER_PAGE = 1_000
MOST_DIGITS = 15


class Latency(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The seconds between carrying a request out and sending its answer."""

    seconds: Annotated[float, msgspec.Meta(ge=0)]


class ClockOffset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The seconds by which Twilio's clock is ahead of ours."""

    offset_seconds: float


class Age(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The age in seconds at which each message and call is shown; null shows its real age."""

    seconds: Annotated[float, msgspec.Meta(ge=0)] | None


class NewCredentials(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The tokens that are accepted from now on, and the secrets of API keys by SID; null accepts any.

    `signing_token` signs callbacks; null: the token that creates log in with.
    """

    auth_tokens: list[Annotated[str, msgspec.Meta(min_length=1)]] | None
    api_keys: dict[str, Annotated[str, msgspec.Meta(min_length=1)]] | None = None
    signing_token: Annotated[str, msgspec.Meta(min_length=1)] | None = None


def control(engine: Engine, *, method: str, target: str, body: bytes) -> Response:
    """The answer to one control request, which takes effect at once."""
    path, _, query = target.partition("?")
    name = path.removeprefix(PREFIX)
    try:
        match method:
            case "GET" if name in PAGE:
                return page(name)
            case "GET" if name in QUERIES:
                return _reply(QUERIES[name](engine, query))
            case "POST" if name in COMMANDS:
                return _reply(COMMANDS[name](engine, body))
            case "DELETE" if name in CLEARINGS:
                CLEARINGS[name](engine)
                return _reply([])
            case _:
                return _wrong(HTTPStatus.NOT_FOUND, f"There is no {method} {path}; see docs/simulator.md")
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return _wrong(HTTPStatus.BAD_REQUEST, f"The body of POST {path} is wrong: {error}")
    except QueryUnreadable as error:
        return _wrong(HTTPStatus.BAD_REQUEST, str(error))
    except OrderRefused as error:
        return _wrong(HTTPStatus.CONFLICT, str(error))


def forbid() -> Response:
    """The answer to a control request from another machine, or from a page of another site."""
    return _wrong(HTTPStatus.FORBIDDEN, "The simulator is controlled from its own machine only, by 127.0.0.1")


def _add_fault(engine: Engine, body: bytes) -> object:
    return _fault(engine.add_fault(msgspec.json.decode(body, type=Fault)))


def _set_latency(engine: Engine, body: bytes) -> object:
    latency = msgspec.json.decode(body, type=Latency)
    engine.latency_seconds = latency.seconds
    return latency


def _set_clock(engine: Engine, body: bytes) -> object:
    clock = msgspec.json.decode(body, type=ClockOffset)
    engine.clock_offset_seconds = clock.offset_seconds
    return clock


def _set_age(engine: Engine, body: bytes) -> object:
    age = msgspec.json.decode(body, type=Age)
    engine.age_seconds = age.seconds
    return age


def _set_credentials(engine: Engine, body: bytes) -> object:
    accepted = msgspec.json.decode(body, type=NewCredentials)
    tokens = accepted.auth_tokens
    engine.set_auth_tokens(tokens)
    engine.set_api_keys(accepted.api_keys)
    engine.set_signing_token(accepted.signing_token)
    return {"accepted": "any" if tokens is None else len(tokens)}  # never the tokens themselves


def _add_delivery(engine: Engine, body: bytes) -> object:
    order = msgspec.json.decode(body, type=DeliveryOrder)
    return _standing(engine.world.deliveries.add(order))


def _set_callbacks(engine: Engine, body: bytes) -> object:
    treatment = msgspec.json.decode(body, type=CallbackTreatment)
    engine.announcer.set_treatment(treatment)
    return treatment


def _change(engine: Engine, body: bytes) -> object:
    changed = engine.world.change(msgspec.json.decode(body, type=ChangeOrder), now=engine.now)
    return render(changed, engine.now)


def _press(engine: Engine, body: bytes) -> object:
    call = engine.world.press(msgspec.json.decode(body, type=KeyOrder), now=engine.now)
    return render(call, engine.now)


def _receive(engine: Engine, body: bytes) -> object:
    received = engine.world.receive(msgspec.json.decode(body, type=InboundOrder), now=engine.now)
    return render(received, engine.now)


COMMANDS: Mapping[str, Callable[[Engine, bytes], object]] = {
    "faults": _add_fault,
    "latency": _set_latency,
    "clock": _set_clock,
    "age": _set_age,
    "credentials": _set_credentials,
    "deliveries": _add_delivery,
    "callbacks": _set_callbacks,
    "changes": _change,
    "keys": _press,
    "inbound": _receive,
    **endpoints.COMMANDS,
}


def _ledger(engine: Engine, query: str) -> object:
    creates = engine.store.creates
    start, entries = creates.page(*_read_bounds(query))
    return {
        "total": creates.total,
        "start": start,
        "counters": engine.counters,
        "entries": [_entry(entry) for entry in entries],
    }


def _callbacks(engine: Engine, query: str) -> object:
    made = engine.announcer.entries
    start, entries = made.page(*_read_bounds(query))
    return {"total": made.total, "start": start, "entries": [_callback(entry) for entry in entries]}


def _read_bounds(query: str) -> tuple[int, int]:
    """The place of the first entry of the page and the number of entries; raises QueryUnreadable."""
    parameters = parse_qs(query)
    start, limit = first(parameters, "start") or "0", first(parameters, "limit") or str(LEDGER_PAGE)
    if not all(bound.isdecimal() and len(bound) <= MOST_DIGITS for bound in (start, limit)):
        raise QueryUnreadable(f"start and limit are whole numbers of at most {MOST_DIGITS} digits")
    return int(start), int(limit)


QUERIES: Mapping[str, Callable[[Engine, str], object]] = {
    "ledger": _ledger,
    "callbacks": _callbacks,
    "counters": lambda engine, _query: engine.counters,
    "faults": lambda engine, _query: [_fault(armed) for armed in engine.faults.armed],
    "deliveries": lambda engine, _query: [_standing(standing) for standing in engine.world.deliveries.orders],
    **endpoints.QUERIES,
}
CLEARINGS: Mapping[str, Callable[[Engine], None]] = {
    "faults": lambda engine: engine.faults.clear(),
    "deliveries": lambda engine: engine.world.deliveries.orders.clear(),
    **endpoints.CLEARINGS,
}


def _entry(entry: LedgerEntry) -> dict[str, Any]:
    return {
        "sid": entry.sid,
        "channel": entry.channel,
        "account_sid": entry.account_sid,
        "to": entry.to,
        "from": entry.sender,
        "messaging_service_sid": entry.messaging_service_sid,
        "body": entry.body,
        "url": entry.url,
        "twiml": entry.twiml,
        "media_urls": entry.media_urls,
        "created_at": entry.created_at,
    }


def _callback(entry: CallbackEntry) -> dict[str, Any]:
    callback = entry.callback
    return {
        "sid": callback.sid,
        "purpose": callback.purpose,
        "due_at": callback.due_at,
        "method": callback.method,
        "url": callback.url,
        "fields": callback.fields,
        "lost": entry.lost,
        "requests": entry.requests,
        "status": entry.status,
        "failure": entry.failure,
        "answer": entry.answer,
    }


def _standing(standing: StandingOrder) -> dict[str, Any]:
    return {"order": standing.order, "given": standing.given}


def _fault(armed: ArmedFault) -> dict[str, Any]:
    return {"fault": armed.fault, "seen": armed.seen, "fired": armed.fired}


def _reply(content: object) -> Response:
    return Response(status=HTTPStatus.OK, body=msgspec.json.encode(content))


def _wrong(status: HTTPStatus, message: str) -> Response:
    return Response(status=status, body=msgspec.json.encode({"message": message, "status": status}))
