"""Finds what would undo the isolation: files that matter, in a folder that the confined process may change.

A process that can rewrite its configuration, its secrets or its own program is confined only until its next
start. Pure, apart from following symbolic links.
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
    """A file or folder that the confined process must not change; `what` says to people what it is."""

    path: Path
    what: str


def program(surroundings: Surroundings) -> Iterator[Guarded]:
    """The files and folders from which Python takes code."""
    yield from (Guarded(path=path, what="a part of the program") for path in surroundings.program)


def undoings(allowed: Confinement, guarded: Iterable[Guarded], surroundings: Surroundings) -> Iterator[str]:
    """One sentence for each folder and each kind of guarded file in it.

    No sentence where the isolation holds.
    """
    found: dict[tuple[Path, str], Path] = {}
    for each in guarded:
        # A link can put the file and its name into two folders.
        places = (surroundings.resolve(each.path.parent) / each.path.name, surroundings.resolve(each.path))
        for folder in allowed.writable:
            real = surroundings.resolve(folder)
            if any(place.is_relative_to(real) for place in places):
                found.setdefault((folder, each.what), each.path)
    for (folder, what), path in sorted(found.items()):
        yield (
            f"a confined connector may change everything in {folder}, because its journal or its copy of the "
            f"secret is there, but {path}, {what}, is there too: give the journal a folder of its own, as "
            'with journal.url = "sqlite:///journal/journal.db", and move the old files while the connector '
            "is stopped (docs/how-to/isolation.md)"
        )
