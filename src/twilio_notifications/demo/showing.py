"""Runs the broker, the simulated Twilio and the connector in one process, and a client with the examples.

Nothing leaves the machine.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twilio_notifications import bootstrap, terminal
from twilio_notifications.adapters import log
from twilio_notifications.adapters.mqtt.asking import Asker
from twilio_notifications.adapters.mqtt.opening import open_visitor
from twilio_notifications.config import MqttSettings, load
from twilio_notifications.core.errors import OutputLost
from twilio_notifications.core.model import Channel
from twilio_notifications.demo.broker import EmbeddedBroker
from twilio_notifications.demo.console import console_of_the_demo
from twilio_notifications.demo.examples import CONFIGURATION, EXAMPLES
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Inbound

TOKEN_VARIABLE = "TWILIO_AUTH_TOKEN"  # noqa: S105 - the variable's name
ANSWER_SECONDS = 30.0
KEPT = 10_000
"""How many texts and calls the simulated Twilio remembers, so that the demo may run for weeks."""

MOST_SHOWN = 2_000
"""Bytes of a payload in the demo's window; other programs may publish anything."""


async def show(folder: Path, *, once: bool, stop: asyncio.Event) -> bool:
    """Sends the two examples and prints their statuses; True when both succeeded.

    The configuration and the journal go into `folder`. Without `once` it also prints what other programs
    publish, until `stop`.
    """
    async with AsyncExitStack() as stack:
        broker = await stack.enter_async_context(EmbeddedBroker())
        random_numbers = random.Random()  # noqa: S311 - SIDs of a simulator
        twilio = await stack.enter_async_context(Simulator(clock=time.time, random=random_numbers, keep=KEPT))
        twilio.switch(by_hand=True)  # calls ring until the person at the page of the telephones answers
        terminal.say(f"telephone   {twilio.telephone_url}")
        config = folder / "twilio-notifications.toml"
        config.write_text(CONFIGURATION.format(broker=broker.url, twilio=twilio.base_url))
        # Nothing of the environment: it could name the real Twilio and hold a token that works there.
        environ = {TOKEN_VARIABLE: "demo"}
        settings = load(config, environ)
        terminal.say(f"broker      {broker.url}", f"simulator   {twilio.base_url}", f"settings    {config}")
        return await _with_connector(settings, config, once=once, environ=environ, stop=stop)


async def _with_connector(
    settings: Settings, config: Path, *, once: bool, environ: Mapping[str, str], stop: asyncio.Event
) -> bool:
    transport = settings.transport
    assert isinstance(transport, MqttSettings), "its configuration names a broker"
    events = log.configure(level=settings.log.level, form=settings.log.format)
    supervisor = bootstrap.supervisor(environ, events=events)
    async with AsyncExitStack() as stack:
        connector = await stack.enter_async_context(
            bootstrap.connector(
                settings,
                reread=lambda _: load(config, environ),
                events=events,
                environ=environ,
                supervisor=supervisor,
            )
        )
        url = await stack.enter_async_context(console_of_the_demo(config, environ, events=events))
        terminal.say(f"console     {url}", "")
        done = asyncio.Event()
        work = connector.run(done, asyncio.Event())
        running = asyncio.create_task(work, name="twilio_notifications.demo.connector")
        try:
            # The embedded broker keeps nothing for a connector that has not subscribed yet.
            await _first(connector.ready.wait(), running)
            successful = await _send_examples(transport)
            if not once:
                terminal.say(*_invitation(config))
                await _watch(transport, stop)
        finally:
            done.set()
            await running
    return successful


async def _first(wanted: Coroutine[Any, Any, Any], running: asyncio.Task[None]) -> None:
    """Waits for `wanted`, or raises what ended the connector before it."""
    waiting = asyncio.ensure_future(wanted)
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    if not waiting.done():
        waiting.cancel()
        running.result()


async def _send_examples(transport: MqttSettings) -> bool:
    successful = True
    async with Asker(transport, client_id="demo") as asker:
        for channel, request in EXAMPLES:
            topic = "twilio/txt" if channel is Channel.SMS else "twilio/call"
            terminal.say(f"→ {topic}", f"  {json.dumps(request)}")
            status = await asker.ask(channel, request, timeout_seconds=ANSWER_SECONDS)
            terminal.say("← twilio/message/status", f"  {json.dumps(status)}", "")
            successful = successful and status["response"]["status"] == "success"
    return successful


async def _watch(transport: MqttSettings, stop: asyncio.Event) -> None:
    """Shows what other programs publish, and what becomes of it, until `stop`."""
    topics = transport.topics

    def show(inbound: Inbound) -> None:
        inbound.acknowledge()
        arrow = "←" if inbound.topic == topics.status else "→"
        try:
            payload = inbound.payload[:MOST_SHOWN].decode("utf-8", "backslashreplace")
            terminal.say(f"{arrow} {inbound.topic}", f"  {payload}", "")
        except OutputLost:
            stop.set()  # the terminal is gone, and the demo with it

    requests = [topics.text, topics.call, topics.status]
    session = await open_visitor(transport, "demo-window", topics=requests, on_inbound=show)
    await stop.wait()
    await session.close()


def _invitation(config: Path) -> tuple[str, ...]:
    command = f"{Path(sys.argv[0])} send txt --config {config}"
    request = "--to +12345000000 --name Darla --message 'Is the freezer all right?'"
    return (
        "The demo shows here what is published. To send more, type in another terminal:",
        f"  {command} {request}",
        "Ctrl-C ends.",
    )
