"""The console of the demo: in the demo's own process, without sign-in, on the loopback.

Elsewhere it is a process of its own, without the Twilio token and confined.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from twilio_notifications.bootstrap import console as wiring
from twilio_notifications.config import load_console
from twilio_notifications.console.server import serve
from twilio_notifications.serving import listening

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from twilio_notifications.ports import Events


@asynccontextmanager
async def console_of_the_demo(
    config: Path, environ: Mapping[str, str], *, events: Events
) -> AsyncIterator[str]:
    """Serves the console while it is open; gives its address."""
    settings = load_console(config, environ)
    host, port = settings.console.listen
    listeners = listening(host, port, setting="[console] listen")
    stop, ready = asyncio.Event(), asyncio.Event()
    application = wiring.console(settings, config, environ=environ, events=events)
    work = serve(application, listeners, confine=lambda: None, on_ready=ready.set, stop=stop)
    serving = asyncio.create_task(work, name="twilio_notifications.demo.console")
    try:
        await asyncio.wait(
            {asyncio.ensure_future(ready.wait()), serving}, return_when=asyncio.FIRST_COMPLETED
        )
        yield f"http://{host}:{listeners[0].getsockname()[1]}"
    finally:
        stop.set()
        await serving
