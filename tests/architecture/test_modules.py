"""What every module keeps to: it opens with its rule and prints nothing; in the core it is pure.

The rooms and who may import whom are checked in `test_imports.py`.
"""

from __future__ import annotations

import ast
import sys

import pytest

from tests.support.house import Module, listed, modules, parse

MAY_PRINT = ("terminal.py",)
"""The rooms that speak to people; everything else tells an Events."""

IMPURE_CALLS = frozenset({"breakpoint", "eval", "exec", "input", "open", "now", "utcnow", "today"})
"""What the core must not call although it needs no forbidden import for it."""

WAITING = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)


def breaches_of_purity(module: Module) -> list[str]:
    """Where a module of the core waits, looks at a clock or a file, or needs more than Python itself."""
    found = []
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in IMPURE_CALLS:
                found.append(f"{module.name}:{node.lineno} calls {name}")
            case ast.Import(names=names):
                found += [
                    f"{module.name}:{node.lineno} imports {n.name}" for n in names if not _is_plain(n.name)
                ]
            case ast.ImportFrom(module=str(name), level=0) if not _is_plain(name):
                found.append(f"{module.name}:{node.lineno} imports {name}")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                found.append(f"{module.name}:{node.lineno} waits")
            case _:
                pass
    return found


def _is_plain(name: str) -> bool:
    first = name.partition(".")[0]
    return first in sys.stdlib_module_names or first == "twilio_notifications"


def changeable_dataclasses(module: Module) -> list[str]:
    """Dataclasses that are not frozen and slotted."""
    return [
        f"{module.name}:{node.lineno} {node.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if "dataclass" in decorator and not ("frozen=True" in decorator and "slots=True" in decorator)
    ]


def open_dataclasses(module: Module) -> list[str]:
    """Dataclasses that take attributes which they do not declare."""
    return [
        f"{module.name}:{node.lineno} {node.name}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ClassDef)
        for decorator in map(ast.unparse, node.decorator_list)
        if "dataclass" in decorator and "slots=True" not in decorator
    ]


def prints(module: Module) -> list[str]:
    return [
        f"{module.name}:{node.lineno} prints"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and node.id == "print"
    ]


def core() -> list[Module]:
    return [module for module in modules() if module.name.startswith("core/")]


def test_every_module_opens_with_a_docstring() -> None:
    assert [] == [module.name for module in modules() if not ast.get_docstring(module.tree)]


def test_nothing_prints_but_the_command_line() -> None:
    found = [line for module in modules() if not module.name.startswith(MAY_PRINT) for line in prints(module)]
    assert [] == found, listed(found)


def test_the_core_is_pure() -> None:
    found = [breach for module in core() for breach in breaches_of_purity(module)]
    assert [] == found, listed(found)


def test_values_of_the_core_never_change() -> None:
    found = [name for module in core() for name in changeable_dataclasses(module)]
    assert [] == found, listed(found)


def test_every_dataclass_has_slots() -> None:
    found = [name for module in modules() for name in open_dataclasses(module)]
    assert [] == found, listed(found)


def test_there_is_something_to_check() -> None:
    """A moved folder must not turn these rules into silence."""
    assert {"core/model.py", "core/errors.py", "pipeline/__init__.py"} <= {
        module.name for module in modules()
    }


@pytest.mark.parametrize(
    "source",
    [
        "async def f(): ...",
        "def f(): return datetime.now(UTC)",
        "def f(path): return open(path)",
        "import msgspec",
        "from gmqtt.client import Client",
    ],
)
def test_an_impure_core_is_found_out(source: str) -> None:
    assert breaches_of_purity(parse(source))


def test_a_pure_core_may_use_python() -> None:
    source = (
        "import json\nfrom urllib.parse import urlsplit\nfrom twilio_notifications.core.model import Secret"
    )
    assert [] == breaches_of_purity(parse(source))


@pytest.mark.parametrize(
    "decorator", ["dataclass", "dataclass(frozen=True)", "dataclasses.dataclass(slots=True)"]
)
def test_a_dataclass_that_can_change_is_found(decorator: str) -> None:
    assert changeable_dataclasses(parse(f"@{decorator}\nclass C: ..."))


def test_a_print_is_found_even_when_it_is_handed_on() -> None:
    assert prints(parse("run(write=print)"))
