"""A command that asks, at a terminal of its own: what it shows is read, and answers are typed."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.patience import WAIT_SECONDS
from tests.support.process import environment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

END_OF_INPUT = "\x04"
INTERRUPT = "\x03"


class Dialogue:
    """The person's side of it."""

    def __init__(self, running: subprocess.Popen[bytes], terminal: int) -> None:
        self._running = running
        self._terminal = terminal
        self.shown = ""

    def answer(self, question: str, text: str, *, end: str = "\n") -> None:
        """Types the text as soon as the question stands on the screen."""
        begin = len(self.shown) if question not in self.shown else 0
        self._read_until(question, begin)
        self.shown = self.shown.partition(question)[2]
        os.write(self._terminal, f"{text}{end}".encode())

    def end(self) -> tuple[int, str]:
        """The exit code, and all that was shown since the last answer."""
        while self._more():
            pass
        return self._running.wait(WAIT_SECONDS), self.shown.replace("\r\n", "\n")

    def _read_until(self, question: str, begin: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while question not in self.shown[begin:]:
            assert time.monotonic() < deadline, f"no {question!r} in:\n{self.shown}"
            assert self._more(), f"it ended before {question!r}; it showed:\n{self.shown}"

    def _more(self) -> bool:
        """Reads what is shown next; False at the end of the command."""
        ready, _, _ = select.select([self._terminal], [], [], WAIT_SECONDS)
        assert ready, f"nothing more is shown after:\n{self.shown}"
        try:
            read = os.read(self._terminal, 65_536)
        except OSError:  # Linux says so when the last program has left the terminal
            return False
        self.shown += read.decode()
        return bool(read)


@contextmanager
def dialogue(*arguments: str, folder: Path, environ: Mapping[str, str] | None = None) -> Iterator[Dialogue]:
    """`with dialogue("init", folder=…) as person:` runs the program in this folder."""
    terminal, its_end = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "twilio_notifications", *arguments],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        cwd=folder,
        env=dict(environment() if environ is None else environ),
        start_new_session=True,
    )
    os.close(its_end)
    try:
        yield Dialogue(running, terminal)
    finally:
        running.kill()
        running.wait(WAIT_SECONDS)
        os.close(terminal)
