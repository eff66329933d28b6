"""The network between the connector and one server, for tests that cut it.

It passes bytes on and never looks into them. The end of its context closes it; its port stays the same
throughout.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import ssl

HOST = "127.0.0.1"
CHUNK = 65_536
HOLD = 2_048
"""Bytes that a black hole takes before the sender's own buffers fill, as on a real and narrow line."""


class Proxy:
    """`async with Proxy(broker.port) as proxy:` leads from `proxy.port` to that port of the loopback.

    With `tls` it speaks TLS with its clients, and none with the target.
    """

    def __init__(self, target: int, *, tls: ssl.SSLContext | None = None) -> None:
        self._target = target
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._seat = socket.socket()
        self._passing: set[asyncio.Task[None]] = set()
        self._through = asyncio.Event()
        self._through.set()
        self._answering: set[asyncio.Event] = set()
        """One for each connection."""
        self.port = 0
        self.connections = 0
        """How many have been made so far."""

    async def cut(self) -> None:
        """Breaks every connection; new ones can be made at once."""
        for passing in self._passing:
            passing.cancel()
        if self._passing:
            await asyncio.wait(self._passing)

    async def refuse(self) -> None:
        """Breaks every connection and lets none be made, as when the other side's program is down."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.cut()

    def black_hole(self) -> None:
        """Swallows everything from now on, as a router without power does, and sends no reset."""
        self._through.clear()

    def withhold_answers(self) -> None:
        """What the server says over the present connections stays here; what it is sent still arrives."""
        for answering in self._answering:
            answering.clear()

    async def restore(self) -> None:
        """Everything passes again; what was sent into a black hole arrives, as TCP would repeat it."""
        self._through.set()
        if self._server is None:
            self._server = await asyncio.start_server(
                self._connected, sock=self._listener(), limit=HOLD, ssl=self._tls
            )

    async def __aenter__(self) -> Self:
        # Bound and not listening, it keeps the port ours while the proxy refuses (see mosquitto.py).
        self._seat.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._seat.bind((HOST, self.port))
        self.port = int(self._seat.getsockname()[1])
        await self.restore()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._through.set()
        await self.refuse()
        self._seat.close()

    def _listener(self) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, HOLD)
        listener.bind((HOST, self.port))
        return listener

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        # A coroutine apart: the one that asyncio runs for this connection complains when it is cancelled.
        passing = asyncio.create_task(self._join(reader, writer))
        self._passing.add(passing)
        try:
            await asyncio.wait({passing})
        finally:
            passing.cancel()
            self._passing.discard(passing)
            writer.transport.abort()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._through.wait()
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self._target)
        except OSError:
            return  # the other side is down: then this side is closed, too
        answering = asyncio.Event()
        answering.set()
        self._answering.add(answering)
        directions = {
            asyncio.create_task(self._pass_on(reader, far_writer, self._through)),
            asyncio.create_task(self._pass_on(far_reader, writer, self._through, answering)),
        }
        try:
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._answering.discard(answering)
            far_writer.transport.abort()
            for direction in directions:
                direction.cancel()
            await asyncio.wait(directions)

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *opened: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while chunk := await reader.read(CHUNK):
                for each in opened:
                    await each.wait()
                writer.write(chunk)
                await writer.drain()
            await writer.drain()
