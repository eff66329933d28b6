"""The system's clock for the pipeline: its instants never go backwards."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_NAP_SECONDS: Final = 30.0
"""Timers of the event loop stand still while the machine is suspended, so a sleep that is longer looks at the
clock now and then."""

_ELAPSED: Final = time.CLOCK_BOOTTIME if sys.platform == "linux" else time.CLOCK_MONOTONIC
"""Linux has a clock that goes on while the machine is suspended. The monotonic one of macOS does so."""


def elapsed() -> float:
    """Seconds since some instant; it goes on while the machine is suspended."""
    return time.clock_gettime(_ELAPSED)


class SystemClock:
    """Wall-clock time at the start plus the time that has elapsed since; suspensions of the machine count.

    If NTP or a person sets the system's clock while the connector runs, due times and time-outs do not
    move; the next start takes the new time.
    """

    def __init__(self, elapsed: Callable[[], float] = elapsed) -> None:
        self._elapsed = elapsed
        self._start = time.time() - elapsed()

    def now(self) -> float:
        return self._start + self._elapsed()

    async def sleep(self, seconds: float) -> None:
        """After a suspension it may end half a minute late."""
        until = self._elapsed() + seconds
        await asyncio.sleep(min(seconds, LONGEST_NAP_SECONDS))
        while (left := until - self._elapsed()) > 0:  # noqa: ASYNC110 - a clock rings no event
            await asyncio.sleep(min(left, LONGEST_NAP_SECONDS))
