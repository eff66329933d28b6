"""What the tests of the MQTT adapter share: settings, a transport that runs, and what it brings."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.support.fakes import RecordingObserver
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.mqtt.transport import MqttTransport
from twilio_notifications.config import load
from twilio_notifications.config.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.config import TransportSettings
    from twilio_notifications.ports import Clock, Inbound

TEXT_TOPIC = "twilio/txt"
CALL_TOPIC = "twilio/call"
STATUS_TOPIC = "twilio/message/status"
TOPICS = (TEXT_TOPIC, CALL_TOPIC)
WAIT_SECONDS = 10.0


def transport_settings(url: str, **settings: object) -> TransportSettings:
    """The settings of `[transport]` with short pauses; what `settings` say goes before them."""
    chosen = {
        "url": url,
        "client_id": "connector",
        "connect_timeout_seconds": 5,
        "reconnect_initial_seconds": 0.01,
        "reconnect_maximum_seconds": 0.05,
    } | settings
    environ = {f"{PREFIX}TRANSPORT__{name.upper()}": str(value) for name, value in chosen.items()}
    return load(None, environ | {f"{PREFIX}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": "AC1"}).transport


class Running:
    """A transport that runs, everything it brought, and what it told the observer."""

    def __init__(self, settings: TransportSettings, *, clock: Clock, jitter: float) -> None:
        self.observer = RecordingObserver()
        self.transport = MqttTransport(
            settings, topics=TOPICS, clock=clock, observer=self.observer, jitter=lambda: jitter
        )
        self.inbound: asyncio.Queue[Inbound] = asyncio.Queue()
        self._ready: asyncio.Queue[None] = asyncio.Queue()

    async def ready(self) -> None:
        """Returns at the next connection whose subscriptions have been acknowledged."""
        await asyncio.wait_for(self._ready.get(), WAIT_SECONDS)

    async def next_inbound(self) -> Inbound:
        return await asyncio.wait_for(self.inbound.get(), WAIT_SECONDS)

    async def run(self) -> None:
        await self.transport.run(
            on_inbound=self.inbound.put_nowait, on_ready=lambda: self._ready.put_nowait(None)
        )

    def told(self, name: str) -> list[dict[str, object]]:
        """The fields of the events of this name."""
        return [told.fields for told in self.observer.named(name)]


@asynccontextmanager
async def running(
    url: str, *, clock: Clock | None = None, jitter: float = 0.0, **settings: Any
) -> AsyncIterator[Running]:
    """A transport that runs until the end of the block, and then says goodbye."""
    found = Running(transport_settings(url, **settings), clock=clock or SystemClock(), jitter=jitter)
    connecting = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        await found.transport.close()
        connecting.cancel()
        await asyncio.wait({connecting})
    if not connecting.cancelled():
        connecting.result()
