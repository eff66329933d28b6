"""SIGTERM, SIGINT and SIGHUP for `run`, from its first line until its event loop listens to them.

Until then nothing is under way, so a stop ends the process at once. Without a handler SIGHUP would kill it,
and process 1 of a container would not get SIGTERM at all.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Stopped(BaseException):
    """A stop was asked for while nothing was under way: the process ends with exit code 0."""


class EarlySignals:
    """Hears the signals of `run` before there is an event loop; `listen` takes them over from the system."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether a stop was asked for. Its Stopped may have been lost in a callback of a library."""
        self.hangup = False
        """Whether SIGHUP came. The configuration may have been read before, so it is to be read again."""

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Raises Stopped wherever the program is; ends the process where that was not enough before."""
        if self.stopped:
            os._exit(0)
        self.stopped = True
        raise Stopped

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.hangup = True


def is_run(arguments: list[str]) -> bool:
    """Whether this command line starts the connector, told without the parser, whose import takes time."""
    words = iter(arguments)
    for word in words:
        if word == "--config":
            next(words, None)
        elif not word.startswith("-"):
            return word == "run"
    return False
