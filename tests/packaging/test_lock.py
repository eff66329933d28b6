"""The lock: an installation with it takes exactly the files that were reviewed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.needs import ROOT
from tests.support.wheels import needed_by

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK = ROOT / "requirements.lock"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")


def wanted() -> Iterator[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in project["dependencies"]:
        yield Requirement(requirement)
    for extra in project["optional-dependencies"].values():
        # An extra may name another one, by the name of the project.
        yield from (each for each in map(Requirement, extra) if each.name != project["name"])


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


def printed(*options: str) -> set[str]:
    """The names of the packages that `deploy/locked.py` prints."""
    command = [sys.executable, str(ROOT / "deploy" / "locked.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return {canonicalize_name(match[1]) for line in done.stdout.splitlines() if (match := PINNED.match(line))}


@pytest.mark.parametrize("extra", [None, "aws", "console", "demo", "greengrass", "metrics", "otel"])
def test_what_is_printed_for_an_extra_is_all_that_it_needs(extra: str | None) -> None:
    """As the packages themselves say it, which are installed here."""
    name = "twilio-notifications" if extra is None else f"twilio-notifications[{extra}]"
    needed = {canonicalize_name(each.name) for each in needed_by(name)}
    assert needed <= printed("--only", "run", *filter(None, [extra]))


def test_what_is_printed_is_not_the_whole_lock() -> None:
    """A device gets no broker for a demo, and an image no tool that built it."""
    assert not {"amqtt", "typer", "hatchling", "boto3"} & printed("--only", "run", "greengrass")
    assert {"hatchling", "pathspec"} <= printed("--only", "build") <= locked().keys()
    assert printed() == printed("--only", "build") | printed("--only", "run")


def test_an_extra_that_does_not_exist_is_said() -> None:
    command = [sys.executable, str(ROOT / "deploy" / "locked.py"), "greengras"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 2 == done.returncode
    assert "there is no extra greengras: choose from aws, console, demo, greengrass" in done.stderr


def test_a_lock_that_lacks_a_package_is_said(tmp_path: Path) -> None:
    (tmp_path / "lock").write_text("six==1.0 --hash=sha256:00\n")
    command = [sys.executable, str(ROOT / "deploy" / "locked.py"), "aws", "--lock", str(tmp_path / "lock")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    assert "does not have boto3, cryptography" in done.stderr


def test_every_package_has_a_hash() -> None:
    blocks = re.split(r"\n(?=[A-Za-z0-9])", LOCK.read_text("utf-8"))
    assert all("--hash=sha256:" in block for block in blocks if PINNED.match(block))


def test_no_download_address_is_locked() -> None:
    """Where packages come from is the installer's choice, not ours."""
    assert [] == re.findall(r"(?:https?|file)://\S+", LOCK.read_text("utf-8"))
