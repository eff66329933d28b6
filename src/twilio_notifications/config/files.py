"""Reads files whose names come from outside: plain files only, and no more than MOST_BYTES of them.

A pipe that nothing is written into would be waited for without end, and a device or a huge file would fill
the memory. What is wrong is an OSError with a sentence, as for any file that cannot be read.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES = 16 * 1024 * 1024
"""Far more than a configuration, a definition or a bundle of certificates has."""

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_plain(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """The content; raises OSError for a file that is missing, not plain, or longer than `most_bytes`."""
    with os.fdopen(open_plain(path), "rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than {most_bytes} bytes", str(path))
    return content


def open_plain(path: Path) -> int:
    """A file descriptor to read from, for the caller to close; raises OSError as `read_plain`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    kind = stat.S_IFMT(os.fstat(descriptor).st_mode)
    if kind != stat.S_IFREG:
        os.close(descriptor)
        if kind == stat.S_IFDIR:
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        what = _KINDS.get(kind, "something else")
        raise OSError(errno.EINVAL, f"it is {what}, and must be a plain file", str(path))
    return descriptor
