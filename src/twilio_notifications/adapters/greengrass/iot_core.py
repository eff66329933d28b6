"""Publishing to AWS IoT Core by a nucleus that may have no room for a moment.

Nucleus lite holds ten messages that AWS IoT Core has not acknowledged, and refuses the next one. Its answer
is the one that it gives without a network too, so only time shows which of the two it is.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.connection import is_passing
from twilio_notifications.core.errors import NucleusRefused
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Clock

ROOM = 10
"""Messages that nucleus lite holds. No more are on their way from here: they would only be refused."""

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 0.5
"""From a refusal to the next try. AWS IoT Core acknowledges within a tenth of a second or two."""

TRIES = 20
"""About six seconds: then it is no want of room."""


@dataclass(slots=True, kw_only=True)
class IotCorePublisher:
    """Publishes for the outflow. `jitter` gives a number from 0 to 1."""

    nucleus: Nucleus
    clock: Clock
    jitter: Callable[[], float]
    _room: asyncio.Semaphore = field(init=False, default_factory=lambda: asyncio.Semaphore(ROOM))
    _is_closed: bool = field(init=False, default=False)
    """It was refused for so long that it is not tried again, until a message is taken."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the nucleus has taken it; raises TransportError, as `Nucleus.publish` does."""
        async with self._room:
            for remaining in reversed(range(TRIES)):
                try:
                    await self.nucleus.publish(Origin.IOT_CORE, topic, payload)
                except NucleusRefused as error:
                    if not is_passing(error.__cause__) or self._is_closed:
                        raise
                    if not remaining:
                        self._is_closed = True
                        raise
                    pause = SHORTEST_SECONDS + (LONGEST_SECONDS - SHORTEST_SECONDS) * self.jitter()
                    await self.clock.sleep(pause)
                else:
                    self._is_closed = False
                    return
