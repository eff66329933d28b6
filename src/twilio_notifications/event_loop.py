"""The event loops: one for programs that run for long, one for commands that end by themselves."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop of uvloop where that is installed, else of asyncio; the caller, or the process, closes it."""
    try:
        import uvloop  # noqa: PLC0415 - it has no wheel for some machines, and short commands need no loop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop


def run(command: Coroutine[object, object, T]) -> T:
    """Runs a command in a loop of its own and returns its result; raises KeyboardInterrupt after Ctrl-C.

    With `asyncio.run` alone, Ctrl-C does not wake a loop that waits: a signal that comes just before the loop
    begins to wait, or that another thread takes, is noticed only at the next event.
    """
    interrupted = False

    async def interruptible() -> T:
        loop, running = asyncio.get_running_loop(), asyncio.create_task(command)

        def interrupt() -> None:
            nonlocal interrupted
            interrupted = True
            running.cancel()

        loop.add_signal_handler(signal.SIGINT, interrupt)
        return await running

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
