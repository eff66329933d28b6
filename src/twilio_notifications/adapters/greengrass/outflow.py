"""Statuses out, on the sides where they belong. None of them may hold up the others without end."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.connection import ConnectionOver
from twilio_notifications.config import StatusesTo
from twilio_notifications.core.errors import NotAcknowledged, TransportError
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.greengrass.iot_core import IotCorePublisher
    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Events


@dataclass(slots=True, kw_only=True)
class Outflow:
    """Publishes for the transport."""

    nucleus: Nucleus
    iot_core: IotCorePublisher
    sides: Sequence[Origin]
    statuses_to: StatusesTo
    events: Events
    _taken: dict[bytes, set[Origin]] = field(init=False, default_factory=dict)
    """Of statuses that one side has taken and the other has not: they are not repeated there."""

    def publish(self, topic: str, payload: bytes, *, origin: Origin | None) -> asyncio.Future[None]:
        """Done when every side has taken it; fails with NotAcknowledged, at once without a connection.

        Nucleus lite closes the connection over a packet of more than 10,000 bytes and says nothing. What that
        teaches about the status, the reporter concludes, as for every transport.
        """
        if self.nucleus.is_connected:
            return asyncio.ensure_future(self._publish(topic, payload, origin))
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(NotAcknowledged("there is no connection to the nucleus"))
        return failed

    async def _publish(self, topic: str, payload: bytes, origin: Origin | None) -> None:
        taken = self._taken.pop(payload, set())
        error = None
        for side in self._where(origin):
            if side not in taken:
                try:
                    if side is Origin.IOT_CORE:
                        await self.iot_core.publish(topic, payload)
                    else:
                        await self.nucleus.publish(side, topic, payload)
                    taken.add(side)
                except TransportError as refusal:
                    error = refusal
        if error is None:
            return
        if taken:
            self._taken[payload] = taken
        # A nucleus that does not answer has not refused, but the connection stands: there is no new one to
        # wait for, so it is tried again as after a refusal.
        raise NotAcknowledged(str(error), refused=not isinstance(error, ConnectionOver)) from error

    def _where(self, origin: Origin | None) -> Sequence[Origin]:
        """Where it came from, if the connector still listens there."""
        came_from = [side for side in self.sides if side is origin]
        return came_from if came_from and self.statuses_to is StatusesTo.ORIGIN else self.sides
