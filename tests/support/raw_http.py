"""An HTTP server that answers, or does not answer, exactly as a test wants, byte by byte, on a real socket.

For what a stand-in for Twilio cannot be asked: half an answer, garbage, silence, TLS with a stranger's name.
Each request is answered by the next script; the last one answers all that follow.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable, Mapping

HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request as it came over the wire; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """One connection while one request is answered."""

    def __init__(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        self.asked = asked
        self._writer = writer

    def say(self, raw: bytes) -> None:
        self._writer.write(raw)

    def answer(self, status: int, body: bytes = b"{}", **headers: str) -> None:
        """A whole answer; `Retry_After="1"` is the header `Retry-After: 1`."""
        lines = [f"HTTP/1.1 {status} -", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.say("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    async def flushed(self) -> None:
        """Returns when the client has taken most of what was said; ConnectionError when it has gone."""
        await self._writer.drain()

    def hang_up(self) -> None:
        self._writer.close()

    async def wait_for_the_end(self) -> None:
        """Returns when the client has given up."""
        await self._writer.wait_closed()


class RawHttp:
    """`async with RawHttp(script) as server:` listens at `server.url`."""

    def __init__(
        self, *scripts: Callable[[Exchange], Awaitable[None]], tls: ssl.SSLContext | None = None
    ) -> None:
        self._scripts = scripts
        self._tls = tls
        self._server: asyncio.Server
        self._writers: list[asyncio.StreamWriter] = []
        self._serving: set[asyncio.Task[None]] = set()
        self.connections = 0
        self.asked: list[Asked] = []
        """The requests so far, whole ones only."""
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, 0, ssl=self._tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://{HOST}:{port}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()
        for serving in self._serving:
            serving.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            asked = await _read(reader)
            script = self._scripts[min(len(self.asked), len(self._scripts) - 1)]
            self.asked.append(asked)
            await script(Exchange(asked, writer))


async def _read(reader: asyncio.StreamReader) -> Asked:
    """The next request; IncompleteReadError, which ends the connection, when there is none."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method=method, target=target, headers=headers, body=body)
