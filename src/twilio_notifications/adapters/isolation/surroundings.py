"""Finds out where Python, the home and the environment of this process are, for computing the allowances.

This module only looks; `allowances` decides what the process may reach.
"""

from __future__ import annotations

import site
import ssl
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


def _list_names(folder: Path) -> frozenset[str] | None:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return frozenset()
    except OSError:
        return None


STARTED_BY_A_NUCLEUS = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
"""The nucleus sets this variable, and starts a component in its work folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """The facts about the machine that the allowances need.

    `resolve` follows the symbolic links of a path.
    """

    environ: Mapping[str, str]
    home: Path
    python: frozenset[Path]
    """The folders of the interpreter and its packages."""
    certificates: frozenset[Path]
    """The places where this build of OpenSSL looks for certificates."""
    resolve: Callable[[Path], Path]
    own: frozenset[Path] = frozenset()
    """The files and folders that the configuration names."""
    list_names: Callable[[Path], frozenset[str] | None] = _list_names
    """Returns the names in a folder: an empty set where it does not exist, None where it cannot be listed."""
    program: frozenset[Path] = frozenset()
    """The files and folders with code that the interpreter runs: a change there changes what the next
    start does."""
    work: Path | None = None
    """The folder that a Greengrass nucleus gives to this component alone; None: no nucleus started it."""

    @classmethod
    def here(cls, environ: Mapping[str, str]) -> Surroundings:
        return cls(
            environ=environ,
            home=_home(),
            python=frozenset(_python()),
            program=frozenset(_program()),
            certificates=frozenset(_certificates()),
            resolve=Path.resolve,
            work=Path.cwd() if STARTED_BY_A_NUCLEUS in environ else None,
        )


def _home() -> Path:
    """The user's home. In a container the user may have no entry, and then there is no home to protect."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def _python() -> Iterator[Path]:
    paths = sysconfig.get_paths()
    yield from (Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (Path(prefix, name) for prefix in (sys.prefix, sys.base_prefix) for name in ("lib", "lib64"))
    yield from map(Path, site.getsitepackages())
    # An editable installation has its source elsewhere; site-packages holds only the path to it.
    yield Path(__file__).parents[2]
    yield from _import_path()


def _program() -> Iterator[Path]:
    """The places of code, with the working directory, where `python -m` looks first."""
    yield from _python()
    yield from (Path.cwd() / entry for entry in sys.path)
    yield from (Path(place) for place in (sys.prefix, sys.pycache_prefix) if place)
    yield from (Path(file).parent for file in (sys.executable, *sys.argv[:1]) if Path(file).is_absolute())


def _import_path() -> Iterator[Path]:
    """The folders that PYTHONPATH and similar settings add to the import path.

    The working directory is left out: `python -m` puts it first, and it may be any folder.
    """
    here = Path.cwd()
    yield from (Path(entry) for entry in sys.path if entry and Path(entry) != here)


def _certificates() -> Iterator[Path]:
    paths = ssl.get_default_verify_paths()
    yield from (Path(path) for path in (paths.openssl_cafile, paths.openssl_capath) if path)
