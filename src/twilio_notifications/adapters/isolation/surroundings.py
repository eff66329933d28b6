"""Where this process has its Python, its home and its environment: what the allowances are computed from.

It only looks; what is allowed is decided in `allowances`.
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


def _listed(folder: Path) -> frozenset[str] | None:
    try:
        return frozenset(path.name for path in folder.iterdir())
    except FileNotFoundError:
        return frozenset()
    except OSError:
        return None


STARTED_BY_A_NUCLEUS = "AWS_GG_NUCLEUS_DOMAIN_SOCKET_FILEPATH_FOR_COMPONENT"
"""A component starts in its work folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the allowances need to know of the machine. `resolve` follows the symbolic links of a path."""

    environ: Mapping[str, str]
    home: Path
    python: frozenset[Path]
    """Where the interpreter and its packages are."""
    certificates: frozenset[Path]
    """Where OpenSSL was built to look for certificates."""
    resolve: Callable[[Path], Path]
    own: frozenset[Path] = frozenset()
    """The files and folders that the configuration names."""
    listed: Callable[[Path], frozenset[str] | None] = _listed
    """The names in a folder; none where there is no such folder, None where it cannot be listed."""
    program: frozenset[Path] = frozenset()
    """What the interpreter executes or takes code from: who changes it decides what the next start does."""
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
    """In a container the user may be a number without an entry: then there is no home to protect."""
    try:
        return Path.home()
    except RuntimeError:
        return Path("/nonexistent")


def _python() -> Iterator[Path]:
    paths = sysconfig.get_paths()
    yield from (Path(paths[name]) for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    yield from (Path(prefix, name) for prefix in (sys.prefix, sys.base_prefix) for name in ("lib", "lib64"))
    yield from map(Path, site.getsitepackages())
    # An editable installation has its source elsewhere, and site-packages holds only the way there.
    yield Path(__file__).parents[2]
    yield from _import_path()


def _program() -> Iterator[Path]:
    """Also the working directory, where `python -m` looks first."""
    yield from _python()
    yield from (Path.cwd() / entry for entry in sys.path)
    yield from (Path(place) for place in (sys.prefix, sys.pycache_prefix) if place)
    yield from (Path(file).parent for file in (sys.executable, *sys.argv[:1]) if Path(file).is_absolute())


def _import_path() -> Iterator[Path]:
    """What PYTHONPATH and the like add, but not where the program happens to be started.

    `python -m` puts the working directory first, which may be anything.
    """
    here = Path.cwd()
    yield from (Path(entry) for entry in sys.path if entry and Path(entry) != here)


def _certificates() -> Iterator[Path]:
    paths = ssl.get_default_verify_paths()
    yield from (Path(path) for path in (paths.openssl_cafile, paths.openssl_capath) if path)
