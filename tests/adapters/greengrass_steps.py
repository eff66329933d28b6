"""What the tests of the Greengrass adapter share: settings, a transport that runs, and what it brings."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.fakes import RecordingObserver
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.greengrass import GreengrassTransport, Lifeline, Nucleus, Patience
from twilio_notifications.config import load
from twilio_notifications.config.sources import PREFIX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

    from tests.support.nucleus import FakeNucleus
    from twilio_notifications.config import TransportSettings
    from twilio_notifications.ports import Clock, Inbound

TEXT_TOPIC = "twilio/txt"
CALL_TOPIC = "twilio/call"
STATUS_TOPIC = "twilio/message/status"
WAIT_SECONDS = 10.0


def transport_settings(**settings: object) -> TransportSettings:
    """The settings of `[transport]` for a nucleus; what `settings` say goes before the defaults."""
    chosen = {"kind": "greengrass", "probe_seconds": 0} | settings
    environ = {f"{PREFIX}TRANSPORT__{name.upper()}": str(value) for name, value in chosen.items()}
    return load(None, environ | {f"{PREFIX}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": "AC1"}).transport


class Running:
    """A transport that runs, everything it brought, and what it told the observer."""

    def __init__(
        self, environ: Mapping[str, str], settings: TransportSettings, *, clock: Clock, notes: Path
    ) -> None:
        self.observer = RecordingObserver()
        self.nucleus = Nucleus(environ=environ, answer_seconds=settings.answer_seconds)
        self.lifeline = Lifeline(
            self.nucleus, patience=Patience(notes), clock=clock, observer=self.observer, jitter=lambda: 0.0
        )
        self.transport = GreengrassTransport(self.lifeline, settings, observer=self.observer)
        self.inbound: asyncio.Queue[Inbound] = asyncio.Queue()
        self._ready: asyncio.Queue[None] = asyncio.Queue()
        self.ending: asyncio.Task[None]

    async def ready(self) -> None:
        """Returns the next time that work can start."""
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
    nucleus: FakeNucleus, notes: Path, *, clock: Clock | None = None, **settings: object
) -> AsyncIterator[Running]:
    """A transport that runs until the end of the block, and then hangs up."""
    found = Running(
        nucleus.environ, transport_settings(**settings), clock=clock or SystemClock(), notes=notes / "starts"
    )
    found.ending = asyncio.create_task(found.run())
    try:
        yield found
    finally:
        found.ending.cancel()
        await asyncio.wait({found.ending})
        await found.transport.close()
    if not found.ending.cancelled():
        found.ending.result()
