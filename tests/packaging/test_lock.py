"""The lock: what is installed with it is what was looked at."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.needs import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCK = ROOT / "requirements.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def wanted() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in project["dependencies"]:
        yield Requirement(requirement)
    for extra in project["optional-dependencies"].values():
        yield from map(Requirement, extra)


def locked() -> dict[str, list[str]]:
    """Package → versions; there may be one for each kind of machine."""
    versions: dict[str, list[str]] = {}
    for line in LOCK.read_text("utf-8").splitlines():
        if match := PINNED.match(line):
            versions.setdefault(canonicalize_name(match[1]), []).append(match[2])
    return versions


@pytest.mark.parametrize("requirement", list(wanted()), ids=str)
def test_the_lock_satisfies_what_the_project_asks_for(requirement: Requirement) -> None:
    versions = locked().get(canonicalize_name(requirement.name), [])
    assert versions, f"{requirement.name} is not locked. Run: make lock"
    assert all(requirement.specifier.contains(version) for version in versions)


def test_every_package_has_a_hash() -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text("utf-8"))
    assert all("--hash=sha256:" in block for block in blocks if PINNED.match(block))


def test_no_download_address_is_locked() -> None:
    """Where packages come from is the installer's choice, not ours."""
    assert [] == re.findall(r"(?:https?|file)://\S+", LOCK.read_text("utf-8"))
