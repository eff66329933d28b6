"""Publishes statuses on the sides of the nucleus where they belong."""

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
    """The sides that have taken a status while another side has not: the status is not repeated on them."""

    def publish(self, topic: str, payload: bytes, *, origin: Origin | None) -> asyncio.Future[None]:
        """A future that is done when every side has taken the status.

        It fails with NotAcknowledged, and does so at once without a connection. Nucleus lite closes the
        connection without a word over a packet of more than 10,000 bytes; the reporter concludes from that
        what is wrong with the status, as for every transport.
        """
        if self.nucleus.is_connected:
            return asyncio.ensure_future(self._publish(topic, payload, origin))
        failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        failed.set_exception(NotAcknowledged("there is no connection to the nucleus"))
        return failed

    async def _publish(self, topic: str, payload: bytes, origin: Origin | None) -> None:
        taken = self._taken.pop(payload, set())
        error = None
        # The status goes to the side of its request, if the connector still listens there.
        came_from = [side for side in self.sides if side is origin]
        is_for_origin = came_from and self.statuses_to is StatusesTo.ORIGIN
        for side in came_from if is_for_origin else self.sides:
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
        # A nucleus that does not answer has not refused. But the connection stands, so there is no new
        # connection to wait for, and the reporter tries again as after a refusal.
        raise NotAcknowledged(str(error), refused=not isinstance(error, ConnectionOver)) from error
