"""Writes the log of `run` in a thread, so that a slow reader does not delay the connector.

A pipe that is not read, a full disk or a closed descriptor delays only this thread. The lines that wait
have a bound; a line that does not fit, or cannot be written, is lost and counted. The count is written as
soon as a line can be written again.
"""

from __future__ import annotations

import errno
import os
import select
import threading
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_CHARACTERS: Final = 4_000_000
"""The most characters that wait to be written: a minute of a busy log at DEBUG, and little of the process's
memory."""

FLUSH_SECONDS: Final = 2.0
"""The most seconds that the end of the process waits for the last lines. A working reader needs
milliseconds."""

_FULL_PIPE_SECONDS: Final = 1.0


def _unheard(_lines: int) -> None:
    """Does nothing with the count of lost lines, until a listener is set."""


class Outlet:
    """A text stream for logging, to `descriptor`. `write` never waits and never raises."""

    def __init__(self, descriptor: int, *, most_characters: int = MOST_CHARACTERS) -> None:
        self._descriptor = descriptor
        self._most_characters = most_characters
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[str] = deque()
        self._characters = 0
        self._lost = 0
        self._is_cut = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self.on_lost: Callable[[int], None] = _unheard
        """Called in the outlet's thread with the number of lost lines, after the next line that was
        written."""

    def start(self) -> None:
        """Begins to write, first the lines that wait.

        The process must be confined before: this starts a thread.
        """
        self._thread = threading.Thread(target=self._run, name="twilio_notifications.log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Passes a line, or several that belong together, to the thread."""
        with self._changed:
            if self._characters + len(text) > self._most_characters:
                self._lost += 1
                return
            self._waiting.append(text)
            self._characters += len(text)
            self._changed.notify()

    def flush(self) -> None:
        """Does nothing: logging calls it after each line, and must not wait."""

    def close(self, limit_seconds: float = FLUSH_SECONDS) -> None:
        """Returns when all lines are written, or after `limit_seconds`. Then the process must end."""
        if self._thread is None:
            self.start()
        assert self._thread is not None
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(limit_seconds)

    # Everything below runs in the outlet's thread.

    def _run(self) -> None:
        while (text := self._next()) is not None:
            if not self._put(text):
                with self._changed:
                    self._lost += 1
            elif not self._waiting:
                self._tell_lost()

    def _next(self) -> str | None:
        """The next text; None at the end."""
        with self._changed:
            while not self._waiting and not self._closing:
                self._changed.wait()
            if not self._waiting:
                return None
            text = self._waiting.popleft()
            self._characters -= len(text)
            return text

    def _tell_lost(self) -> None:
        with self._changed:
            lost, self._lost = self._lost, 0
        if lost:
            self.on_lost(lost)

    def _put(self, text: str) -> bool:
        """Whether the whole text was written."""
        # A full disk may have cut the last line; the next one must not continue it.
        left = memoryview((("\n" if self._is_cut else "") + text).encode(errors="backslashreplace"))
        size = len(left)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except OSError as error:
                if error.errno not in {errno.EAGAIN, errno.EINTR}:
                    self._is_cut = self._is_cut or 0 < len(left) < size
                    return False
                # Another program that shares the pipe may have made it non-blocking.
                select.select([], [self._descriptor], [], _FULL_PIPE_SECONDS)
        self._is_cut = False
        return True
