"""Where a function's messages go out: a broker, or the Greengrass V2 nucleus.

A message is sent once. When its connection ends before the acknowledgement comes, it may or may not have
arrived; that is an error for the caller to judge, because to publish it again could send a text twice.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Protocol

from twilio_notifications.adapters.mqtt.opening import describe, open_visitor
from twilio_notifications.core.errors import NotAcknowledged, TransportError

if TYPE_CHECKING:
    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Origin


class Outlet(Protocol):
    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when it is acknowledged; raises TransportError."""

    async def close(self) -> None:
        """Ends the connection, if there is one."""


def own_client_id(settings: MqttSettings) -> str:
    """Not the connector's: a broker lets one of the same name in, and throws the other one out."""
    return f"{settings.client_id}-v1-{secrets.token_hex(4)}"


class BrokerOutlet:
    """A broker, connected when there is something to publish, and again when the connection has ended."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._client_id = own_client_id(settings)
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    async def publish(self, topic: str, payload: bytes) -> None:
        session = await self._connected()
        limit = self._settings.connect_timeout_seconds
        try:
            async with asyncio.timeout(limit):
                await session.publish(topic, payload)
        except NotAcknowledged as error:
            sentence = f"{self._settings.address} did not acknowledge a message on {topic}: {error}"
            raise NotAcknowledged(sentence, refused=error.refused) from error
        except TimeoutError:
            await session.close()  # it may be a connection that leads nowhere any more
            raise NotAcknowledged(
                f"{self._settings.address} did not acknowledge a message on {topic} within {limit:g} s "
                "([transport] connect_timeout_seconds); it may or may not have it"
            ) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _connected(self) -> Session:
        async with self._connecting:
            if self._session is None or self._session.ended.done():
                await self.close()
                self._session = await self._opened()
            return self._session

    async def _opened(self) -> Session:
        settings = self._settings
        try:
            return await open_visitor(settings, self._client_id)
        except (OSError, TransportError) as error:
            sentence = f"no connection to {settings.address}: {describe(error, settings)}"
            raise TransportError(sentence) from error


class OneNucleus:
    """A nucleus, connected when it is first needed, and again when the connection has ended."""

    def __init__(self, nucleus: Nucleus) -> None:
        self._nucleus = nucleus
        self._connecting = asyncio.Lock()

    async def connected(self) -> Nucleus:
        """Raises TransportError where it cannot be reached."""
        async with self._connecting:
            if not self._nucleus.is_connected:
                await self._nucleus.connect()
            return self._nucleus


class NucleusOutlet:
    """A nucleus, on one of its sides."""

    def __init__(self, nucleus: OneNucleus, side: Origin) -> None:
        self._nucleus = nucleus
        self._side = side

    async def publish(self, topic: str, payload: bytes) -> None:
        nucleus = await self._nucleus.connected()
        await nucleus.publish(self._side, topic, payload)

    async def close(self) -> None:
        """A nucleus needs no goodbye; and its SDK wants threads, which a process at its end has not."""
