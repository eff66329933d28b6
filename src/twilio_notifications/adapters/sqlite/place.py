"""Where the journal's files lie: who owns them, who may read them, and whether they are still there.

Nothing here opens the database. What is wrong with a place is raised as a JournalError that says what to do.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.room import FilesMoved
from twilio_notifications.core.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPANIONS: Final = ("-wal", "-shm", ".lock", ".reserve")
"""What stands next to the journal under its name."""

PRIVATE: Final = 0o600


class Place:
    """Which files are open, to be compared with what the path names; cheap enough for each commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._names = (str(path), f"{path}-wal")
        self._open = tuple(map(_identity, self._names))

    def check(self) -> None:
        """Raises FilesMoved where a file was deleted, moved or replaced."""
        for name, known in zip(self._names, self._open, strict=True):
            if known is not None and _identity(name) != known:
                raise FilesMoved(
                    f"{name} was deleted, moved or replaced while the connector runs. Nothing more is "
                    "acknowledged. Put the same file back, or start the connector again with a new journal"
                )


def _identity(name: str) -> tuple[int, int] | None:
    try:
        found = os.stat(name)  # noqa: PTH116 - a fifth of the time of Path.stat, at each commit
    except OSError:
        return None
    return found.st_dev, found.st_ino


def real(path: Path) -> Path:
    """Where SQLite puts what belongs to the journal: next to the file that a link leads to."""
    return Path(os.path.realpath(path))


def require_readable(path: Path) -> None:
    """Raises a JournalError where this user may not read the file."""
    if not os.access(path, os.R_OK):
        raise JournalError(_out_of_reach(path, PermissionError(errno.EACCES, os.strerror(errno.EACCES))))


def look(path: Path) -> os.stat_result | None:
    """What the path names, or None; raises a JournalError for a place that cannot be looked at."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise JournalError(_out_of_reach(path, error)) from error
    if stat.S_ISDIR(found.st_mode):
        raise JournalError(
            f"the journal {path} is a folder. Name a file in it: [journal] url = "
            f'"sqlite:///{path}/journal.db"'
        )
    if not stat.S_ISREG(found.st_mode):
        raise JournalError(f"the journal {path} is no regular file. Name another one ([journal] url).")
    return found


def require_folder(path: Path) -> None:
    """Raises a JournalError where the folder of the journal is not there or may not be entered."""
    folder = path.parent
    try:
        found = folder.stat()
    except FileNotFoundError:
        raise JournalError(f"the folder of the journal {path} does not exist. Create {folder}.") from None
    except OSError as error:
        raise JournalError(_out_of_reach(path, error)) from error
    if not stat.S_ISDIR(found.st_mode):
        raise JournalError(f"the journal's folder {folder} is no folder. Name another one ([journal] url).")
    look(path)


def require_whole(path: Path) -> None:
    """Raises a JournalError for a write-ahead log that has lost its database: SQLite would delete it."""
    found = look(path)
    log = look(real(path).with_name(real(path).name + "-wal"))
    if log is None or not log.st_size or (found is not None and found.st_size):
        return
    state = "missing" if found is None else "empty"
    raise JournalError(
        f"the journal {path} is {state}, but its write-ahead log {path}-wal "
        "holds requests: the file was deleted, moved or replaced. Nothing was changed. Put the journal back "
        "next to its log; or, to give up what they hold, move the log away too."
    )


def make_private(path: Path) -> Iterator[str]:
    """Takes the rights of others from the journal's files; a sentence for each that is not ours to change.

    They hold message texts and telephone numbers.
    """
    for suffix in ("", *COMPANIONS):
        file = path.with_name(path.name + suffix)
        try:
            found = file.lstat()
        except FileNotFoundError:
            continue
        if not stat.S_ISREG(found.st_mode) or not found.st_mode & 0o077:
            continue
        try:
            file.chmod(PRIVATE)
        except PermissionError:
            yield (
                f"{file} can be read by others, and belongs to another user, so that its mode cannot be "
                f"changed: chmod 600 {file}"
            )


def _out_of_reach(path: Path, error: OSError) -> str:
    if isinstance(error, PermissionError):
        return (
            f"the journal {path} is out of reach for this user ({os.geteuid()}): {error.strerror}. Run the "
            "command as the connector's user, or as root: sudo -u USER twilio-notifications …"
        )
    return f"the journal {path} cannot be looked at: {error.strerror}. Name another file ([journal] url)."
