"""Receives SIGTERM, SIGINT and SIGHUP for `run`, from its first line until its event loop listens to them.

Until then no request is under way, so a stop ends the process at once. By default SIGHUP would kill the
process, and process 1 of a container would not get SIGTERM at all.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


class Stopped(BaseException):
    """A signal asked for a stop while no request was under way: the process ends with exit code 0."""


class EarlySignals:
    """Receives the signals of `run` before it has an event loop, from the call of `listen` on."""

    def __init__(self) -> None:
        self.stopped = False
        """Whether a stop was asked for. A library's callback may have swallowed the exception Stopped."""
        self.hangup = False
        """Whether SIGHUP came. Then `run` reads the configuration again, which it may have read before."""

    def listen(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._hang_up)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        """Raises Stopped in the running code; a second signal ends the process where that had no effect."""
        if self.stopped:
            os._exit(0)
        self.stopped = True
        raise Stopped

    def _hang_up(self, _number: int, _frame: FrameType | None) -> None:
        self.hangup = True


def is_run(arguments: list[str]) -> bool:
    """Whether this command line starts the connector; works without the parser, whose import takes time."""
    words = iter(arguments)
    for word in words:
        if word == "--config":
            next(words, None)
        elif not word.startswith("-"):
            return word == "run"
    return False
