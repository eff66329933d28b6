"""The loop in which a command runs until it ends by itself or by Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
import sys

import pytest

from tests.support.process import Program
from twilio_notifications.event_loop import run

WAITS_FOR_NOTHING = """
import asyncio, signal, threading
from twilio_notifications.event_loop import run

async def wait():
    print("waiting", flush=True)
    await asyncio.Event().wait()

threading.Thread(target=threading.Event().wait, daemon=True).start()
# The other thread takes the signal: so the loop is not woken by the system call that it is in.
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
try:
    run(wait())
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


async def test_ctrl_c_wakes_a_command_that_waits_for_nothing_else() -> None:
    async with Program(command=(sys.executable, "-c", WAITS_FOR_NOTHING)) as program:
        await program.wait_for_line("waiting")
        program.signal(signal.SIGINT)
        await program.wait()
    assert ["waiting", "interrupted"] == program.stdout


def test_a_command_returns_its_result() -> None:
    async def command() -> str:
        return "done"

    assert "done" == run(command())


def test_a_command_that_cancels_itself_was_not_interrupted() -> None:
    async def command() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run(command())
