"""Statuses out, on the sides where they belong, and none of them may hold up the others for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.adapters.greengrass.connection import ConnectionOver
from twilio_notifications.config import StatusesTo
from twilio_notifications.core.errors import NotAcknowledged, TransportError
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.greengrass.nucleus import Nucleus
    from twilio_notifications.ports import Observer, Origin

LARGE_BYTES = 5_000
"""Nucleus lite closes the connection over a packet of more than 10,000 bytes, and Base64 makes four bytes of
three. A status is a few hundred; only a huge `id` or `name` makes it large."""

LAST_TRY = 2
"""A connection may end for many reasons, but hardly twice with the same large status under way."""


@dataclass(slots=True, kw_only=True)
class Outflow:
    """Publishes for the transport."""

    nucleus: Nucleus
    sides: Sequence[Origin]
    statuses_to: StatusesTo
    observer: Observer
    _taken: dict[bytes, set[Origin]] = field(init=False, default_factory=dict)
    """Of statuses that one side has taken and the other has not: they are not repeated there."""
    _ended_with: Counter[bytes] = field(init=False, default_factory=Counter)
    _one_large: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    """Large ones go one at a time, so that a connection which ends points at one of them."""

    def publish(self, topic: str, payload: bytes, *, origin: Origin | None) -> asyncio.Future[None]:
        """Done when every side has taken it; fails with NotAcknowledged.

        What closes the connection whenever it is published counts as refused from then on: it stays in the
        journal, and the statuses behind it go on.
        """
        if len(payload) <= LARGE_BYTES:
            return asyncio.ensure_future(self._publish(topic, payload, origin))
        return asyncio.ensure_future(self._publish_large(topic, payload, origin))

    async def _publish_large(self, topic: str, payload: bytes, origin: Origin | None) -> None:
        async with self._one_large:
            if self._ended_with[payload] >= LAST_TRY:
                raise NotAcknowledged("the nucleus hangs up over so large a status", refused=True)
            was_connected = self.nucleus.is_connected
            try:
                await self._publish(topic, payload, origin)
            except NotAcknowledged as error:
                if was_connected and not error.refused:
                    self._suspect(payload)
                raise
            del self._ended_with[payload]

    def _suspect(self, payload: bytes) -> None:
        self._ended_with[payload] += 1
        if self._ended_with[payload] == LAST_TRY:
            self.observer.event("status_too_large", level=Level.ERROR, bytes=len(payload))

    async def _publish(self, topic: str, payload: bytes, origin: Origin | None) -> None:
        taken = self._taken.pop(payload, set())
        error = None
        for side in self._where(origin):
            if side not in taken:
                try:
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
