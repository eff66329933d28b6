"""An index that offers higher builds of our package and its dependencies changes nothing that is installed.

The name of this package is free on the public index: its owner there could run anything on a device
that asks for it. So what is installed is named by its file or by its hash, never by its name alone.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import Distribution, distribution, version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.markdown import DOCS, blocks
from tests.support.device import ARCHIVE, BUILDER, Device, run
from tests.support.needs import ROOT
from tests.support.package_index import MARK, hostile_wheel, serving
from tests.support.patience import WAIT_SECONDS
from tests.support.wheels import needed_by, wheel_of
from twilio_notifications.component import NucleusKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.package_index import PackageIndex

NAMES = ("twilio-notifications", "pyreqwest", "awsiotsdk", "hatchling")
"""Ours and some that it needs, or that build it."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real ones, made from what is installed here, and `requirements.lock` that names their files."""
    folder = tmp_path_factory.mktemp("wheels")
    found = {each.name: each for each in (*needed_by("twilio-notifications[aws,greengrass]"), *builders())}
    with (folder / "requirements.lock").open("w", encoding="utf-8") as lock:
        for each in found.values():
            digest = hashlib.sha256(wheel_of(each, folder).read_bytes()).hexdigest()
            lock.write(f"{each.name}=={each.version} --hash=sha256:{digest}\n    # via {parent(each)}\n")
    return folder


def builders() -> Iterator[Distribution]:
    yield from needed_by("hatchling")
    yield distribution("hatchling")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    for name in NAMES:
        hostile_wheel(name, version(name), folder)
    return folder


def parent(found: Distribution) -> str:
    """What the lock says needs it, so that `locked.py` prints it for a device, or for a build."""
    building = {each.name for each in builders()}
    return "hatchling" if found.name in building else "boto3"


@pytest.fixture(scope="module")
def source(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone whose lock names the files of the index here."""
    clone = tmp_path_factory.mktemp("clone")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, clone)
    shutil.copytree(ROOT / "src", clone / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "deploy", clone / "deploy")
    shutil.copy(wheels / "requirements.lock", clone)
    return clone


def with_index(index: PackageIndex, home: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": index.url}


def hostile_files(folder: Path) -> list[Path]:
    return list(folder.rglob(MARK))


def device(root: Path, *options: str) -> Device:
    """With an archive that was built with these options, and that the nucleus leaves packed."""
    run(*BUILDER, "--nucleus", "lite", "--output", str(root), *options, cwd=ROOT)
    return Device(built=root, root=root / "device")


# The component.


def test_a_device_that_asks_an_index_installs_the_locked_files(
    wheels: Path, hostile: Path, tmp_path: Path
) -> None:
    found = device(tmp_path, "--lock", str(wheels / "requirements.lock"))
    with serving(wheels, hostile) as index:
        found.install(NucleusKind.LITE, PIP_INDEX_URL=index.url)
    assert [] == hostile_files(found.work)
    assert not [path for path in index.asked if "twilio" in path]
    assert run(str(found.work / "venv" / "bin" / "twilio-notifications"), "--version")


def test_a_device_installs_nothing_rather_than_what_is_not_locked(
    wheels: Path, hostile: Path, tmp_path: Path
) -> None:
    """From an index that has no hashes in its links, pip downloads the highest build and looks then."""
    found = device(tmp_path, "--lock", str(wheels / "requirements.lock"))
    with (
        serving(wheels, hostile, hashes=False) as index,
        pytest.raises(AssertionError, match="THESE PACKAGES DO NOT MATCH THE HASHES"),
    ):
        found.install(NucleusKind.LITE, PIP_INDEX_URL=index.url)
    assert [] == hostile_files(found.work)
    assert not (found.work / "venv").exists()


def test_an_archive_with_its_wheels_asks_no_index_and_looks_nowhere_else(
    wheels: Path, hostile: Path, tmp_path: Path
) -> None:
    """Not even in a folder of wheels that pip's own settings on the device name."""
    found = device(tmp_path, "--wheels", str(wheels))
    with serving(wheels, hostile) as index:
        found.install(
            NucleusKind.LITE,
            PIP_INDEX_URL=index.url,
            PIP_EXTRA_INDEX_URL=index.url,
            PIP_FIND_LINKS=str(hostile),
        )
    assert ([], []) == (hostile_files(found.work), index.asked)


# The build.


def test_a_vendored_archive_holds_the_locked_files(wheels: Path, hostile: Path, tmp_path: Path) -> None:
    lock = str(wheels / "requirements.lock")
    with serving(wheels, hostile) as index:
        environ = with_index(index, tmp_path)
        command = (*BUILDER, "--vendored", "--lock", lock, "--nucleus", "lite", "--output", str(tmp_path))
        run(*command, cwd=ROOT, env=environ)
    with zipfile.ZipFile(tmp_path / ARCHIVE) as archive:
        names = {Path(name).name for name in archive.namelist()}
        wheels_inside = {name for name in names if name.endswith(".whl")}
    real = {path.name for path in wheels.glob("*.whl")}
    (ours,) = wheels_inside - real
    assert f"twilio_notifications-{version(NAMES[0])}-py3-none-any.whl" == ours
    assert not [path for path in index.asked if "twilio" in path]


def test_a_wheel_of_our_name_in_a_folder_of_wheels_is_left_out(
    wheels: Path, hostile: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    shutil.copy(next(wheels.glob("pyreqwest-*")), folder)
    shutil.copy(next(hostile.glob("twilio*")), folder)
    device(tmp_path, "--wheels", str(folder))
    with zipfile.ZipFile(tmp_path / ARCHIVE) as archive:
        assert 1 == len([name for name in archive.namelist() if "twilio_notifications-" in name])
        assert "twilio" not in archive.read("requirements.lock").decode()


def test_two_versions_of_one_package_in_a_folder_of_wheels_are_a_problem(
    wheels: Path, tmp_path: Path
) -> None:
    """pip would take neither; two files of one version are for two kinds of device."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    shutil.copy(next(wheels.glob("six-*")), folder)
    hostile_wheel("six", "1.0", folder)
    command = (*BUILDER, "--wheels", str(folder), "--output", str(tmp_path / "out"))
    built = subprocess.run(command, capture_output=True, text=True, timeout=WAIT_SECONDS, check=False)
    assert 1 == built.returncode
    assert "there are several versions of six: leave one of each there" in built.stderr


# What the documents advise.


def readme() -> str:
    """The commands of the section on installing, those with a clone."""
    return _with_lock(ROOT / "README.md")


def service() -> str:
    """The same for a service, without the user and the folders that the page makes."""
    lines = _with_lock(DOCS / "how-to" / "run-as-a-service.md").replace("sudo ", "").splitlines()
    return "\n".join(line for line in lines if "locked" in line or "venv" in line or "pip" in line)


def security() -> str:
    return _with_lock(DOCS / "security.md").replace(" aws metrics", "")


def container() -> str:
    """What the Containerfile runs to build the image's environment."""
    text = (ROOT / "deploy" / "container" / "Containerfile").read_text(encoding="utf-8")
    stage = text.replace("\\\n", "").partition("AS build")[2].partition("\nFROM ")[0]
    return "\n".join(line.removeprefix("RUN ") for line in stage.splitlines() if line.startswith("RUN "))


def _with_lock(page: Path) -> str:
    return next(block.text for block in blocks(page, "sh") if "deploy/locked.py" in block.text)


@pytest.mark.parametrize("advised", [readme, service, security, container])
def test_what_is_advised_installs_the_locked_files(
    advised: Callable[[], str], source: Path, wheels: Path, hostile: Path, tmp_path: Path
) -> None:
    script = advised()
    for folder in ("/opt/twilio-notifications", "/builder", ".venv"):
        here = tmp_path / "env" / folder.lstrip("/")
        script = re.sub(rf"(?<![\w/]){re.escape(folder)}(?=[/ \n]|$)", str(here), script)
    (tmp_path / "env" / "opt").mkdir(parents=True)
    with serving(wheels, hostile) as index:
        run("sh", "-ec", script, cwd=source, env=with_index(index, tmp_path))
    assert [] == hostile_files(tmp_path)
    assert not [path for path in index.asked if "twilio" in path]
    (program,) = tmp_path.glob("env/**/bin/twilio-notifications")
    assert f"twilio-notifications {version(NAMES[0])}\n" == run(str(program), "--version")
