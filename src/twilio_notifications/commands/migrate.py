"""`migrate`: reads Greengrass V1 definitions, writes this program's configuration and Greengrass V2 files.

This module reads and writes the files; the room `migration` turns the one kind into the other.
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
    """Writes the files and prints the finds, or in a dry run prints both; returns 0.

    It writes the files first, so that none is missing when the reader of the output ends early.
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
    """The contents of the files. Raises ConfigurationError with a sentence for each unreadable file."""
    uploads, problems = [], []
    for path in files:
        try:
            with path.open("rb") as file:
                # Reads one byte more than allowed, to see that a file is too large; a device has no end.
                uploads.append(Upload(name=_printable(path), content=file.read(LARGEST_FILE + 1)))
        except OSError as error:
            problems.append(f"{_printable(path)} cannot be read: {error.strerror}")
    if problems:
        raise ConfigurationError(problems)
    return uploads


def _printable(path: Path) -> str:
    """The name of a file for messages; it may hold bytes that are no text."""
    return str(path).encode(errors="replace").decode()


def _say(migration: MigrationFiles) -> None:
    terminal.say(
        *(f"found  {sentence}" for sentence in migration.found),
        *(f"note   {note}" for note in migration.notes),
    )


def _write(files: Mapping[str, str], folder: Path) -> list[Path]:
    """Writes all files, or none where one exists already; returns their paths.

    Raises ConfigurationError with each file that exists, and FolderUnusable where a file cannot be written.
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
                "the files before it are written already"
            ) from error
    return list(paths)


def _is_there(path: Path) -> bool:
    """Whether the path exists. Raises FolderUnusable where that is unknown, as in an unsearchable folder."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return False  # writing the file will report the reason
    except OSError as error:
        raise FolderUnusable(
            f"{_printable(path)} cannot be written: {error.strerror}. Choose another --output"
        ) from error
    return True
