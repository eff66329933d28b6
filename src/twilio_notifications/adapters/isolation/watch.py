"""Notices that a file was replaced which a confined process reads again and again.

A rule of Landlock belongs to the file that was there, so a new one under the same name is out of reach, and
nothing inside the process can change that: without name resolution, for instance, requests would wait until
they expire. Only a new process helps, so the caller that waits here drains and ends the connector.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from twilio_notifications.ports import Clock

INTERVAL_SECONDS = 15.0
"""Short against any lifetime of a request, long against what opening a few files costs (some 10 µs)."""


class FileWatch:
    """Watches files that can be read now; with none, it waits until it is cancelled."""

    def __init__(self, files: Iterable[Path], *, clock: Clock, is_forbidden: Callable[[Path], bool]) -> None:
        self._files = tuple(path for path in sorted(files) if path.exists() and not is_forbidden(path))
        self._clock = clock
        self._is_forbidden = is_forbidden

    async def replaced(self) -> Path:
        """Returns the first file that was replaced, once one was."""
        while True:
            for path in self._files:
                if self._is_forbidden(path):
                    return path
            await self._clock.sleep(INTERVAL_SECONDS)


def is_forbidden(path: Path) -> bool:
    """Whether the kernel does not let this process read it. A missing file may be about to come back."""
    try:
        os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    except PermissionError:
        return True
    except OSError:
        return False
    return False
