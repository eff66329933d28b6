"""Writes files that must not be there yet: all of them, or none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import ConfigurationError, FolderUnusable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to be written. `mode` is what the user's umask narrows; `group` gets to read it too."""

    path: Path
    text: str
    mode: int = 0o666
    group: int | None = None


def refuse_existing(paths: Sequence[Path], *, option: str) -> None:
    """Raises ConfigurationError with each path that exists; `option` names the folder of them."""
    taken = [path for path in paths if _is_there(path, option=option)]
    if taken:
        raise ConfigurationError(
            [f"{in_words(path)} is there already: remove it, or choose another {option}" for path in taken]
        )


def write_new(files: Sequence[NewFile], *, option: str) -> None:
    """Writes all files with their folders, or no file.

    Raises ConfigurationError with each file that exists, and FolderUnusable where one cannot be written.
    """
    refuse_existing([file.path for file in files], option=option)
    written: list[Path] = []
    for file in files:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
            _write(file, written)
        except OSError as error:
            for path in written:
                path.unlink(missing_ok=True)
            raise _unusable(file.path, error, option=option) from error


def in_words(path: Path) -> str:
    """The name of a file for messages; it may hold bytes that are no text."""
    return str(path).encode(errors="replace").decode()


def _write(file: NewFile, written: list[Path]) -> None:
    # O_EXCL follows no link, so that a link which appears in between leads nowhere else.
    descriptor = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, file.mode)
    written.append(file.path)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as stream:  # noqa: PTH123 - a descriptor
        if file.group is not None:
            os.fchown(descriptor, -1, file.group)
            os.fchmod(descriptor, file.mode | 0o040)
        stream.write(file.text)


def _is_there(path: Path, *, option: str) -> bool:
    """Whether the path exists. Raises FolderUnusable where that is unknown, as in an unsearchable folder."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    except NotADirectoryError:
        return False  # writing the file will report the reason
    except OSError as error:
        raise _unusable(path, error, option=option) from error
    return True


def _unusable(path: Path, error: OSError, *, option: str) -> FolderUnusable:
    return FolderUnusable(f"{in_words(path)} cannot be written: {error.strerror}. Choose another {option}")
