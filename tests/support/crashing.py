"""A program that runs the connector and kills it at a milestone: `crashing.py MILESTONE[:N] --config FILE`.

The process ends as by a power cut, with nothing said and nothing closed, when the milestone is passed for the
n-th time. The connector itself has no way to be told so: neither a setting nor a variable.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from twilio_notifications.commands.run import run
from twilio_notifications.ports import Milestone
from twilio_notifications.signals import EarlySignals, Stopped


class CrashAt:
    """Kills the process when the milestone is passed for the n-th time."""

    def __init__(self, milestone: Milestone, passing: int) -> None:
        self._milestone = milestone
        self._left = passing

    def passed(self, milestone: Milestone) -> None:
        if milestone is self._milestone:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    name, _, passing = sys.argv[1].partition(":")
    milestones = CrashAt(Milestone(name), int(passing or 1))
    signals = EarlySignals()
    try:
        signals.listen()
        code = run(Path(sys.argv[-1]), environ=os.environ, signals=signals, milestones=milestones)
    except Stopped:
        code = 0
    os._exit(code)


if __name__ == "__main__":
    main()
