"""A client of the broker for a program that people use: it connects when it is needed, and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from twilio_notifications.adapters.mqtt.opening import describe, open_visitor
from twilio_notifications.core.errors import TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.mqtt.session import Session
    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Inbound


class MqttVisitor:
    """Implements the port Visitor on the configured broker, with a client identifier of its own."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        client_id: str,
        topics: Sequence[str],
        on_message: Callable[[str, bytes], None],
    ) -> None:
        """`on_message` gets the topic and the payload of what arrives on these topics."""
        self._settings = settings
        self._client_id = client_id
        self._topics = topics
        self._on_message = on_message
        self._session: Session | None = None
        self._connecting = asyncio.Lock()

    @property
    def address(self) -> str:
        return self._settings.address

    @property
    def is_connected(self) -> bool:
        return self._session is not None and not self._session.ended.done()

    async def connect(self) -> None:
        await self._obtain_session()

    async def publish(self, topic: str, payload: bytes) -> None:
        session = await self._obtain_session()
        published = session.publish(topic, payload)
        # After the time-out the future may still fail, and asyncio would report that no one read that.
        published.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(self._settings.acknowledge_seconds):
                await asyncio.shield(published)
        except TimeoutError:
            raise TransportError(
                f"{self.address} did not acknowledge the request in time, so it may or may not have it: look "
                "at the list of requests before you send it again"
            ) from None

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def _obtain_session(self) -> Session:
        async with self._connecting:
            if self._session is not None and not self._session.ended.done():
                return self._session
            try:
                self._session = await open_visitor(
                    self._settings, self._client_id, topics=self._topics, on_inbound=self._receive
                )
            except (OSError, TransportError) as error:
                sentence = describe(error, self._settings)
                raise TransportError(f"no connection to {self.address}: {sentence}") from error
            return self._session

    def _receive(self, inbound: Inbound) -> None:
        inbound.acknowledge()
        self._on_message(inbound.topic, inbound.payload)
