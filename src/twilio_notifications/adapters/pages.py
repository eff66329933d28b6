"""Serves pages by HTTP, each on a path of its own: metrics and health. Of a request it reads the head.

A page is made when it is asked for. Nothing that a client sends goes into one.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final, Protocol, Self

from twilio_notifications import serving
from twilio_notifications.serving import ClientBounds, HttpRequest, HttpResponse, HttpServer

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

    from twilio_notifications.ports import Event, Events

PLAIN: Final = "text/plain; charset=utf-8"


class PagesEndpoint:
    """Serves the pages on one address while it is open; on `listeners`, which it closes."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        *,
        pages: Mapping[str, Callable[[], Awaitable[HttpResponse]]],
        events: Events,
        listening: Callable[[int], Event],
        patience_seconds: float = serving.PATIENCE_SECONDS,
    ) -> None:
        """`pages` are found by their path. `listening` is the event of the opening, from the port."""
        self._listeners = listeners
        self._pages = pages
        self._events = events
        self._listening = listening
        self._bounds = ClientBounds(patience_seconds=patience_seconds)
        self._server: HttpServer
        self._opened = AsyncExitStack()

    async def __aenter__(self) -> Self:
        server = HttpServer(self._listeners, name="pages", answer=self._answer, bounds=self._bounds)
        self._server = await self._opened.enter_async_context(server)
        self._events.tell(self._listening(self.port))
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
        page = self._pages.get(request.target.partition("?")[0])
        if page is None:
            body = f"served here: {', '.join(self._pages)}\n".encode()
            return HttpResponse(status="404 Not Found", body=body, content_type=PLAIN)
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(
                status="405 Method Not Allowed", content_type=PLAIN, extra="Allow: GET, HEAD\r\n"
            )
        return await page()


class HealthSource(Protocol):
    """Gives the facts that the pages of the health show."""

    def hindrances(self) -> Sequence[str]:
        """Why the connector is not ready; empty: it is."""

    async def stall(self) -> str | None:
        """Why the connector is not alive; None: it is."""


def health_pages(health: HealthSource) -> dict[str, Callable[[], Awaitable[HttpResponse]]]:
    """/health/live and /health/ready: 200 for yes; 503 for no, with a line for each reason."""

    async def live() -> HttpResponse:
        stall = await health.stall()
        return _yes_or_no("alive", [] if stall is None else [stall])

    async def ready() -> HttpResponse:
        return _yes_or_no("ready", health.hindrances())

    return {"/health/live": live, "/health/ready": ready}


def _yes_or_no(word: str, reasons: Sequence[str]) -> HttpResponse:
    lines = reasons or [word]
    return HttpResponse(
        status="503 Service Unavailable" if reasons else "200 OK",
        body="".join(f"{line}\n" for line in lines).encode(),
        content_type=PLAIN,
        extra="Cache-Control: no-store\r\n",
    )
