"""Where the journal is by default: in a folder of its own, or where an earlier version put it.

The earlier default was next to the configuration, so that the folder in which the connector must be able to
write held the configuration too. A journal that is still there is used, and no request in it is left behind;
two journals are a problem, because only a person can say which one counts.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from twilio_notifications.config.sections.journal import DEFAULT_PLACE, JournalPlace
from twilio_notifications.config.urls import DatabaseAddress

if TYPE_CHECKING:
    from pathlib import Path

EARLIER_PLACE = PurePath("journal.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """The path of the journal that is used, and why. `problem` and `warning` are sentences, or ""."""

    path: Path
    place: JournalPlace
    database: DatabaseAddress | None = None
    problem: str = ""
    warning: str = ""


def placed(url: Path | DatabaseAddress, *, folder: Path, is_written: bool) -> Placed:
    """The journal that is used where journal.url means `url`; `is_written` where a configuration names it.

    The default and the earlier default are below `folder`.
    """
    default, earlier = folder / DEFAULT_PLACE, folder / EARLIER_PLACE
    if isinstance(url, DatabaseAddress):
        return _in_database(url, default=default, earlier=earlier)
    path = url
    place = JournalPlace.DEFAULT if path == default else JournalPlace.NAMED
    log = earlier.with_name(f"{earlier.name}-wal")
    if _holds_something(log) and not earlier.exists():
        return Placed(path=path, place=place, problem=_left_behind(log, path))
    if path == earlier or not (_holds_something(earlier) or _holds_something(log)):
        return Placed(path=path, place=place)
    if is_written:
        return Placed(path=path, place=place, warning=_unused(earlier, path))
    if _holds_something(default):
        return Placed(path=path, place=place, problem=_two(earlier, path))
    return Placed(path=earlier, place=JournalPlace.EARLIER_DEFAULT, warning=_move(earlier, path))


def _in_database(address: DatabaseAddress, *, default: Path, earlier: Path) -> Placed:
    """A journal on PostgreSQL; with a warning where a file may hold requests of an earlier configuration."""
    left = [file for file in (default, earlier) if _holds_something(file)]
    return Placed(
        path=default,
        place=JournalPlace.DATABASE,
        database=address,
        warning=_unused(left[0], "a database") if left else "",
    )


def _holds_something(path: Path) -> bool:
    """True for a file with content, and for anything that is not a plain file."""
    try:
        found = path.stat()
    except OSError:
        return False
    return found.st_size > 0 or not stat.S_ISREG(found.st_mode)


def _two(earlier: Path, path: Path) -> str:
    return (
        f"there are two journals, {path} and {earlier}, where it lay by default before. Requests may wait in "
        "both. Look into each with: twilio-notifications journal list --only waiting, with journal.url "
        f"naming it. Then keep {path} and move the other one away, or name the other one in journal.url"
    )


def _unused(earlier: Path, named: Path | str) -> str:
    return (
        f"the journal {earlier}, where it lay by default before, is not used, because journal.url names "
        f"{named}. Requests may wait in it: look with twilio-notifications journal list --only waiting, with "
        "journal.url naming it; then move it away"
    )


def _left_behind(log: Path, path: Path) -> str:
    return (
        f"{log} belongs to a journal that was moved away without it, and may hold requests: move it next to "
        f"that journal, to {path}-wal, before the journal is opened; or move it away, if it is of no use"
    )


def _move(earlier: Path, path: Path) -> str:
    return (
        f"the journal {earlier} lies next to the configuration, where it was by default before, so that a "
        f"confined connector may change everything in {earlier.parent}. Stop the connector, then run: "
        f"mkdir -m 700 {path.parent} && mv {earlier}* {path.parent}"
    )
