"""The repository as the architecture tests see it: its modules, parsed, and its texts.

Reads files, never imports or runs the package, so that a module with effects at import is found out, not run.
"""

from __future__ import annotations

import ast
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.support.needs import ROOT
from twilio_notifications.ports import Event, events

SOURCE = ROOT / "src" / "twilio_notifications"
TEXT_SUFFIXES = frozenset(
    {".cfg", ".ini", ".json", ".md", ".py", ".service", ".sh", ".sql", ".toml", ".txt", ".yaml", ".yml"}
)
TEXT_NAMES = frozenset(
    {
        ".importlinter",
        ".gitignore",
        "Containerfile",
        "Dockerfile",
        "Makefile",
        "bare",
        "packages",
        "run",
        "control",
        "postinst",
        "prerm",
        "postrm",
        "lintian-overrides",
        "copyright",
        "default",
    }
)
NOT_OURS = frozenset({"__pycache__", "build", "dist", "node_modules", ".git", ".hypothesis", ".venv"})
NOT_OURS_SUFFIXES = ("_cache", ".egg-info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of the package. `name` is its path below the package, as in `core/model.py`."""

    name: str
    tree: ast.Module
    lines: int


def parse(source: str, name: str = "core/sample.py") -> Module:
    return Module(name=name, tree=ast.parse(source, filename=name), lines=len(source.splitlines()))


@lru_cache
def modules() -> tuple[Module, ...]:
    """Every module of the package."""
    paths = sorted(SOURCE.rglob("*.py"))
    return tuple(parse(path.read_text(), path.relative_to(SOURCE).as_posix()) for path in paths)


def event_kinds() -> tuple[type[Event], ...]:
    """Every event of the program."""
    named = [getattr(events, name) for name in events.__all__]
    kinds = [kind for kind in named if isinstance(kind, type) and issubclass(kind, Event)]
    return tuple(kind for kind in kinds if kind is not Event)


def listed(found: list[str]) -> str:
    """What an assertion says about breaches of a rule: each on a line of its own."""
    return "\n".join(["", *found])


@lru_cache
def texts() -> tuple[Path, ...]:
    """Every file of the repository that people read or write: code, documents, configuration."""
    found = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = [
            name for name in folders if name not in NOT_OURS and not name.endswith(NOT_OURS_SUFFIXES)
        ]
        found += [
            Path(folder, name) for name in names if name in TEXT_NAMES or Path(name).suffix in TEXT_SUFFIXES
        ]
    return tuple(sorted(found))
