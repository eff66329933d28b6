"""Prints the part of requirements.lock that an installation needs, with its hashes.

    python deploy/locked.py                  # what the connector itself needs, and what builds it
    python deploy/locked.py aws greengrass   # with these extras of pyproject.toml
    python deploy/locked.py --only run       # without what builds it; --only build is the rest

Read by `pip install --require-hashes --requirement`: pip then takes no other version and no other file,
whatever the index offers. It needs nothing but Python, and reads only the two files in the folder above it.
"""  # noqa: INP001 - a program of its own

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

ROOT = Path(__file__).resolve().parents[1]
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PARENT = re.compile(r"#\s+(?:via\s+)?([A-Za-z0-9][A-Za-z0-9._-]*)\s*$", re.MULTILINE)
"""A package that needs this one: `# via NAME`, or one of several on lines of their own below `# via`."""


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="locked.py", description="Prints the part of requirements.lock that an installation needs."
    )
    parser.add_argument("extras", metavar="EXTRA", nargs="*", help="an extra of pyproject.toml")
    parser.add_argument("--only", choices=("run", "build"), help="what runs it, or what builds it")
    parser.add_argument(
        "--lock", type=Path, metavar="FILE", default=ROOT / "requirements.lock", help="another lock"
    )
    options = parser.parse_args(arguments)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    if unknown := [name for name in options.extras if name not in extras]:
        parser.error(f"there is no extra {', '.join(unknown)}: choose from {', '.join(sorted(extras))}")
    roots = set(_wanted(project, options.extras, only=options.only))
    lock = options.lock.read_text(encoding="utf-8")
    if missing := roots - {_name(entry) for entry in _entries(lock)}:
        sys.exit(f"locked.py: {options.lock} does not have {', '.join(sorted(missing))}: run make lock")
    sys.stdout.write(needed(lock, roots))
    return 0


def _wanted(project: dict[str, Any], extras: Iterable[str], *, only: str | None) -> Iterator[str]:
    """The names of the packages that pyproject.toml itself asks for."""
    requirements: list[str] = []
    if only != "build":
        requirements += project["project"]["dependencies"]
        requirements += _of_extras(project["project"], list(extras))
    if only != "run":
        requirements += project["build-system"]["requires"]
    for requirement in requirements:
        yield _name(requirement)


def _of_extras(project: dict[str, Any], extras: list[str]) -> Iterator[str]:
    """The requirements of these extras and of the extras that they name, as in `NAME[OTHER]`."""
    for extra in extras:
        for requirement in project["optional-dependencies"][extra]:
            if _name(requirement) == _canonical(project["name"]):
                yield from _of_extras(project, re.findall(r"[\w-]+", requirement.partition("[")[2]))
            else:
                yield requirement


def needed(lock: str, roots: Collection[str]) -> str:
    """The entries of `lock` for these packages and for all that they need, as they stand there.

    uv writes below each package which others need it, whatever the extra: an entry too many is possible, one
    too few is not.
    """
    entries = list(_entries(lock))
    found = set(roots)
    while True:
        more = {_name(entry) for entry in entries if found & _parents(entry)} - found
        if not more:
            return "".join(entry for entry in entries if _name(entry) in found)
        found |= more


def _entries(lock: str) -> Iterator[str]:
    """Each package with its hashes and the comment below them."""
    for entry in re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE):
        if _NAME.match(entry):
            yield entry


def _parents(entry: str) -> set[str]:
    return {_canonical(parent) for parent in _PARENT.findall(entry)}


def _name(requirement: str) -> str:
    match = _NAME.match(requirement)
    assert match is not None, requirement
    return _canonical(match[0])


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
