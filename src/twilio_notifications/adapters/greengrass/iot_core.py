"""Publishes to AWS IoT Core through a nucleus, which may have no room for a moment.

Nucleus lite holds ten messages that AWS IoT Core has not acknowledged, and refuses the next one. It gives
the same answer without a network, so only time shows the cause.
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
"""The number of messages that nucleus lite holds. No more are under way at once: it would refuse them."""

SHORTEST_SECONDS, LONGEST_SECONDS = 0.1, 0.5
"""From a refusal to the next attempt. AWS IoT Core acknowledges within 0.1 or 0.2 seconds."""

TRIES = 20
"""The number of attempts, which take about six seconds: a lack of room would have ended by then."""


@dataclass(slots=True, kw_only=True)
class IotCorePublisher:
    """Publishes for the outflow. `jitter` gives a number from 0 to 1."""

    nucleus: Nucleus
    clock: Clock
    jitter: Callable[[], float]
    _room: asyncio.Semaphore = field(init=False, default_factory=lambda: asyncio.Semaphore(ROOM))
    _is_closed: bool = field(init=False, default=False)
    """The nucleus refused a message in all attempts. Until it takes one, each message gets one attempt."""

    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the nucleus has taken the message; raises TransportError where it has not."""
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
