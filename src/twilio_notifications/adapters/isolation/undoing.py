"""What would undo the isolation: a folder that the confined process may change, and that holds what counts.

A process that can rewrite its configuration, its secrets or its own program is confined until its next start.
Pure but for following symbolic links.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from twilio_notifications.adapters.isolation.confinement import Confinement
    from twilio_notifications.adapters.isolation.surroundings import Surroundings


@dataclass(frozen=True, slots=True, kw_only=True)
class Guarded:
    """A file or folder that the confined process must not be able to change, and what it is, for people."""

    path: Path
    what: str


def program(surroundings: Surroundings) -> Iterator[Guarded]:
    """What code is taken from."""
    yield from (Guarded(path=path, what="a part of the program") for path in surroundings.program)


def undoings(allowed: Confinement, guarded: Iterable[Guarded], surroundings: Surroundings) -> Iterator[str]:
    """One sentence for each folder and each kind of thing in it; none where all is well."""
    found: dict[tuple[Path, str], Path] = {}
    for each in guarded:
        for folder in allowed.writable:
            if _holds(folder, each.path, surroundings):
                found.setdefault((folder, each.what), each.path)
    for (folder, what), path in sorted(found.items()):
        yield (
            f"a confined connector may change everything in {folder}, where it keeps its journal or its copy "
            f"of the secret, and {path}, {what}, is in there: give the journal a folder of its own, as with "
            'journal.url = "sqlite:///journal/journal.db", and move what is in the old place while the '
            "connector is stopped (docs/how-to/isolation.md)"
        )


def _holds(folder: Path, path: Path, surroundings: Surroundings) -> bool:
    """Also by a link: what counts is where the file is, and where its name is."""
    place = surroundings.resolve(folder)
    named = surroundings.resolve(path.parent) / path.name
    return named.is_relative_to(place) or surroundings.resolve(path).is_relative_to(place)
