"""Serves the page of metrics by HTTP: one path, nothing is read but the head of a request."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Self

from twilio_notifications import serving
from twilio_notifications.ports.events import MetricsListening
from twilio_notifications.serving import ClientBounds, HttpRequest, HttpResponse, HttpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from twilio_notifications.ports import Events

_PAGE_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of the host. Raises ListeningFailed where one cannot be had."""
    return serving.listening(host, port, setting="[metrics] listen")


class MetricsEndpoint:
    """Serves on one address while it is open; on `listeners`, and closes them, where they are given."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        page: Callable[[], bytes],
        events: Events,
        patience_seconds: float = serving.PATIENCE_SECONDS,
        listeners: Sequence[socket.socket] = (),
    ) -> None:
        self._host = host
        self._port = port
        self._bounds = ClientBounds(patience_seconds=patience_seconds)
        self._listeners = listeners
        self._page = page
        self._events = events
        self._server: HttpServer
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Raises ListeningFailed where the address cannot be had."""
        self._listeners = self._listeners or listening(self._host, self._port)
        server = HttpServer(self._listeners, name="metrics", answer=self._answer, bounds=self._bounds)
        self._server = await self._opened.enter_async_context(server)
        self._events.tell(MetricsListening(address=f"{self._host}:{self.port}"))
        return self

    @property
    def port(self) -> int:
        """Where it listens, also where any free port would do."""
        return self._server.port

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._opened.aclose()

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.target.partition("?")[0] != "/metrics":
            body = b"the metrics are at /metrics\n"
            return HttpResponse(status="404 Not Found", body=body, content_type=_PAGE_TYPE)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(
                status="405 Method Not Allowed", content_type=_PAGE_TYPE, extra="Allow: GET, HEAD\r\n"
            )
        return HttpResponse(status="200 OK", body=self._page(), content_type=_PAGE_TYPE)
