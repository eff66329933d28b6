"""Serves the page of metrics by HTTP, in the event loop: no thread, one path, nothing is read but a request.

A client gets one answer for each connection, and few seconds and bytes to ask for it. Nothing that a client
sends is ever repeated or kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from twilio_notifications.core.errors import ListeningFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from twilio_notifications.ports import Observer

PATIENCE_SECONDS = 5.0
MOST_BYTES = 8 * 1024
MOST_CONNECTIONS = 16
"""A scrape is over in milliseconds; more at once are not scrapes."""

_PAGE_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class MetricsEndpoint:
    """Listens on one address while it is open."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        page: Callable[[], bytes],
        observer: Observer,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._host = host
        self._patience_seconds = patience_seconds
        self._port = port
        self._page = page
        self._observer = observer
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        """Raises ListeningFailed where the address cannot be had."""
        try:
            self._server = await asyncio.start_server(self._accept, self._host, self._port, limit=MOST_BYTES)
        except OSError as error:
            raise ListeningFailed(
                f"[metrics] listen: nothing can listen on {self._host}:{self._port} "
                f"({error.strerror or error}). Choose another port, or end what listens there"
            ) from error
        self._observer.event("metrics_listening", address=f"{self._host}:{self.port}")
        return self

    @property
    def port(self) -> int:
        """Where it listens, also where any free port would do."""
        return int(self._server.sockets[0].getsockname()[1])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        if self._open:
            # By themselves: asyncio tells of a client that is cancelled at the very end as of a defect.
            for writer in self._open.values():
                writer.transport.abort()
            await asyncio.wait(self._open)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer), name="twilio_notifications.metrics")
        self._open[serving] = writer
        serving.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if len(self._open) <= MOST_CONNECTIONS:
                async with asyncio.timeout(self._patience_seconds):
                    head = await reader.readuntil(b"\r\n\r\n")
                    writer.write(self._answer(head))
                    await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
            return  # whoever asks like this gets no answer
        finally:
            writer.close()

    def _answer(self, head: bytes) -> bytes:
        method, _, rest = head.partition(b" ")
        path = rest.partition(b" ")[0].partition(b"?")[0]
        if path != b"/metrics":
            return _response("404 Not Found", b"the metrics are at /metrics\n", has_body=method != b"HEAD")
        if method not in {b"GET", b"HEAD"}:
            return _response("405 Method Not Allowed", b"", extra="Allow: GET, HEAD\r\n")
        page = self._page()
        return _response("200 OK", page, has_body=method == b"GET")


def _response(status: str, body: bytes, *, extra: str = "", has_body: bool = True) -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {_PAGE_TYPE}\r\nContent-Length: {len(body)}\r\n"
        f"{extra}Connection: close\r\n\r\n"
    )
    return head.encode() + (body if has_body else b"")
