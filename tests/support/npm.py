"""Programs of npm that tests run: installed once, outside the repository, for this user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.programs import folder_of, install_once

if TYPE_CHECKING:
    from pathlib import Path


def installed(package: str, version: str) -> Path:
    """The folder `node_modules` with this package."""
    folder = folder_of(f"{package.rpartition('/')[2].removesuffix('-cli')}-{version}")
    install = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), f"{package}@{version}"]
    install_once(folder, [install])
    return folder / "node_modules"
