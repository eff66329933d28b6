"""The broker of the demo: amqtt inside this program, on the loopback, with anonymous access.

It speaks MQTT 3.1.1 and keeps nothing for clients that are away, so no promise may rest on it. The sockets
are ours and not amqtt's: amqtt neither ends connections that never completed their CONNECT, nor answers every
CONNECT of MQTT 5 (it takes the properties for a client id, and waits for the rest of it).
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from types import TracebackType

UNSUPPORTED_VERSION = bytes((0x20, 0x03, 0x00, 0x84, 0x00))  # MQTT 5: CONNACK with reason 0x84
LEVEL_5 = b"MQTT\x05"
LOOPBACK = "127.0.0.1"
LISTENER = "default"  # amqtt insists on one of this name
ANYBODY = "amqtt.plugins.authentication.AnonymousAuthPlugin"
QUIET = ("amqtt", "transitions")  # they log every connection and every change of state


class EmbeddedBroker:
    """A broker on `url` while the context is open; the clients still connected at its end are cut off."""

    def __init__(self) -> None:
        self._port: int
        self._broker: Any
        self._server: asyncio.Server
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """What `[transport] url` takes."""
        return f"mqtt://{LOOPBACK}:{self._port}"

    async def __aenter__(self) -> Self:
        from amqtt.broker import Broker  # noqa: PLC0415 - 0.15 s to import, and only the demo needs it

        for name in QUIET:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        listeners = {LISTENER: {"type": "external"}}
        self._broker = Broker({"listeners": listeners, "plugins": {ANYBODY: {"allow_anonymous": True}}})
        await self._broker.start()
        self._server = await asyncio.start_server(self._accept, LOOPBACK, port=0)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._server.close()
        await self._broker.shutdown()
        for client in self._clients:
            client.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = asyncio.create_task(self._serve(reader, writer), name="demo.broker-client")
        self._clients.add(client)
        client.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from amqtt.adapters import StreamWriterAdapter  # noqa: PLC0415 - as above

        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):  # the client has left, which it may
                head = await _read_head(reader)
                if head.endswith(LEVEL_5):
                    writer.write(UNSUPPORTED_VERSION)
                else:
                    reread = _Reread(head, reader)
                    await self._broker.external_connected(reread, StreamWriterAdapter(writer), LISTENER)
        finally:
            writer.close()


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    """The beginning of a CONNECT: its kind, its length in up to four bytes, and `MQTT` with the level."""
    head = await reader.readexactly(2)
    while head[-1] & 0x80:
        head += await reader.readexactly(1)
    return head + await reader.readexactly(len(b"\x00\x04") + len(LEVEL_5))


class _Reread:
    """What amqtt reads from: first the head that we have read already, then the rest."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader) -> None:
        self._head = head
        self._reader = reader

    async def read(self, n: int = -1) -> bytes:
        if self._head:
            part, self._head = self._head[:n], self._head[n:]
            return part
        return await self._reader.read() if n < 0 else await self._reader.readexactly(n)

    def feed_eof(self) -> None:
        self._reader.feed_eof()
