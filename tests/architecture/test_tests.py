"""What every test keeps to: its name is a claim, it mocks nothing, and it waits for the thing itself."""

from __future__ import annotations

import ast
from functools import lru_cache
from typing import TYPE_CHECKING

import pytest

from tests.support.house import Module, listed, parse
from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

WORDS_OF_A_CLAIM = 3

SLEEPS_AT_RANDOM = frozenset(
    {
        "tests/reliability/people.py",
        "tests/reliability/several.py",
        "tests/reliability/soak.py",
        "tests/reliability/torture.py",
    }
)
"""The instants of kills, of stray messages and of what people do are drawn; the load of a soak is even."""


@lru_cache
def programs() -> tuple[Module, ...]:
    """Every module of the tests, named by its path in the repository."""
    paths = sorted((ROOT / "tests").rglob("*.py"))
    return tuple(parse(path.read_text("utf-8"), path.relative_to(ROOT).as_posix()) for path in paths)


def bare_names(module: Module) -> Iterator[str]:
    """Tests whose names are too short to claim anything."""
    for node in ast.walk(module.tree):
        if (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name.startswith("test_")
            and node.name.count("_") < WORDS_OF_A_CLAIM
        ):
            yield f"{module.name}:{node.lineno} {node.name}"


def late_expectations(module: Module) -> Iterator[str]:
    """Asserts of equality that have what is expected, a constant, on the right."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Assert(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[ast.Constant()])):
                if not isinstance(left, ast.Constant):
                    yield f"{module.name}:{node.lineno} {ast.unparse(node.test)}"
            case _:
                pass


def mocks(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and "mock" in ast.unparse(node):
            yield f"{module.name}:{node.lineno} {ast.unparse(node)}"


def sleeps(module: Module) -> Iterator[str]:
    """Sleeps outside of a `while` that looks again: what they wait for may take longer on another machine."""
    loops = [node for node in ast.walk(module.tree) if isinstance(node, ast.While)]
    in_loops = {id(inner) for loop in loops for inner in ast.walk(loop)}
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="sleep", value=ast.Name(id="asyncio" | "time")), args=[time]
            ):
                if ast.unparse(time) != "0" and id(node) not in in_loops:
                    yield f"{module.name}:{node.lineno} {ast.unparse(node)}"
            case _:
                pass


def test_the_name_of_a_test_is_a_claim() -> None:
    found = [line for module in programs() for line in bare_names(module)]
    assert [] == found, listed(found)


def test_asserts_read_expected_first() -> None:
    found = [line for module in programs() for line in late_expectations(module)]
    assert [] == found, listed(found)


def test_no_test_mocks() -> None:
    found = [line for module in programs() for line in mocks(module)]
    assert [] == found, listed(found)


def test_no_test_sleeps_in_place_of_a_condition() -> None:
    found = [line for m in programs() if m.name not in SLEEPS_AT_RANDOM for line in sleeps(m)]
    assert [] == found, listed(found)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("time.sleep(1)", True),
        ("await asyncio.sleep(0.1)", True),
        ("await asyncio.sleep(0)", False),
        ("while not done():\n    time.sleep(0.1)", False),
        ("for _ in range(9):\n    time.sleep(0.1)", True),
        ("clock.sleep(10)", False),
    ],
)
def test_sleeps_are_found(source: str, *, found: bool) -> None:
    assert found == bool(list(sleeps(parse(source))))


def test_short_names_late_expectations_and_mocks_are_found() -> None:
    module = parse("from unittest import mock\ndef test_it():\n    assert f() == 1\n    assert 1 == f()\n")
    assert ["core/sample.py:2 test_it"] == list(bare_names(module))
    assert ["core/sample.py:3 f() == 1"] == list(late_expectations(module))
    assert ["core/sample.py:1 from unittest import mock"] == list(mocks(module))
