"""What the tests of every transport share: its topics, and what it brings while it runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.config import load
from twilio_notifications.config.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.support.fakes import RecordingEvents
    from twilio_notifications.config import TransportSettings
    from twilio_notifications.ports import Inbound, Transport

TEXT_TOPIC = "twilio/txt"
CALL_TOPIC = "twilio/call"
CANCEL_TOPIC = "twilio/cancel"
ACKNOWLEDGE_TOPIC = "twilio/acknowledge"
HEARD_TOPICS = (TEXT_TOPIC, CALL_TOPIC, CANCEL_TOPIC, ACKNOWLEDGE_TOPIC)
"""What a connector with the published topics listens to."""

STATUS_TOPIC = "twilio/message/status"


def settings_of(chosen: Mapping[str, object]) -> TransportSettings:
    """The settings of `[transport]`, what is not chosen by its default."""
    environ = {f"{PREFIX}TRANSPORT__{name.upper()}": str(value) for name, value in chosen.items()}
    return load(None, environ | {f"{PREFIX}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": "AC1"}).transport


class RunningTransport:
    """A transport that runs, everything it brought, and what it told the events."""

    def __init__(self, transport: Transport, events: RecordingEvents) -> None:
        self._transport = transport
        self._events = events
        self.inbound: asyncio.Queue[Inbound] = asyncio.Queue()
        self._ready: asyncio.Queue[None] = asyncio.Queue()

    async def ready(self) -> None:
        """Returns the next time that work can start."""
        await asyncio.wait_for(self._ready.get(), WAIT_SECONDS)

    async def next_inbound(self) -> Inbound:
        return await asyncio.wait_for(self.inbound.get(), WAIT_SECONDS)

    async def run(self) -> None:
        await self._transport.run(
            on_inbound=self.inbound.put_nowait, on_ready=lambda: self._ready.put_nowait(None)
        )

    def told(self, name: str) -> list[dict[str, object]]:
        """The fields of the events of this name."""
        return [told.fields for told in self._events.named(name)]
