"""Serves the page of metrics by HTTP, in the event loop: no thread, one path, nothing is read but a request.

A client gets one answer for each connection, and few seconds and bytes to ask for it. Nothing that a client
sends is ever repeated or kept. The sockets may be opened before the process is confined, which afterwards can
make no listener. So connections are accepted here and not by asyncio's server, which calls listen once more.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from typing import TYPE_CHECKING, Self

from twilio_notifications.core.errors import ListeningFailed
from twilio_notifications.ports.events import MetricsListening

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from twilio_notifications.ports import Events

PATIENCE_SECONDS = 5.0
MOST_BYTES = 8 * 1024
MOST_CONNECTIONS = 16
"""A scrape is over in milliseconds; more at once are not scrapes. The oldest one makes room for a new one, so
that clients that ask nothing cannot keep a scrape out."""
ACCEPT_PAUSE_SECONDS = 1.0
"""While the process has no file descriptors left."""

_PAGE_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def listening(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of the host. Raises ListeningFailed where one cannot be had."""
    found: list[socket.socket] = []
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, address in dict.fromkeys((entry[0], entry[4]) for entry in addresses):
            # Port 0 takes a free one, which is then the one of every address.
            at = (address[0], port or (found[0].getsockname()[1] if found else 0), *address[2:])
            found.append(socket.create_server(at, family=family))
    except OSError as error:
        for listener in found:
            listener.close()
        raise ListeningFailed.of(error, setting="[metrics] listen", address=f"{host}:{port}") from error
    return found


class MetricsEndpoint:
    """Serves on one address while it is open; on `listeners`, and closes them, where they are given."""

    def __init__(
        self,
        host: str,
        port: int,
        *,
        page: Callable[[], bytes],
        events: Events,
        patience_seconds: float = PATIENCE_SECONDS,
        listeners: Sequence[socket.socket] = (),
    ) -> None:
        self._host = host
        self._patience_seconds = patience_seconds
        self._port = port
        self._listeners = listeners
        self._accepting: list[asyncio.Task[None]] = []
        self._page = page
        self._events = events
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def __aenter__(self) -> Self:
        """Raises ListeningFailed where the address cannot be had."""
        self._listeners = self._listeners or listening(self._host, self._port)
        for listener in self._listeners:
            listener.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            accepting = asyncio.create_task(
                self._accept(listener), name="twilio_notifications.metrics.accept"
            )
            self._accepting.append(accepting)
        self._events.tell(MetricsListening(address=f"{self._host}:{self.port}"))
        return self

    @property
    def port(self) -> int:
        """Where it listens, also where any free port would do."""
        return int(self._listeners[0].getsockname()[1])

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for accepting in self._accepting:
            accepting.cancel()
        await asyncio.wait(self._accepting)
        for listener in self._listeners:
            listener.close()
        if self._open:
            # By themselves: asyncio tells of a client that is cancelled at the very end as of a defect.
            for writer in self._open.values():
                writer.transport.abort()
            await asyncio.wait(self._open)

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except ConnectionError:
                continue  # the client has hung up already
            except OSError:
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            reader = asyncio.StreamReader(limit=MOST_BYTES)
            make = partial(asyncio.StreamReaderProtocol, reader, self._take_in)
            await loop.connect_accepted_socket(make, connection)

    def _take_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there = [each for each in self._open.values() if not each.transport.is_closing()]
        if len(there) >= MOST_CONNECTIONS:
            there[0].transport.abort()
        serving = asyncio.create_task(self._serve(reader, writer), name="twilio_notifications.metrics")
        self._open[serving] = writer
        serving.add_done_callback(self._open.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._patience_seconds):
                head = await reader.readuntil(b"\r\n\r\n")
                writer.write(self._answer(head))
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
            return  # a request of this form gets no answer
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
