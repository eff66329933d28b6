"""Milestones for a process that runs: nobody listens, unless a test wants it to die at one of them.

Tests of what survives a crash need the real process to end at a chosen point, with nothing said and nothing
closed. Without the variable in its environment a process never ends here.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

from twilio_notifications.ports import Milestone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.ports import Milestones

CRASH_VARIABLE = "TWILIO_NOTIFICATIONS_CRASH_AT"
"""For tests alone: the milestone, and after a colon the passing of it, at which the process kills itself."""


class _NoMilestones:
    def passed(self, milestone: Milestone) -> None:
        """Nobody listens."""


class _CrashAt:
    """Kills the process, as a power cut would, when a milestone is passed for the n-th time."""

    def __init__(self, milestone: Milestone, passing: int) -> None:
        self._milestone = milestone
        self._left = passing

    def passed(self, milestone: Milestone) -> None:
        if milestone is self._milestone:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def milestones(environ: Mapping[str, str]) -> Milestones:
    """Silence, unless a test asked for a crash."""
    wanted = environ.get(CRASH_VARIABLE)
    if not wanted:
        return _NoMilestones()
    name, _, passing = wanted.partition(":")
    return _CrashAt(Milestone(name), int(passing or 1))
