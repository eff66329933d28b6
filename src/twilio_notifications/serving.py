"""A small HTTP server in the event loop: one answer for each connection, and bounds for everything.

A client has few seconds and few bytes to ask. Nothing that a client sends is ever repeated. The sockets may
be opened before the process is confined, which afterwards can make no listener. So connections are accepted
here and not by asyncio's server, which calls listen once more.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final, Self

from twilio_notifications.core.errors import ListeningFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from types import TracebackType

MOST_HEAD_BYTES: Final = 8 * 1024
MOST_CONNECTIONS: Final = 16
"""A request is over in milliseconds. A new client waits for a place; a client that has asked is answered."""
SILENCE_SECONDS: Final = 0.25
"""After this, a client that has not asked yet makes room where there is no place, the oldest one first."""
PATIENCE_SECONDS: Final = 5.0
_MOST_DIGITS: Final = 10
_WITHOUT_A_BODY: Final = frozenset({"GET", "HEAD"})
"""Methods that need not say that they send nothing."""
ACCEPT_PAUSE_SECONDS: Final = 1.0
"""While the process has no file descriptors left."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request with its whole body. The names of `headers` are in lower case."""

    method: str
    target: str
    """As it was sent: the path and the query."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpResponse:
    """An answer; `status` is the number and its words."""

    status: str
    body: bytes = b""
    content_type: str | None = None
    extra: str = ""
    """More header lines, each with its end."""

    def encoded(self, *, has_body: bool) -> bytes:
        """The bytes of the answer; an answer to HEAD has no body, and the headers of one."""
        kind = "" if self.content_type is None else f"Content-Type: {self.content_type}\r\n"
        head = (
            f"HTTP/1.1 {self.status}\r\n{kind}Content-Length: {len(self.body)}\r\n"
            f"{self.extra}Connection: close\r\n\r\n"
        )
        return head.encode() + (self.body if has_body else b"")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientBounds:
    """What a client may take."""

    body_bytes: int = 0
    """The largest body; 0: bodies are not read."""
    patience_seconds: float = PATIENCE_SECONDS
    """For the whole request and its answer."""
    connections: int = MOST_CONNECTIONS


def listening(host: str, port: int, *, setting: str) -> list[socket.socket]:
    """Sockets that listen on each address of the host. Raises ListeningFailed where one cannot be had.

    `setting` is where the address was configured, such as "[metrics] listen".
    """
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
        raise ListeningFailed.of(error, setting=setting, address=f"{host}:{port}") from error
    return found


class HttpServer:
    """Serves on these listeners while it is open, and closes them."""

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        *,
        name: str,
        answer: Callable[[HttpRequest], Awaitable[HttpResponse]],
        bounds: ClientBounds,
    ) -> None:
        """`name` names its coroutines. `answer` gets what was asked; what it raises ends the connection."""
        self._listeners = listeners
        self._name = f"twilio_notifications.{name}"
        self._answer = answer
        self._bounds = bounds
        self._accepting: list[asyncio.Task[None]] = []
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._silent: dict[asyncio.StreamWriter, float] = {}
        """Since when the request of a client has not been complete, the oldest first."""
        self._ended = asyncio.Event()
        """Set when a connection has ended."""

    async def __aenter__(self) -> Self:
        for listener in self._listeners:
            listener.setblocking(False)  # noqa: FBT003 - the socket module's own signature
            self._accepting.append(asyncio.create_task(self._accept(listener), name=f"{self._name}.accept"))
        return self

    @property
    def port(self) -> int:
        """The port on which the server listens; with port 0, the one that the system chose."""
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
            await self._until_a_place_is_free()
            try:
                connection, _ = await loop.sock_accept(listener)
            except ConnectionError:
                continue  # the client has hung up already
            except OSError:
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            reader = asyncio.StreamReader(limit=MOST_HEAD_BYTES)
            make = partial(asyncio.StreamReaderProtocol, reader, self._take_in)
            await loop.connect_accepted_socket(make, connection)

    async def _until_a_place_is_free(self) -> None:
        loop = asyncio.get_running_loop()
        while len(self._open) >= self._bounds.connections:
            pause = None
            if self._silent:
                oldest, since = next(iter(self._silent.items()))
                pause = since + SILENCE_SECONDS - loop.time()
                if pause <= 0:
                    del self._silent[oldest]
                    oldest.transport.abort()
                    pause = None
            self._ended.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._ended.wait()

    def _take_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer), name=self._name)
        self._open[serving], self._silent[writer] = writer, asyncio.get_running_loop().time()
        serving.add_done_callback(self._end)

    def _end(self, serving: asyncio.Task[None]) -> None:
        self._silent.pop(self._open.pop(serving), None)
        self._ended.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(self._bounds.patience_seconds):
                request = await self._read(reader)
                self._silent.pop(writer, None)
                response = request if isinstance(request, HttpResponse) else await self._answer(request)
                if writer.transport.is_closing():
                    return  # the client has hung up meanwhile
                has_body = isinstance(request, HttpResponse) or request.method != "HEAD"
                writer.write(response.encoded(has_body=has_body))
                await writer.drain()
        except (OSError, EOFError, asyncio.LimitOverrunError):  # TimeoutError is an OSError
            return  # a request of this form gets no answer
        finally:
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> HttpRequest | HttpResponse:
        """The whole request, or the refusal of one that is out of bounds."""
        request = _head(await reader.readuntil(b"\r\n\r\n"))
        if not self._bounds.body_bytes:
            return request
        length = request.headers.get("content-length", "0" if request.method in _WITHOUT_A_BODY else "")
        if "transfer-encoding" in request.headers or not (length.isascii() and length.isdecimal()):
            return HttpResponse(status="411 Length Required")
        # The digits are bounded before they are read: Python takes its time over thousands of them.
        size = int(length) if len(length) <= _MOST_DIGITS else None
        if size is None or size > self._bounds.body_bytes:
            return HttpResponse(status="413 Content Too Large")
        body = await reader.readexactly(size)
        return replace(request, body=body)


def _head(head: bytes) -> HttpRequest:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, _, rest = first.partition(" ")
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return HttpRequest(method=method, target=rest.partition(" ")[0], headers=headers)
