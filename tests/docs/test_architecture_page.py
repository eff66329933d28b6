"""ARCHITECTURE.md names only what is there: functions, files, rooms, crash points, limits."""

from __future__ import annotations

import ast
import re

import pytest

from tests.docs.markdown import codes, rows
from tests.support.crash_points import CrashPoint
from tests.support.house import SOURCE, event_kinds, modules
from tests.support.needs import ROOT
from twilio_notifications.adapters.journal.writing_limits import BATCH_LIMIT
from twilio_notifications.ports.events import name_of

PAGE = ROOT / "ARCHITECTURE.md"
TEXT = PAGE.read_text(encoding="utf-8")
PATH = [(codes(row[1])[0], codes(row[2])[0]) for row in rows(PAGE, header="step")]


def definitions(name: str) -> set[str]:
    """The functions of a module, and the methods of its classes with their class."""
    (module,) = (module for module in modules() if module.name == name)
    found = set()
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.ClassDef):
            found |= {
                f"{node.name}.{member.name}"
                for member in node.body
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef)
            }
    return found


@pytest.mark.parametrize(("file", "function"), PATH)
def test_a_step_of_the_path_is_a_function_of_its_file(file: str, function: str) -> None:
    assert function in definitions(file)


def test_the_path_has_steps() -> None:
    assert len(PATH) > 20


def test_every_crash_point_has_its_row_in_the_order_of_the_line() -> None:
    kinds = {name_of(kind): kind.__name__ for kind in event_kinds()}
    named = [codes(row[0])[0] for row in rows(PAGE, header="last event")]
    assert [kinds[point] for point in CrashPoint] == named


def test_every_room_has_its_row() -> None:
    expected = {
        path.name + ("/" if path.is_dir() else "")
        for path in SOURCE.iterdir()
        if path.is_dir() or path.suffix == ".py"
    }
    named = {name for row in rows(PAGE, header="room") for name in codes(row[0])}
    assert expected - {"__init__.py", "__pycache__/"} == named


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.(?:py|toml))`", TEXT))
    assert [] == sorted(
        name for name in named if not (SOURCE / name).is_file() and not (ROOT / name).is_file()
    )


def test_the_size_of_a_group_is_the_writers() -> None:
    assert f"up to {BATCH_LIMIT} operations" in TEXT
