"""How many bytes the journal may hold on its disk, and a reserve file that is given up when the disk is full.

Freeing room needs room: to delete a row, SQLite first writes pages to its write-ahead log. The reserve file
next to the journal keeps that much of the disk from all other programs.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from pathlib import Path

LARGEST_RESERVE_BYTES: Final = 8 * 1024 * 1024
SUFFIXES: Final = ("", "-wal", "-shm", ".reserve")
"""Of the files that count as the journal's own; the lock file is empty."""

_PIECE: Final = bytes(64 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """Shares of the disk, in bytes."""

    maximum: int
    """Of all files of the journal together."""
    reserve: int

    @property
    def log(self) -> int:
        """Of the write-ahead log: more than is written between two checkpoints, which readers may put off."""
        return 3 * self.reserve

    @property
    def checkpoint(self) -> int:
        """So much of the log is written before its pages are moved into the database."""
        return self.reserve // 2

    @property
    def batch(self) -> int:
        """Of what one transaction records."""
        return self.reserve // 4

    @property
    def database(self) -> int:
        """Of what the rows and their indexes take."""
        return self.maximum - self.reserve - self.log

    @classmethod
    def here(cls, path: Path, wanted: int) -> Self:
        """At most `wanted`, and at most half of what the file system has left for the journal.

        What the journal already occupies counts as free, so that each start comes to the same result.
        """
        disk = os.statvfs(path.parent)
        half = (disk.f_bavail * disk.f_frsize + occupied(path)) // 2
        maximum = min(wanted, half)
        return cls(maximum=maximum, reserve=min(maximum // 16, LARGEST_RESERVE_BYTES))


def occupied(path: Path) -> int:
    """The bytes of all files of a journal."""
    return sum(_size(path.with_name(path.name + suffix)) for suffix in SUFFIXES)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


class Reserve:
    """The reserve file of a journal. Only the owner of the journal's lock may use it."""

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + ".reserve")

    def take(self, size: int) -> bool:
        """Whether the file has its size now; a disk without room for it leaves no file behind."""
        if _size(self._path) >= size and self._path.is_file():
            return True
        try:
            self._write(size)
        except OSError:
            self.give_up()
            return False
        return True

    def give_up(self) -> None:
        """Frees the room; what stands there and is no file of ours stays."""
        with suppress(OSError):
            self._path.unlink()

    def _write(self, size: int) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, 0o600)
        try:
            _allocate(descriptor, size)
        finally:
            os.close(descriptor)


def _allocate(descriptor: int, size: int) -> None:
    try:
        os.posix_fallocate(descriptor, 0, size)
    except AttributeError:  # macOS has no such call
        _fill(descriptor, size)
    except OSError as error:
        if error.errno not in {errno.EOPNOTSUPP, errno.EINVAL}:
            raise
        _fill(descriptor, size)  # a file system without it


def _fill(descriptor: int, size: int) -> None:
    while size > 0:
        size -= os.write(descriptor, _PIECE[:size])
