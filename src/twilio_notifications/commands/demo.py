"""`demo`: shows the connector at work with a broker and a simulated Twilio of its own.

The journal and the configuration stand in a temporary folder, which the command removes at its end.
"""

from __future__ import annotations

import asyncio
import signal
import tempfile
from pathlib import Path

from twilio_notifications.extras import demo_extra


def demo(*, once: bool) -> int:
    """Shows the two examples and their statuses; returns 0 where both succeeded, else 1."""
    with demo_extra(), tempfile.TemporaryDirectory(prefix="twilio-notifications-") as folder:
        return 0 if asyncio.run(_show(Path(folder), once=once)) else 1


async def _show(folder: Path, *, once: bool) -> bool:
    from twilio_notifications.demo.showing import show  # noqa: PLC0415 - needs the extra

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return await show(folder, once=once, stop=stop)
