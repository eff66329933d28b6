"""Every event of the log has its row, with its level and its fields, and no row is about nothing.

The events are read from the source: a name that is not a literal is traced to the literals it can be.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

import pytest

from tests.docs.markdown import DOCS, codes, rows
from tests.support.house import modules, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.house import Module

PAGE = DOCS / "reference" / "log.md"
_EVENT = re.compile(r"[a-z]+(_[a-z]+)+")
_PORT = "ports/around.py"
"""Declares the two methods and calls neither."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as the source tells it; `level` is None where it depends on what happened."""

    name: str
    level: str | None
    fields: frozenset[str]


def events(module: Module) -> Iterator[Event]:
    """Every event that a module tells."""
    for function in ast.walk(module.tree):
        if isinstance(function, Function):
            for call in ast.walk(function):
                if _tells(call):
                    yield from _events_of(call, function, module)


def _tells(node: ast.AST) -> TypeGuard[ast.Call]:
    """A call of an observer's `event` or `defect`."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="observer"), attr="event" | "defect")):
            return True
        case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=owner), attr="event" | "defect")):
            return owner in {"observer", "_observer"}
        case _:
            return False


def _events_of(call: ast.Call, function: Function, module: Module) -> Iterator[Event]:
    first = call.args[0]
    if isinstance(first, ast.Constant):
        yield _event(str(first.value), call)
        return
    assert isinstance(first, ast.Name), f"{module.name}:{call.lineno} tells an event that nobody can find"
    if first.id in {argument.arg for argument in function.args.args}:
        yield from _told_through(function.name, call, module)
        return
    for name in _values(first.id, function):
        yield _event(name, call)


def _told_through(wrapper: str, inner: ast.Call, module: Module) -> Iterator[Event]:
    """The events of a method that passes its first argument on as the name."""
    for call in ast.walk(module.tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == wrapper:
            name = call.args[0]
            assert isinstance(name, ast.Constant), f"{module.name}:{call.lineno}"
            said = any(word.arg == "level" for word in call.keywords)
            level = _level(call) if said else None
            yield Event(name=str(name.value), level=level, fields=_fields(call) | _fields(inner))


def _values(variable: str, function: ast.AST) -> Iterator[str]:
    """The literals that look like events in what is assigned to a variable."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and variable in {
            name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
        }:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Constant) and _EVENT.fullmatch(str(part.value)):
                    yield str(part.value)


def _event(name: str, call: ast.Call) -> Event:
    return Event(name=name, level=_level(call), fields=_fields(call))


def _fields(call: ast.Call) -> frozenset[str]:
    return frozenset(word.arg for word in call.keywords if word.arg and word.arg != "level")


def _level(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Attribute) and call.func.attr == "defect":
        return "ERROR"
    given = next((word.value for word in call.keywords if word.arg == "level"), None)
    if given is None:
        return "INFO"
    return given.attr if isinstance(given, ast.Attribute) else None


def told() -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for module in modules():
        if module.name != _PORT:
            for event in events(module):
                found.setdefault(event.name, []).append(event)
    return found


TOLD = told()
ROWS = {codes(row[0])[0]: row for row in rows(PAGE, header="event")}


def test_the_page_and_the_program_know_the_same_events() -> None:
    assert sorted(TOLD) == sorted(ROWS)


def test_no_event_has_two_rows() -> None:
    named = [codes(row[0])[0] for row in rows(PAGE, header="event")]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_has_the_events_level(name: str) -> None:
    levels = {event.level for event in TOLD[name] if event.level is not None}
    assert levels <= {ROWS[name][1]}


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_has_the_events_fields(name: str) -> None:
    expected = frozenset[str]().union(*(event.fields for event in TOLD[name]))
    assert expected == set(codes(ROWS[name][2]))


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_says_what_it_means_and_what_to_do(name: str) -> None:
    _, _, _, meaning, remedy = ROWS[name]
    assert meaning
    assert remedy


SAMPLE = """
class Stage:
    def direct(self):
        self.observer.event("disk_full", level=Level.ERROR, path=path)

    def chosen(self, inbound):
        event = "one_way" if inbound.retained else "other_way"
        self.observer.event(event)

    def looked_up(self, step):
        name, level = {"Finish": ("step_done", Level.DEBUG)}[step]
        self.observer.event(name, level=level)

    def _tell(self, event, **fields):
        self._observer.event(event, broker=self.address, **fields)

    def through(self):
        self._tell("link_lost", error="x")

    def loudly(self):
        self._tell("link_cut", level=Level.ERROR)

    def broken(self, error):
        self.observer.defect("stage_broken", error)
"""


def test_every_way_to_tell_an_event_is_found() -> None:
    found = {event.name: (event.level, set(event.fields)) for event in events(parse(SAMPLE))}
    expected = {
        "disk_full": ("ERROR", {"path"}),
        "one_way": ("INFO", set()),
        "other_way": ("INFO", set()),
        "step_done": (None, set()),
        "link_lost": (None, {"broker", "error"}),
        "link_cut": ("ERROR", {"broker"}),
        "stage_broken": ("ERROR", set()),
    }
    assert expected == found
