"""Programs of others that tests run: installed once for this user, each in a folder outside the repository.

The first of several test processes installs one, the others wait for that one.
Where its packages cannot be had, the test is skipped, and fails where `CI` is set.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.needs import may_not_skip

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL_SECONDS = 900.0


def python_environment(package: str, version: str, *others: str) -> Path:
    """The folder `bin` of an environment with this package of Python's, and others that it needs."""
    folder = folder_of(f"{package}-{version}")
    create = [sys.executable, "-m", "venv", str(folder / "env")]
    pip = [str(folder / "env" / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check"]
    install_once(folder, [create, [*pip, f"{package}=={version}", *others]])
    return folder / "env" / "bin"


def folder_of(name: str) -> Path:
    """The folder of a program, which may be empty still."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twilio-notifications-tests"
    (cache / name).mkdir(parents=True, exist_ok=True)
    return cache / name


def install_once(folder: Path, commands: Sequence[Sequence[str]]) -> None:
    """Runs the commands, unless they have succeeded in this folder before."""
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            for command in commands:
                _run(command, folder)
            done.touch()


def _run(command: Sequence[str], folder: Path) -> None:
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, cwd=folder, check=False
    )
    if finished.returncode != 0:
        why = (finished.stderr.strip() or "no reason given").splitlines()[-1]
        reason = f"{folder.name} could not be installed: {why}"
        if may_not_skip(os.environ):
            pytest.fail(reason)
        pytest.skip(reason)
