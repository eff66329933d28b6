"""What the tests of the Greengrass adapter share: settings, a transport that runs, and what it brings."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.adapters.transport_steps import (
    RunningTransport,
    settings_of,
)
from tests.support.fakes import RecordingEvents
from tests.support.patience import WAIT_SECONDS
from tests.support.variants import as_a
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.greengrass import (
    ConfigurationWatch,
    Endurance,
    GreengrassTransport,
    Nucleus,
)
from twilio_notifications.adapters.greengrass.endurance import REST_SECONDS
from twilio_notifications.bootstrap.greengrass import LOOK_SECONDS
from twilio_notifications.config import GreengrassSettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.support.nucleus import FakeNucleus
    from twilio_notifications.ports import Clock, Event


def transport_settings(**settings: object) -> GreengrassSettings:
    """The settings of `[transport]` for a nucleus; what `settings` say goes before the defaults."""
    chosen = {
        "kind": "greengrass",
        "probe_seconds": 0,
        "reconnect_initial_seconds": 0.02,
        "reconnect_maximum_seconds": 0.05,
    } | settings
    return as_a(GreengrassSettings, settings_of(chosen))


class Telling(RecordingEvents):
    """Remembers the events, and the next one can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self._changed = asyncio.Event()

    def tell(self, event: Event) -> None:
        super().tell(event)
        self._changed.set()

    async def until(self, name: str, *, count: int = 1) -> list[dict[str, object]]:
        """The fields of the events of this name, once there are so many."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.count(name) < count:
                self._changed.clear()
                await self._changed.wait()
        return [told.fields for told in self.named(name)]


class Running(RunningTransport):
    """A transport that runs, everything it brought, and what it told the events."""

    def __init__(
        self,
        environ: Mapping[str, str],
        settings: GreengrassSettings,
        *,
        rest_seconds: float,
        clock: Clock,
    ) -> None:
        self.events = Telling()
        self.nucleus = Nucleus(environ, settings.answer_seconds)
        self.reconfigured = asyncio.Event()
        self.watch = ConfigurationWatch(
            nucleus=self.nucleus,
            events=self.events,
            every_seconds=settings.probe_seconds or LOOK_SECONDS,
            on_change=self.reconfigured.set,
            taken=None,
        )
        self.transport = GreengrassTransport(
            settings=settings,
            nucleus=self.nucleus,
            clock=clock,
            events=self.events,
            jitter=lambda: 0.0,
            endurance=Endurance(
                started_at=clock.now(), started_before=clock.now(), rest_seconds=rest_seconds
            ),
            configuration=self.watch,
        )
        super().__init__(self.transport, self.events)
        self.ending: asyncio.Task[None]


@asynccontextmanager
async def running(
    nucleus: FakeNucleus,
    *,
    rest_seconds: float = REST_SECONDS,
    clock: Clock | None = None,
    **settings: object,
) -> AsyncIterator[Running]:
    """A transport that runs until the end of the block, and then hangs up."""
    found = Running(
        nucleus.environ,
        transport_settings(**settings),
        rest_seconds=rest_seconds,
        clock=clock or SystemClock(),
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
