"""Tells the nucleus that the component works, in addition to another supervisor such as systemd."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import TransportError
from twilio_notifications.ports.events import ComponentStateUntold

if TYPE_CHECKING:
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Events, Supervisor


@dataclass(slots=True, kw_only=True)
class NucleusSupervisor:
    """Reports to the nucleus, and passes every report on to `other`."""

    nucleus: Nucleus
    other: Supervisor
    events: Events
    watchdog_seconds: float | None = field(init=False)
    _telling: asyncio.Task[None] | None = field(init=False, default=None)
    """Held, because the event loop holds what it runs only by weak references."""

    def __post_init__(self) -> None:
        self.watchdog_seconds = self.other.watchdog_seconds

    def ready(self) -> None:
        self.other.ready()
        self._telling = asyncio.create_task(self._tell(), name="twilio_notifications.component_state")

    def reloading(self) -> None:
        self.other.reloading()

    def stopping(self) -> None:
        """Reports to `other` only: the nucleus itself has asked for the stop."""
        self.other.stopping()

    def alive(self) -> None:
        self.other.alive()

    async def _tell(self) -> None:
        try:
            await self.nucleus.say_running()
        except TransportError as error:  # the connector works, and the nucleus notices that by itself
            self.events.tell(ComponentStateUntold(error=str(error)))
