"""The event loop of programs that run for long: uvloop's where it is installed, asyncio's otherwise."""

from __future__ import annotations

import asyncio


def new_event_loop() -> asyncio.AbstractEventLoop:
    """A loop that the caller closes, or leaves to the end of the process."""
    try:
        import uvloop  # noqa: PLC0415 - it has no wheel for some machines, and short commands need no loop
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
