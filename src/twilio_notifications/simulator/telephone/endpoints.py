"""The telephones' own endpoints under /simulator/…: what a person does at the page, for programs too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

import msgspec

from twilio_notifications.simulator.errors import QueryUnreadable
from twilio_notifications.simulator.numbers import normalized
from twilio_notifications.simulator.orders import first
from twilio_notifications.simulator.telephone.failing import FailureOrder, known_codes
from twilio_notifications.simulator.telephone.hands import HandOrder
from twilio_notifications.simulator.telephone.memory import MOST_KEPT
from twilio_notifications.simulator.telephone.showing import MOST_ENTRIES, entry, telephones
from twilio_notifications.simulator.telephone.switches import SwitchOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.simulator.engine import Engine

USUAL_ENTRIES: Final = "20"
LONGEST_SEARCH: Final = 200


def _show(engine: Engine, query: str) -> object:
    parameters = parse_qs(query)
    entries = first(parameters, "entries") or USUAL_ENTRIES
    if not (entries.isascii() and entries.isdecimal() and int(entries[:4]) <= MOST_ENTRIES):
        raise QueryUnreadable(f"entries of GET /simulator/telephones is a whole number up to {MOST_ENTRIES}")
    number = first(parameters, "number")
    return {
        "settings": engine.world.switches.of_all,
        "most_kept": MOST_KEPT,
        "failures": engine.failures.waiting(),
        "telephones": telephones(
            engine.world,
            now=engine.now,
            # In a query, "+" without its escape is a space.
            number=normalized(number.replace(" ", "+", 1)) if number else None,
            search=first(parameters, "search")[:LONGEST_SEARCH],
            most=int(entries),
        ),
    }


def _switch(engine: Engine, body: bytes) -> object:
    order = msgspec.json.decode(body, type=SwitchOrder)
    settings = engine.world.switch(order, now=engine.now)
    return {"number": order.number, "on": settings.on, "by_hand": settings.by_hand}


def _act(engine: Engine, body: bytes) -> object:
    call = engine.world.act(msgspec.json.decode(body, type=HandOrder), now=engine.now)
    return entry(call, now=engine.now)


def _fail(engine: Engine, body: bytes) -> object:
    return engine.add_failure(msgspec.json.decode(body, type=FailureOrder))


COMMANDS: Mapping[str, Callable[[Engine, bytes], object]] = {
    "telephones": _switch,
    "acts": _act,
    "failures": _fail,
}
QUERIES: Mapping[str, Callable[[Engine, str], object]] = {
    "telephones": _show,
    "codes": lambda _engine, _query: known_codes(),
    "failures": lambda engine, _query: engine.failures.waiting(),
}
CLEARINGS: Mapping[str, Callable[[Engine], None]] = {
    "failures": lambda engine: engine.failures.withdraw(),
}
