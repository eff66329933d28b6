"""`migrate`: reads Greengrass V1 definitions, writes this program's configuration and Greengrass V2 files.

The files in and out are here; what becomes of them is decided in the room `migration`.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.core.errors import ConfigurationError, FolderUnusable
from twilio_notifications.migration import Upload, migrate
from twilio_notifications.migration.documents import LARGEST_FILE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from twilio_notifications.migration import MigrationFiles


def run(
    files: Sequence[Path],
    *,
    output: Path,
    given: Mapping[str, str],
    to_version: int | None,
    dry_run: bool,
) -> int:
    """Writes the files and prints what was found, or prints both; 0 when that is done.

    The files are written first, so that a reader of the output who goes away costs none of them.
    """
    migration = migrate(
        _uploads(files), given=given, to_version=to_version, release=version("twilio-notifications")
    )
    written = [] if dry_run else _write(migration.files, output)
    _say(migration)
    if dry_run:
        for name, text in migration.files.items():
            terminal.say("", f"--- {name}", *text.splitlines())
    terminal.say(*(f"wrote  {_printable(path)}" for path in written))
    return 0


def _uploads(files: Sequence[Path]) -> list[Upload]:
    """The files' contents. Raises ConfigurationError with each that cannot be read."""
    uploads, problems = [], []
    for path in files:
        try:
            with path.open("rb") as file:
                # One byte more than is allowed tells that there is more; a device has no end.
                uploads.append(Upload(name=_printable(path), content=file.read(LARGEST_FILE + 1)))
        except OSError as error:
            problems.append(f"{_printable(path)} cannot be read: {error.strerror}")
    if problems:
        raise ConfigurationError(problems)
    return uploads


def _printable(path: Path) -> str:
    """A name may hold bytes that are no text."""
    return str(path).encode(errors="replace").decode()


def _say(migration: MigrationFiles) -> None:
    terminal.say(
        *(f"found  {sentence}" for sentence in migration.found),
        *(f"note   {note}" for note in migration.notes),
    )


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Where they were written: all of them, or none where one of them is there already.

    Raises ConfigurationError for what is there already, FolderUnusable where a file cannot be written.
    """
    paths = {folder / name: text for name, text in files.items()}
    taken = [path for path in paths if _is_there(path)]
    if taken:
        raise ConfigurationError(
            [f"{_printable(path)} is there already: remove it, or choose another --output" for path in taken]
        )
    for path, text in paths.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
        except OSError as error:
            raise FolderUnusable(
                f"{_printable(path)} cannot be written: {error.strerror}. Choose another --output; "
                "what was written before it lies there"
            ) from error
    return list(paths)


def _is_there(path: Path) -> bool:
    """Raises FolderUnusable where that cannot be found out, as in a folder that may not be searched."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return False  # writing says so
    except OSError as error:
        raise FolderUnusable(
            f"{_printable(path)} cannot be written: {error.strerror}. Choose another --output"
        ) from error
    return True
