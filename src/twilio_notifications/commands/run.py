"""`run`: the connector in the foreground, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import signal
from typing import TYPE_CHECKING

from twilio_notifications import bootstrap
from twilio_notifications.adapters import log
from twilio_notifications.config import load

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Observer


def run(config: Path, *, environ: Mapping[str, str]) -> int:
    """Runs until stopped, drains, and returns 0."""
    settings = load(config, environ)
    observer = log.configure(level=settings.log.level, form=settings.log.format)
    with asyncio.Runner(loop_factory=event_loop) as runner:
        runner.run(_run(settings, observer=observer, environ=environ))
    return 0


async def _run(settings: Settings, *, observer: Observer, environ: Mapping[str, str]) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_to_signals(stop, hurry)
    async with bootstrap.connector(settings, observer=observer, environ=environ) as connector:
        # What was made so far lives as long as the process: the collector need not look at it again.
        gc.freeze()
        await connector.run(stop, hurry)


def _listen_to_signals(stop: asyncio.Event, hurry: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT drains, the second one does not wait."""

    def stopped() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped)


def event_loop() -> asyncio.AbstractEventLoop:
    """Uvloop's event loop where it is installed (extra `uvloop`), asyncio's otherwise."""
    try:
        import uvloop  # noqa: PLC0415 - only some users have it
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
