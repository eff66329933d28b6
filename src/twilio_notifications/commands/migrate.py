"""`migrate`: reads Greengrass V1 definitions, writes this program's configuration and Greengrass V2 files.

This module reads and writes the files; the room `migration` turns the one kind into the other.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications import terminal
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration import Upload, migrate
from twilio_notifications.migration.documents import LARGEST_FILE
from twilio_notifications.new_files import NewFile, in_words, write_new

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
    if not dry_run:
        written = [NewFile(path=output / name, text=text) for name, text in migration.files.items()]
        write_new(written, option="--output")
    _say(migration)
    for name, text in migration.files.items():
        if dry_run:
            terminal.say("", f"--- {name}", *text.splitlines())
        else:
            terminal.say(f"wrote  {in_words(output / name)}")
    return 0


def _uploads(files: Sequence[Path]) -> list[Upload]:
    """The contents of the files. Raises ConfigurationError with a sentence for each unreadable file."""
    uploads, problems = [], []
    for path in files:
        try:
            with path.open("rb") as file:
                # Reads one byte more than allowed, to see that a file is too large; a device has no end.
                uploads.append(Upload(name=in_words(path), content=file.read(LARGEST_FILE + 1)))
        except OSError as error:
            problems.append(f"{in_words(path)} cannot be read: {error.strerror}")
    if problems:
        raise ConfigurationError(problems)
    return uploads


def _say(migration: MigrationFiles) -> None:
    terminal.say(
        *(f"found  {sentence}" for sentence in migration.found),
        *(f"note   {note}" for note in migration.notes),
    )
