"""Publishes a function's messages, to a broker or to the Greengrass V2 nucleus.

An outlet sends a message once. When the connection ends before the acknowledgement comes, the message may or
may not have arrived; the outlet raises an error and leaves a repetition to the caller, since it could send a
text twice.
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


class MessageOutlet(Protocol):
    async def publish(self, topic: str, payload: bytes) -> None:
        """Returns when the other side has acknowledged the message; raises TransportError."""

    async def close(self) -> None:
        """Ends the connection, if one is open."""


def own_client_id(settings: MqttSettings) -> str:
    """A client id of the function's own: a broker disconnects the earlier of two clients with the same id."""
    return f"{settings.client_id}-v1-{secrets.token_hex(4)}"


class BrokerOutlet:
    """Publishes to a broker; connects for the first message, and again after the connection has ended."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._client_id = own_client_id(settings)
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    async def publish(self, topic: str, payload: bytes) -> None:
        session = await self._connect()
        limit = self._settings.connect_timeout_seconds
        try:
            async with asyncio.timeout(limit):
                await session.publish(topic, payload)
        except NotAcknowledged as error:
            sentence = f"{self._settings.address} did not acknowledge a message on {topic}: {error}"
            raise NotAcknowledged(sentence, refused=error.refused) from error
        except TimeoutError:
            await session.close()  # the connection may be dead, so the next message opens another
            raise NotAcknowledged(
                f"{self._settings.address} did not acknowledge a message on {topic} within {limit:g} s "
                "([transport] connect_timeout_seconds); it may or may not have it"
            ) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _connect(self) -> Session:
        """The session, opened where it is not open."""
        async with self._connecting:
            if self._session is None or self._session.ended.done():
                await self.close()
                self._session = await self._open()
            return self._session

    async def _open(self) -> Session:
        settings = self._settings
        try:
            return await open_visitor(settings, self._client_id)
        except (OSError, TransportError) as error:
            sentence = f"no connection to {settings.address}: {describe(error, settings)}"
            raise TransportError(sentence) from error


class OneNucleus:
    """A nucleus, connected at the first use, and again after the connection has ended."""

    def __init__(self, nucleus: Nucleus) -> None:
        self._nucleus = nucleus
        self._connecting = asyncio.Lock()

    async def connected(self) -> Nucleus:
        """The connected nucleus; raises TransportError where it cannot be reached."""
        async with self._connecting:
            if not self._nucleus.is_connected:
                await self._nucleus.connect()
            return self._nucleus


class NucleusOutlet:
    """Publishes to a nucleus: on its local topics, or on those of AWS IoT Core."""

    def __init__(self, nucleus: OneNucleus, side: Origin) -> None:
        self._nucleus = nucleus
        self._side = side

    async def publish(self, topic: str, payload: bytes) -> None:
        nucleus = await self._nucleus.connected()
        await nucleus.publish(self._side, topic, payload)

    async def close(self) -> None:
        """Does nothing: the nucleus notices the end of the process, and its SDK would need threads."""
