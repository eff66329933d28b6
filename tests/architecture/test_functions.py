"""What every function keeps to: it has a name that says what it does, and it is worth a name.

How long a function may be is checked in `test_sizes.py`.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.support.house import Module, listed, modules, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef


def words(text: str) -> list[str]:
    return text.split()


SMALL_LINES = 3
POSITIONAL = 5

IRREGULAR = frozenset(
    words("""
    begun bought brought built caught chosen done drawn forgotten found given gone heard held kept known left
    lost made met seen sent shown spent stood taken taught thrown told written
""")
)
NO_PARTICIPLES = frozenset(words("bed embed exceed feed indeed need proceed red seed speed succeed"))

STILL_SMALL: frozenset[str] = frozenset(
    {
        "adapters/log.py",
        "adapters/sqlite/aside.py",
        "adapters/sqlite/repair.py",
        "adapters/sqlite/writer.py",
        "core/policy/limits.py",
        "pipeline/dispatcher.py",
        "pipeline/intake.py",
        "pipeline/reporter.py",
        "pipeline/settler.py",
    }
)
"""Modules with small functions from before the rule. Take out what is corrected; put nothing in."""

STILL_PARTICIPLES: frozenset[str] = frozenset(
    {
        "adapters/metrics/counting.py",
        "adapters/sqlite/journal.py",
        "adapters/sqlite/operations.py",
        "adapters/sqlite/writer.py",
        "pipeline/dispatcher.py",
        "pipeline/intake.py",
        "pipeline/reporter.py",
    }
)
"""Modules with names from before the rule. Take out what is corrected; put nothing in."""


def functions(module: Module) -> Iterator[Function]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_private(function: Function) -> bool:
    return function.name.startswith("_") and not function.name.startswith("__")


def body(function: Function) -> list[ast.stmt]:
    """Without the docstring, which costs nothing."""
    return function.body[1:] if ast.get_docstring(function) is not None else function.body


def called(module: Module, function: Function) -> Counter[str]:
    """How often the function is `called` and how often it is `handed on` as a value, to be called elsewhere.

    A coroutine function is handed on too where its call is not awaited: another part of the program awaits
    it.
    """
    awaited = {id(node.value) for node in ast.walk(module.tree) if isinstance(node, ast.Await)}
    in_place = {
        id(node.func)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and (isinstance(function, ast.FunctionDef) or id(node) in awaited)
    }
    return Counter(
        "called" if id(node) in in_place else "handed on"
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Name) and node.id == function.name)
        or (isinstance(node, ast.Attribute) and node.attr == function.name)
    )


def small_helpers(module: Module) -> list[str]:
    """Private functions of up to three lines that one place calls: they are read where they are written."""
    names = Counter(function.name for function in functions(module))
    return [
        f"{module.name}:{function.lineno} {function.name}"
        for function in functions(module)
        if is_private(function)
        and not function.decorator_list
        and names[function.name] == 1
        and (lines := body(function))
        and (lines[-1].end_lineno or 0) - lines[0].lineno < SMALL_LINES
        and not any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))
        and called(module, function) == Counter(called=1)
    ]


def acting_participles(module: Module) -> list[str]:
    """Private functions that return nothing or wait, so do something, and have a participle as their name."""
    return [
        f"{module.name}:{function.lineno} {function.name}"
        for function in functions(module)
        if is_private(function) and is_participle(function.name) and acts(function)
    ]


def is_participle(name: str) -> bool:
    first = name.strip("_").partition("_")[0]
    return (re.search(r"[^e]ed$", first) is not None and first not in NO_PARTICIPLES) or first in IRREGULAR


def acts(function: Function) -> bool:
    returns_nothing = isinstance(function.returns, ast.Constant) and function.returns.value is None
    return isinstance(function, ast.AsyncFunctionDef) or returns_nothing


def with_many_positional(module: Module) -> list[str]:
    return [
        f"{module.name}:{function.lineno} {function.name}"
        for function in functions(module)
        if len([a for a in function.args.posonlyargs + function.args.args if a.arg not in {"self", "cls"}])
        > POSITIONAL
    ]


def test_a_small_helper_with_one_caller_is_written_where_it_is_called() -> None:
    found = [line for m in modules() if m.name not in STILL_SMALL for line in small_helpers(m)]
    assert [] == found, listed(found)


def test_a_private_function_that_acts_is_named_by_a_verb() -> None:
    found = [line for m in modules() if m.name not in STILL_PARTICIPLES for line in acting_participles(m)]
    assert [] == found, listed(found)


def test_functions_take_few_arguments_by_position() -> None:
    found = [line for module in modules() for line in with_many_positional(module)]
    assert [] == found, listed(found)


def test_what_is_corrected_is_no_longer_exempt() -> None:
    small = STILL_SMALL - {module.name for module in modules() if small_helpers(module)}
    assert set() == small, "take these out of STILL_SMALL"
    participles = STILL_PARTICIPLES - {module.name for module in modules() if acting_participles(module)}
    assert set() == participles, "take these out of STILL_PARTICIPLES"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def _twice(a):\n    return 2 * a\nb = _twice(1)", True),
        ("class C:\n    def _one(self): ...\n    def go(self): self._one()", True),
        ("async def _look(): ...\nasync def go(): await _look()", True),
        ("def _twice(a):\n    return 2 * a\nb = _twice(1) + _twice(2)", False),
        ("def _twice(a):\n    return 2 * a\nb = map(_twice, [])", False),
        ("def twice(a):\n    return 2 * a\nb = twice(1)", False),
        ("@lru_cache\ndef _twice(a):\n    return 2 * a\nb = _twice(1)", False),
        ("def _each(a):\n    yield from a\nb = _each([])", False),
        ("async def _look(): ...\nstart(_look())", False),
        ("def _long(a):\n    a += 1\n    a += 2\n    a += 3\n    return a\nb = _long(1)", False),
    ],
)
def test_small_helpers_are_found(source: str, *, found: bool) -> None:
    assert found == bool(small_helpers(parse(source)))


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("def _opened() -> None: ...", True),
        ("async def _read_and_kept() -> int: ...", False),
        ("async def _kept() -> int: ...", True),
        ("def _opened(a: str) -> str: ...", False),
        ("def opened() -> None: ...", False),
        ("def _proceed() -> None: ...", False),
    ],
)
def test_participles_that_act_are_found(source: str, *, found: bool) -> None:
    assert found == bool(acting_participles(parse(source)))


def test_arguments_by_position_are_counted_without_self() -> None:
    source = "class C:\n    def a(self, b, c, d, e, f): ...\n    def f(self, g, h, i, j, k, m): ...\n"
    assert ["core/sample.py:3 f"] == with_many_positional(parse(source))
