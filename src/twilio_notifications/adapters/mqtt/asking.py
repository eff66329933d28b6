"""A client of the connector: publishes requests and waits for their statuses."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, Self

from twilio_notifications.adapters.mqtt.opening import describe, open_visitor
from twilio_notifications.core.errors import ConnectorError, TransportError
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from twilio_notifications.config import MqttSettings
    from twilio_notifications.ports import Inbound


class NoStatus(ConnectorError):
    """No status came in time."""


class Asker:
    """A client of the configured broker, with a client identifier of its own."""

    def __init__(self, settings: MqttSettings, *, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._topics = settings.topics
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    async def __aenter__(self) -> Self:
        """Connects and subscribes to the statuses; raises a TransportError that says what to do."""
        try:
            self._session = await open_visitor(
                self._settings, self._client_id, topics=[self._topics.status], on_inbound=self._receive
            )
        except (OSError, TransportError) as error:
            sentence = describe(error, self._settings)
            raise TransportError(f"no connection to {self._settings.address}: {sentence}") from error
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def ask(
        self, channel: Channel, request: Mapping[str, Any], *, timeout_seconds: float
    ) -> dict[str, Any]:
        """Publishes `request`, whose id must be unique, and returns its status.

        Raises NoStatus after `timeout_seconds`, NotAcknowledged where the broker refuses the request.
        """
        status: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[request["id"]] = status
        topic = self._topics.text if channel is Channel.SMS else self._topics.call
        published = self._session.publish(topic, json.dumps(request).encode())
        # After an interruption, the future fails when the session is closed, and asyncio would report that
        # its exception was never read.
        published.add_done_callback(lambda done: done.cancelled() or done.exception())
        try:
            async with asyncio.timeout(timeout_seconds):
                await asyncio.shield(published)
                return await status
        except TimeoutError:
            raise NoStatus(_silence(timeout_seconds, reached=published.done())) from None

    def _receive(self, inbound: Inbound) -> None:
        inbound.acknowledge()
        try:
            status = json.loads(inbound.payload)
        except ValueError:
            return  # a message of another program on the status topic
        # Other programs may publish on this topic too, so the fields are checked before they are read.
        response = status.get("response") if isinstance(status, dict) else None
        if not isinstance(response, dict) or "status" not in response:
            return
        waiting = self._waiting.get(str(status.get("id")))
        if waiting is not None and not waiting.done():
            waiting.set_result(status)


def _silence(seconds: float, *, reached: bool) -> str:
    if not reached:
        return (
            f"the broker did not acknowledge the request within {seconds:g} s, so it may or may not have the "
            "request. The broker's log may say why."
        )
    return (
        f"no status came within {seconds:g} s. Where a connector with this configuration is connected, or "
        "was before, the request is carried out as soon as it can be: do not send it again. If none ever "
        "was, the broker has dropped the request. Is a connector running with this configuration? "
        "Its log says what it waits for."
    )
