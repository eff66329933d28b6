"""`simulator`: the stand-in for Twilio's API, alone."""

from __future__ import annotations

import asyncio
import random
import signal
import time

from twilio_notifications import terminal
from twilio_notifications.core.errors import ListeningFailed
from twilio_notifications.event_loop import new_event_loop
from twilio_notifications.extras import simulator_extra


def simulator(
    *, host: str, port: int, latency_seconds: float, delivery_seed: str | None = None, keep: int | None = None
) -> int:
    """Serves until SIGTERM or SIGINT, then returns 0.

    With `delivery_seed`, what becomes of texts and calls is drawn. With `keep`, older ones are forgotten.
    """
    try:
        with simulator_extra(), asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_serve(host, port, latency_seconds, delivery_seed, keep))
    except OSError as error:
        raise ListeningFailed.of(error, setting="--listen", address=f"{host}:{port}") from error
    return 0


async def _serve(
    host: str, port: int, latency_seconds: float, delivery_seed: str | None, keep: int | None
) -> None:
    from twilio_notifications.simulator.server import serve  # noqa: PLC0415 - needs the extra

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(
        host=host,
        port=port,
        latency_seconds=latency_seconds,
        clock=time.time,
        random=random.Random(),  # noqa: S311 - SIDs and faults of a simulator
        delivery_seed=delivery_seed,
        keep=keep,
        stop=stop,
        announce=_announce,
    )


def _announce(url: str) -> None:
    from twilio_notifications.simulator.telephone.page import PAGE_PATH  # noqa: PLC0415 - needs the extra

    terminal.say(
        f"Twilio simulator on {url}",
        f'  [twilio] base_url = "{url}"  - accepts any account SID and any auth token',
        f"  {url}{PAGE_PATH}  - the telephones that texts and calls reach",
        f"  curl {url}/simulator/ledger  - what was created; Ctrl-C ends",
    )
