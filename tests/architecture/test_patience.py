"""No test depends on how fast the machine is: the limits of waits stand in one place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHORT = 1.0
"""Below this, a limit is for what must not happen: it always passes, and a quick machine is not asked for."""
WAITS = {"wait_for": 1, "timeout": 0, "settimeout": 0, "join": 0}
"""Functions that wait, and the place of their limit among the arguments."""
LIMITS = {"timeout", "limit_seconds", "timeout_seconds"}
EXEMPT = {"npm.py", "prism.py", "test_prism.py"}
"""npm fetches packages there."""


def limits(call: ast.Call) -> Iterator[ast.expr]:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    place = WAITS.get(name)
    if place is not None and len(call.args) > place and not _is_a_marker(call):
        yield call.args[place]
    if name not in {"dict", "configuration"}:
        yield from (keyword.value for keyword in call.keywords if keyword.arg in LIMITS)


def _is_a_marker(call: ast.Call) -> bool:
    return ast.unparse(call.func).startswith("pytest.mark.")


def literal(limit: ast.expr) -> float | None:
    value = limit.value if isinstance(limit, ast.Constant) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=lambda path: path.name)
def test_a_wait_for_what_must_happen_has_the_one_generous_limit(path: Path) -> None:
    """`tests.support.patience.WAIT_SECONDS`; a limit of its own is one that some machine will not keep."""
    calls = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)]
    own = [
        f"line {call.lineno}: {ast.unparse(limit)}"
        for call in calls
        for limit in limits(call)
        if (seconds := literal(limit)) is not None and seconds >= SHORT
    ]
    assert [] == own or path.name in EXEMPT
