"""A line between the connector and its broker on which acknowledgements get lost.

It cuts the connector's bytes into MQTT packets and drops the PUBACKs that a test wants lost; all else passes.
Real lines lose the tail of what was sent; this one loses a part at will, so that a test knows which.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self

HOST = "127.0.0.1"
_PUBACK = 4
_CONTINUED = 0x80


class LossyLine:
    """`async with LossyLine(broker.port) as line:` leads from `line.url` to that port of the loopback."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._server: asyncio.Server
        self._passing: set[asyncio.Task[None]] = set()
        self.passes: int | None = None
        """So many more PUBACKs of the connector pass; None: all do."""
        self.lost = 0
        """PUBACKs of the connector that were dropped."""

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self._server.sockets[0].getsockname()[1]}"

    async def cut(self) -> None:
        """Breaks every connection; new ones can be made at once."""
        for passing in self._passing:
            passing.cancel()
        if self._passing:
            await asyncio.wait(self._passing)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self.cut()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        passing = asyncio.create_task(self._join(reader, writer))
        self._passing.add(passing)
        passing.add_done_callback(self._passing.discard)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            try:
                there, back = await asyncio.open_connection(HOST, self._target)
                try:
                    await asyncio.gather(self._requests(there, writer), self._answers(reader, back))
                finally:
                    back.transport.abort()
            finally:
                writer.transport.abort()

    async def _requests(self, broker: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await broker.read(65_536):
            writer.write(received)
            await writer.drain()
        raise ConnectionError("the broker has hung up")

    async def _answers(self, reader: asyncio.StreamReader, broker: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(2)
            while head[-1] & _CONTINUED:
                head += await reader.readexactly(1)
            length = sum((byte & ~_CONTINUED) << 7 * place for place, byte in enumerate(head[1:]))
            body = await reader.readexactly(length)
            if head[0] >> 4 == _PUBACK and self.passes is not None:
                if not self.passes:
                    self.lost += 1
                    continue
                self.passes -= 1
            broker.write(head + body)
            await broker.drain()
