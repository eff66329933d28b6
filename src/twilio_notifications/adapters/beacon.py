"""Calls the address of the heartbeat: one GET over HTTPS or HTTP, whose answer only has to be a success."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from pyreqwest.client import ClientBuilder
from pyreqwest.exceptions import PyreqwestError

from twilio_notifications.config.urls import is_loopback_host

if TYPE_CHECKING:
    from types import TracebackType

    from pyreqwest.client import Client

    from twilio_notifications.config.urls import HeartbeatUrl

TIMEOUT_SECONDS: Final = 10.0
_SUCCESS: Final = range(200, 300)


class HttpBeacon:
    """Implements ports.Beacon. It never shows more of the address than the host."""

    def __init__(self, url: HeartbeatUrl, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._client: Client
        self._opened = AsyncExitStack()

    @property
    def host(self) -> str:
        """The part of the address that may be shown."""
        return self._url.host

    async def __aenter__(self) -> Self:
        builder = (
            ClientBuilder()
            .user_agent("twilio-notifications")
            .timeout(timedelta(seconds=self._timeout_seconds))
            # An answer of this kind means that the address is wrong; another one is not called in its place.
            .follow_redirects(enable=False)
            .referer(enable=False)
        )
        if is_loopback_host(self._url.host):
            builder = builder.no_proxy()
        self._client = await self._opened.enter_async_context(builder.build())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def call(self) -> str | None:
        """None where the service took the call; else the sentence that says why it did not."""
        try:
            # The body is of no use, and is not read: it may have any length.
            async with self._client.get(self._url.whole.reveal()).build_streamed() as response:
                status = response.status
        except PyreqwestError as error:
            # Without the texts of the library: they hold the address.
            kind = type(error).__name__.removesuffix("Error")
            return f"it cannot be called ({kind}): check [heartbeat] url, the network and the firewall"
        if status in _SUCCESS:
            return None
        return f"it answered with HTTP {status}: check [heartbeat] url, and the check of that service"
