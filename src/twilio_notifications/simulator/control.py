"""The simulator's own endpoints under /simulator/…, which read its ledger and set its faults.

They are for the program that started the simulator in another process. They need no credentials and answer
only to the loopback; latency and faults do not affect them, and the counters leave them out.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import parse_qs

import msgspec

from twilio_notifications.simulator.api import Response
from twilio_notifications.simulator.faults import Fault
from twilio_notifications.simulator.orders import first

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.simulator.engine import Engine
    from twilio_notifications.simulator.faults import ArmedFault
    from twilio_notifications.simulator.store import LedgerEntry

PREFIX = "/simulator/"
LEDGER_PAGE = 1_000


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
    """The tokens that are accepted from now on, and the secrets of API keys by SID; null accepts any."""

    auth_tokens: list[Annotated[str, msgspec.Meta(min_length=1)]] | None
    api_keys: dict[str, Annotated[str, msgspec.Meta(min_length=1)]] | None = None


def control(engine: Engine, *, method: str, target: str, body: bytes) -> Response:
    """The answer to one control request, which takes effect at once."""
    path, _, query = target.partition("?")
    match method, path.removeprefix(PREFIX):
        case "GET", "ledger":
            return _ledger(engine, query)
        case "GET", "counters":
            return _reply(engine.counters)
        case "GET", "faults":
            return _reply([_fault(armed) for armed in engine.faults.armed])
        case "DELETE", "faults":
            engine.faults.clear()
            return _reply([])
        case "POST", name if name in COMMANDS:
            try:
                return COMMANDS[name](engine, body)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                return _wrong(HTTPStatus.BAD_REQUEST, f"The body of POST {path} is wrong: {error}")
        case _:
            return _wrong(HTTPStatus.NOT_FOUND, f"There is no {method} {path}; see docs/simulator.md")


def forbid() -> Response:
    """The answer to a control request from another machine."""
    return _wrong(HTTPStatus.FORBIDDEN, "The simulator is controlled from its own machine only, by 127.0.0.1")


def _add_fault(engine: Engine, body: bytes) -> Response:
    return _reply(_fault(engine.add_fault(msgspec.json.decode(body, type=Fault))))


def _set_latency(engine: Engine, body: bytes) -> Response:
    latency = msgspec.json.decode(body, type=Latency)
    engine.latency_seconds = latency.seconds
    return _reply(latency)


def _set_clock(engine: Engine, body: bytes) -> Response:
    clock = msgspec.json.decode(body, type=ClockOffset)
    engine.clock_offset_seconds = clock.offset_seconds
    return _reply(clock)


def _set_age(engine: Engine, body: bytes) -> Response:
    age = msgspec.json.decode(body, type=Age)
    engine.age_seconds = age.seconds
    return _reply(age)


def _set_credentials(engine: Engine, body: bytes) -> Response:
    accepted = msgspec.json.decode(body, type=NewCredentials)
    tokens = accepted.auth_tokens
    engine.set_auth_tokens(tokens)
    engine.set_api_keys(accepted.api_keys)
    return _reply({"accepted": "any" if tokens is None else len(tokens)})  # never the tokens themselves


COMMANDS: Mapping[str, Callable[[Engine, bytes], Response]] = {
    "faults": _add_fault,
    "latency": _set_latency,
    "clock": _set_clock,
    "age": _set_age,
    "credentials": _set_credentials,
}


def _ledger(engine: Engine, query: str) -> Response:
    parameters = parse_qs(query)
    start, limit = first(parameters, "start") or "0", first(parameters, "limit") or str(LEDGER_PAGE)
    if not (start.isdecimal() and limit.isdecimal()):
        return _wrong(HTTPStatus.BAD_REQUEST, "start and limit of GET /simulator/ledger are whole numbers")
    ledger = engine.store.ledger
    page = islice(ledger, int(start), int(start) + int(limit))
    return _reply(
        {
            "total": len(ledger),
            "start": int(start),
            "counters": engine.counters,
            "entries": [_entry(entry) for entry in page],
        }
    )


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
        "created_at": entry.created_at,
    }


def _fault(armed: ArmedFault) -> dict[str, Any]:
    return {"fault": armed.fault, "seen": armed.seen, "fired": armed.fired}


def _reply(content: object) -> Response:
    return Response(status=HTTPStatus.OK, body=msgspec.json.encode(content))


def _wrong(status: HTTPStatus, message: str) -> Response:
    return Response(status=status, body=msgspec.json.encode({"message": message, "status": status}))
