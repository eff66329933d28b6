"""What stands in a room, beyond who may import it: each file is what its room is for."""

from __future__ import annotations

import argparse
import ast

import pytest

from tests.support.house import SOURCE, Module, listed, modules, parse
from twilio_notifications.cli import parser

RE_EXPORTING = ("bootstrap/__init__.py", "core/parameters/__init__.py")
"""Packages whose entrance has no code of its own, so that a reader finds it in a file with a name."""


def code_of_its_own(module: Module) -> list[str]:
    """The statements that are neither the docstring, nor an import, nor `__all__`."""
    found = []
    for node in module.tree.body:
        match node:
            case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
                pass
            case ast.Assign(targets=[ast.Name(id="__all__")]):
                pass
            case _:
                found.append(f"{module.name}:{node.lineno} is more than a re-export")
    return found


@pytest.mark.parametrize("name", RE_EXPORTING)
def test_the_entrance_of_a_room_re_exports_and_does_nothing_else(name: str) -> None:
    (module,) = (module for module in modules() if module.name == name)
    found = code_of_its_own(module)
    assert [] == found, listed(found)


@pytest.mark.parametrize("source", ["def f(): ...", "class C: ...", "LIMIT = 3", "if True: ..."])
def test_code_of_its_own_is_found(source: str) -> None:
    assert code_of_its_own(parse(f"from x import y\n__all__ = ['y']\n{source}"))


OF_SEVERAL_COMMANDS = frozenset({"kinds", "options", "root"})
"""The files of `cli/` that hold the arguments of no single command."""


def commands() -> set[str]:
    """The commands of the command line."""
    (choices,) = (
        action.choices for action in parser()._actions if isinstance(action, argparse._SubParsersAction)
    )
    return set(choices)


def stems(room: str) -> set[str]:
    return {path.stem for path in (SOURCE / room).iterdir() if path.suffix == ".py"} - {"__init__"}


PARTS = frozenset({"journal_orders", "journal_reading"})
"""Parts of a command that is too large for one file, each named after it."""


def test_the_room_of_the_commands_has_one_module_for_each_command_and_nothing_else() -> None:
    assert commands() == stems("commands") - PARTS
    assert [] == [path.name for path in (SOURCE / "commands").glob("*/*.py")]


def test_each_command_has_one_file_for_its_arguments() -> None:
    assert commands() == stems("cli") - OF_SEVERAL_COMMANDS - PARTS
    assert stems("cli") >= OF_SEVERAL_COMMANDS | PARTS
    assert {part.partition("_")[0] for part in PARTS} <= commands()
