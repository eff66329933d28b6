"""The events: no dead one, no two of one name, and no line that can hold a secret or a message text."""

from __future__ import annotations

import ast
from dataclasses import fields
from inspect import getattr_static
from typing import get_args

from tests.support.house import Module, event_kinds, modules, parse
from twilio_notifications.ports.events import Defect, DefectName, name_of

ROOM = "ports/events/"
SPEAKABLE = frozenset(
    {
        "str",
        "str | None",
        "int",
        "int | None",
        "float",
        "bool",
        "Level",
        "Origin",
        "Channel",
        "Reason",
        "Reason | None",
        "LookedAt",
        "Which",
        "Literal['changed', 'unchanged']",
        'Literal["changed", "unchanged"]',
    }
)
"""Types of what may be written as it is."""

UNSPEAKABLE = frozenset(
    {"body", "content", "message", "notification", "payload", "secret", "status", "text", "token"}
)


def called() -> list[ast.Call]:
    """Every call of a class or function by its name, without the errors that share an event's name."""
    package = [module for module in modules() if not module.name.startswith(ROOM)]
    return [call for module in package for call in calls(module)]


def calls(module: Module) -> list[ast.Call]:
    nodes = list(ast.walk(module.tree))
    errors = {
        name.asname or name.name
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module == "twilio_notifications.core.errors"
        for name in node.names
    }
    return [node for node in nodes if isinstance(node, ast.Call) and ast.unparse(node.func) not in errors]


def name_called(call: ast.Call) -> str:
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def test_every_event_is_told_somewhere() -> None:
    names = {name_called(call) for call in called()}
    assert [] == [kind.__name__ for kind in event_kinds() if kind.__name__ not in names]


def test_an_error_of_the_same_name_is_no_event() -> None:
    source = "raise JournalFull()\nevents.JournalFull()"
    both = parse(f"from twilio_notifications.core.errors import JournalFull\n{source}")
    assert ["events.JournalFull()"] == [ast.unparse(call) for call in calls(both)]
    assert 2 == len(calls(parse(source)))


def test_every_defect_is_told_somewhere() -> None:
    told = {
        word.value.value
        for call in called()
        if name_called(call) == "Defect"
        for word in call.keywords
        if word.arg == "name" and isinstance(word.value, ast.Constant)
    }
    assert set(get_args(DefectName)) == told


def test_every_event_has_a_name_of_its_own_and_can_be_imported_from_the_room() -> None:
    defined = [
        node.name
        for module in modules()
        if module.name.startswith(ROOM)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef) and node.name not in {"Event", "Events", "Level"}
    ]
    assert sorted(kind.__name__ for kind in event_kinds()) == sorted(defined)
    assert len(defined) == len({name_of(kind) for kind in event_kinds()})


def test_no_line_of_the_log_can_hold_a_secret_or_a_message_text() -> None:
    """An event that holds more than may be written says which fields its line has."""
    lines = [kind for kind in event_kinds() if not isinstance(getattr_static(kind, "level"), property)]
    assert lines
    found = [
        f"{kind.__name__}.{field.name}: {field.type}"
        for kind in lines
        if "fields" not in vars(kind)
        for field in fields(kind)
        if field.type not in SPEAKABLE or field.name in UNSPEAKABLE
    ]
    assert [] == found
    assert {} == Defect(name="intake_failed", error=ValueError("a text")).fields()
