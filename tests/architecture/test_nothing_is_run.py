"""No code of the package starts a program, evaluates a text or revives an object: nothing can be injected.

SQL is held to constants in one module, and takes values as parameters only.
"""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.house import Module, listed, modules, parse

MODULES = frozenset(
    {"code", "codeop", "marshal", "multiprocessing", "pickle", "pty", "runpy", "shelve", "subprocess"}
)
CALLS = frozenset({"__import__", "compile", "eval", "exec"})
OF_OS = ("exec", "fork", "popen", "posix_spawn", "spawn", "startfile", "system")
RUNS_SQL = frozenset({"execute", "executemany", "executescript"})
FORKS = "adapters/greengrass/apart.py os.fork"
"""Itself, once, to be rid of the threads of a library before it is confined: no other program."""
MIGRATIONS = "adapters/sqlite/opening.py"
"""Runs the scripts that ship with the package, which take no values."""


def breaches(module: Module) -> list[str]:
    return [
        f"{module.name}:{getattr(node, 'lineno', 0)} {word}"
        for node in ast.walk(module.tree)
        for word in _words(node)
    ]


def _words(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [each.name for each in names if each.name.split(".")[0] in MODULES]
        case ast.ImportFrom(module=str(name)) if name.split(".")[0] in MODULES:
            return [name]
        case ast.Call(func=ast.Name(id=name)) if name in CALLS:
            return [name]
        case ast.Attribute(value=ast.Name(id="os"), attr=name) if name.startswith(OF_OS):
            return [f"os.{name}"]
        case ast.Call(func=ast.Attribute(attr=name), args=[ast.JoinedStr() | ast.BinOp(), *_]) if (
            name in RUNS_SQL
        ):
            return [f"{name} of a text that is put together"]
        case _:
            return []


def test_the_package_runs_nothing() -> None:
    ours = [module for module in modules() if module.name != MIGRATIONS]
    found = [breach for module in ours for breach in breaches(module)]
    assert [FORKS] == [re.sub(r":\d+", "", breach) for breach in found], listed(found)


@pytest.mark.parametrize(
    "source",
    [
        "import subprocess",
        "from pickle import loads",
        "eval(x)",
        "os.system(x)",
        "os.execv(x)",
        "db.execute(f'DELETE {x}')",
        "db.execute('DELETE ' + x)",
        "db.execute('DELETE %s' % x)",
    ],
)
def test_a_breach_is_found(source: str) -> None:
    assert 1 == len(breaches(parse(source)))


@pytest.mark.parametrize(
    "source", ["import json", "re.compile(x)", "os.getpid()", "db.execute(DELETE, (x,))"]
)
def test_what_is_harmless_is_not(source: str) -> None:
    assert [] == breaches(parse(source))
