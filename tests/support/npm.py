"""Programs of npm that tests compare this one with: installed once, outside the repository, for this user."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

INSTALL_SECONDS = 300.0


def installed(package: str, version: str) -> Path:
    """The folder `node_modules` with this package.

    The first of several test processes installs it, the others wait for that one. Where npm cannot get the
    package, the test is skipped.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "twilio-notifications-tests"
    folder = cache / f"{package.rpartition('/')[2].removesuffix('-cli')}-{version}"
    folder.mkdir(parents=True, exist_ok=True)
    done = folder / "installed"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            _install(f"{package}@{version}", folder)
            done.touch()
    return folder / "node_modules"


def _install(package: str, folder: Path) -> None:
    command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), package]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=INSTALL_SECONDS, cwd=folder, check=False
    )
    if finished.returncode != 0:
        why = (finished.stderr.strip() or "no reason given").splitlines()[0]
        pytest.skip(f"npm could not install {package}: {why}")
