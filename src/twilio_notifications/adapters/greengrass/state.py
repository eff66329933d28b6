"""Tells the nucleus that the component works, beside whoever else watches over the process."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import TransportError
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Observer, Supervisor


@dataclass(slots=True, kw_only=True)
class NucleusSupervisor:
    """Passes everything on to `beside`."""

    nucleus: Nucleus
    beside: Supervisor
    observer: Observer
    watchdog_seconds: float | None = field(init=False)
    _telling: asyncio.Task[None] | None = field(init=False, default=None)
    """Held, because the event loop holds its tasks by weak references only."""

    def __post_init__(self) -> None:
        self.watchdog_seconds = self.beside.watchdog_seconds

    def ready(self) -> None:
        self.beside.ready()
        self._telling = asyncio.create_task(self._tell(), name="twilio_notifications.component_state")

    def reloading(self) -> None:
        self.beside.reloading()

    def stopping(self) -> None:
        """The nucleus is told nothing: it knows best that it has asked for it."""
        self.beside.stopping()

    def alive(self) -> None:
        self.beside.alive()

    async def _tell(self) -> None:
        try:
            await self.nucleus.say_running()
        except TransportError as error:  # it works all the same, and the nucleus will notice by itself
            self.observer.event("component_state_untold", level=Level.WARNING, error=str(error))
