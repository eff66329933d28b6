"""A program that runs the connector and kills it at an event: `crashing.py EVENT[:N] --config FILE`.

The process ends as by a power cut, with nothing said and nothing closed, when the event of that name happens
for the n-th time. The connector itself has no such way to end: neither a setting nor a variable asks for it.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.commands.run import run
from twilio_notifications.ports.events import name_of
from twilio_notifications.signals import EarlySignals, Stopped

if TYPE_CHECKING:
    from twilio_notifications.ports import Event


class CrashAt:
    """Kills the process when an event of this name happens for the n-th time."""

    def __init__(self, point: str, count: int) -> None:
        self._point = point
        self._left = count

    def tell(self, event: Event) -> None:
        if name_of(type(event)) == self._point:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    name, _, count = sys.argv[1].partition(":")
    crash = CrashAt(name, int(count or 1))
    signals = EarlySignals()
    try:
        signals.listen()
        code = run(Path(sys.argv[-1]), environ=os.environ, signals=signals, subscribers=[crash])
    except Stopped:
        code = 0
    os._exit(code)


if __name__ == "__main__":
    main()
