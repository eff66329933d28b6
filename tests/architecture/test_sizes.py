"""Nothing grows so large that it must be scrolled: the size of functions and modules.

The limits are those that admired projects of this kind keep; see CONTRIBUTING.md.
"""

from __future__ import annotations

import ast
from math import ceil
from statistics import median

import pytest

from tests.support.house import Module, modules, parse

MODULE_LINES = 400
FUNCTION_LINES = 60
FUNCTION_LINES_OF_NINE_IN_TEN = 30
FUNCTION_LINES_OF_HALF = 9


def sizes(module: Module) -> dict[str, int]:
    """The lines of each function's body, its docstring left out: explaining must cost nothing."""
    found = {}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            lines = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
            found[f"{module.name}:{node.lineno} {node.name}"] = lines
    return found


@pytest.fixture(scope="module")
def functions() -> dict[str, int]:
    return {name: lines for module in modules() for name, lines in sizes(module).items()}


def test_no_module_is_too_long() -> None:
    assert {} == {module.name: module.lines for module in modules() if module.lines > MODULE_LINES}


def test_no_function_is_too_long(functions: dict[str, int]) -> None:
    assert {} == {name: lines for name, lines in functions.items() if lines > FUNCTION_LINES}


def test_nine_functions_in_ten_fit_on_half_a_screen(functions: dict[str, int]) -> None:
    in_order = sorted(functions.values())
    at_ninety = in_order[ceil(len(in_order) * 0.9) - 1]
    longest = sorted(functions, key=functions.__getitem__, reverse=True)[: len(functions) // 10]
    assert at_ninety <= FUNCTION_LINES_OF_NINE_IN_TEN, f"shorten some of: {longest}"


def test_half_of_the_functions_take_one_glance(functions: dict[str, int]) -> None:
    assert median(functions.values()) <= FUNCTION_LINES_OF_HALF


def test_a_function_is_measured_without_its_docstring() -> None:
    sample = 'def f():\n    """One.\n\n    Two.\n    """\n    a = 1\n\n    return a\n'
    sample += "class C:\n    async def g(self): ...\n"
    assert {"core/sample.py:1 f": 3, "core/sample.py:10 g": 1} == sizes(parse(sample))
