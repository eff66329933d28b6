"""The source distribution and the wheel: complete, valid for a package index, and they install and run."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata

from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from tests.support.wheels import needed_by, wheel_of
from twilio_notifications.completion.shells import Shell

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LINK = re.compile(r"\]\(([^)\s]+)\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Distributions:
    """What the build backend made."""

    source: Path
    wheel: Path

    @property
    def metadata(self) -> Metadata:
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            return Metadata.from_email(archive.read(name), validate=True)

    @property
    def files(self) -> set[str]:
        """The files of the source distribution, without the folder around them."""
        with tarfile.open(self.source) as archive:
            return {name.partition("/")[2] for name in archive.getnames()}


def build(project: Path, folder: Path, *targets: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-d", str(folder), *targets],
        cwd=project,
        check=True,
        capture_output=True,
        timeout=WAIT_SECONDS,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Distributions:
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    (source,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Distributions(source=source, wheel=wheel)


def test_the_metadata_is_valid_and_complete(built: Distributions) -> None:
    metadata = built.metadata
    assert (PROJECT["name"], PROJECT["version"]) == (metadata.name, str(metadata.version))
    assert PROJECT["urls"] == metadata.project_urls
    assert {"Homepage", "Documentation", "Changelog", "Source", "Issues"} <= PROJECT["urls"].keys()
    assert "Apache-2.0" == metadata.license_expression
    assert set(PROJECT["optional-dependencies"]) == set(metadata.provides_extra or ())
    assert "text/markdown" == metadata.description_content_type


def test_no_link_of_the_description_is_relative(built: Distributions) -> None:
    links = LINK.findall(built.metadata.description or "")
    assert len(links) > 10
    assert [] == [link for link in links if not link.startswith(("https://", "#"))]
    ours = [link.removeprefix(f"{PROJECT['urls']['Source']}/blob/main/") for link in links]
    files = [link.partition("#")[0] for link in ours if not link.startswith(("https://", "#"))]
    assert [] == [file for file in files if not (ROOT / file).exists()]


def test_the_source_has_what_builds_and_tests_it(built: Distributions) -> None:
    needed = {"pyproject.toml", "LICENSE", "README.md", "requirements.lock", "Makefile", "deploy/locked.py"}
    assert needed <= built.files
    assert any(name.startswith("tests/acceptance/") for name in built.files)


def test_no_environment_and_no_journal_is_in_the_source(built: Distributions) -> None:
    unwanted = re.compile(r"(^|/)(\.venv|__pycache__|\.git)(/|$)|\.(db|pyc)$")
    assert [] == [name for name in built.files if unwanted.search(name)]


def test_the_source_builds_the_same_wheel(built: Distributions, tmp_path: Path) -> None:
    with tarfile.open(built.source) as archive:
        archive.extractall(tmp_path, filter="data")
    (project,) = tmp_path.iterdir()
    build(project, tmp_path / "again", "-t", "wheel")
    assert built.wheel.read_bytes() == (tmp_path / "again" / built.wheel.name).read_bytes()


def test_the_wheel_installs_and_runs(built: Distributions, tmp_path: Path) -> None:
    """Into an environment of its own, from wheels alone."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for found in needed_by("twilio-notifications"):
        wheel_of(found, wheels)
    place = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, timeout=WAIT_SECONDS)
    options = ["--no-index", "--find-links", str(wheels), "--disable-pip-version-check", "--quiet"]
    install = [str(place / "bin" / "python"), "-m", "pip", "install", *options, str(built.wheel)]
    subprocess.run(install, check=True, timeout=WAIT_SECONDS)

    def said(*arguments: str) -> str:
        command = [str(place / "bin" / "twilio-notifications"), *arguments]
        ended = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=WAIT_SECONDS
        )
        return ended.stdout

    assert f"twilio-notifications {version('twilio-notifications')}\n" == said("--version")
    assert all(said("completion", shell) for shell in Shell)
    assert (place / "share" / "man" / "man1" / "twilio-notifications.1").is_file()
