"""Notices when a file is replaced that a confined process reads repeatedly.

A rule of Landlock belongs to the old file, so the process cannot read a new file of the same name, and cannot
change that itself. Without name resolution, for instance, requests would wait until they expire. Only a new
process helps: the caller waits for `replaced`, then drains and ends the connector.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from twilio_notifications.ports import Clock

INTERVAL_SECONDS = 15.0
"""Much shorter than the lifetime of a request, much longer than opening a few files takes (some 10 µs)."""


class FileWatch:
    """Watches the files that can be read now; without any, `replaced` waits until it is cancelled."""

    def __init__(self, files: Iterable[Path], *, clock: Clock, is_forbidden: Callable[[Path], bool]) -> None:
        self._files = tuple(path for path in sorted(files) if path.exists() and not is_forbidden(path))
        self._clock = clock
        self._is_forbidden = is_forbidden

    async def replaced(self) -> Path:
        """Waits until a file was replaced, and returns its path."""
        while True:
            for path in self._files:
                if self._is_forbidden(path):
                    return path
            await self._clock.sleep(INTERVAL_SECONDS)


def is_forbidden(path: Path) -> bool:
    """Whether the kernel forbids this process to read the file.

    False for a missing file, which may come back.
    """
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return True
    except OSError:
        return False
    return False
