"""What the tests of the MQTT adapter share: settings, a transport that runs, and what it brings."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.adapters.transport_steps import (
    CALL_TOPIC,
    TEXT_TOPIC,
    RunningTransport,
    settings_of,
)
from tests.support.fakes import RecordingEvents
from tests.support.patience import WAIT_SECONDS
from tests.support.variants import as_a
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.mqtt.transport import MqttTransport
from twilio_notifications.config import MqttSettings
from twilio_notifications.core.contract import PROBE_TOPIC

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from twilio_notifications.ports import Clock

TOPICS = (TEXT_TOPIC, CALL_TOPIC)


def transport_settings(url: str, **settings: object) -> MqttSettings:
    """The settings of `[transport]` with short pauses; what `settings` say goes before them."""
    chosen = {
        "url": url,
        "client_id": "connector",
        "connect_timeout_seconds": WAIT_SECONDS,
        "reconnect_initial_seconds": 0.01,
        "reconnect_maximum_seconds": 0.05,
        "broker_probe_seconds": 0,
    } | settings
    return as_a(MqttSettings, settings_of(chosen))


class Running(RunningTransport):
    """A transport that runs, everything it brought, and what it told the events."""

    def __init__(
        self, settings: MqttSettings, *, clock: Clock, jitter: float, wish_topics: Sequence[str] = ()
    ) -> None:
        self.events = RecordingEvents()
        self.transport = MqttTransport(
            settings,
            topics=(settings.topics.text, settings.topics.call),
            wish_topics=wish_topics,
            probe_topic=PROBE_TOPIC,
            clock=clock,
            events=self.events,
            jitter=lambda: jitter,
        )
        super().__init__(self.transport, self.events)


@asynccontextmanager
async def running(
    url: str,
    *,
    clock: Clock | None = None,
    jitter: float = 0.0,
    wish_topics: Any = (),
    **settings: Any,
) -> AsyncIterator[Running]:
    """A transport that runs until the end of the block, and then says goodbye."""
    found = Running(
        transport_settings(url, **settings),
        clock=clock or SystemClock(),
        jitter=jitter,
        wish_topics=wish_topics,
    )
    connecting = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        await found.transport.close()
        connecting.cancel()
        await asyncio.wait({connecting})
    if not connecting.cancelled():
        connecting.result()
