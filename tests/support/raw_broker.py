"""A broker that says exactly what a test has it say, byte by byte, on a real socket.

For what no well-behaved broker can be made to do: refuse a version, stay silent, break off in the middle.
Each connection is served by the next script; the last script serves all that follow.
It knows just enough of MQTT to cut the stream into packets; the test says the rest.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Self

from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

HOST = "127.0.0.1"
LEVEL_5 = 5


class Kind(IntEnum):
    """The kinds of packets (MQTT 5, 2.1.2)."""

    CONNECT = 1
    CONNACK = 2
    PUBLISH = 3
    PUBACK = 4
    PUBREC = 5
    PUBREL = 6
    PUBCOMP = 7
    SUBSCRIBE = 8
    SUBACK = 9
    UNSUBSCRIBE = 10
    UNSUBACK = 11
    PINGREQ = 12
    PINGRESP = 13
    DISCONNECT = 14
    AUTH = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """What stands in one packet after its length."""

    kind: Kind
    flags: int
    body: bytes

    @property
    def packet_id(self) -> int:
        """The identifier: first in an answer or SUBSCRIBE, after the topic in a PUBLISH."""
        start = 2 + self._topic_length if self.kind is Kind.PUBLISH else 0
        (packet_id,) = struct.unpack_from("!H", self.body, start)
        return int(packet_id)

    @property
    def topic(self) -> str:
        """The topic of a PUBLISH."""
        return self.body[2 : 2 + self._topic_length].decode()

    @property
    def level(self) -> int:
        """The version that a CONNECT asks for: 4 is 3.1.1, 5 is 5."""
        return self.body[6]

    @property
    def clean(self) -> bool:
        """Whether a CONNECT asks for a clean session."""
        return bool(self.body[7] & 0x02)

    @property
    def _topic_length(self) -> int:
        (length,) = struct.unpack_from("!H", self.body)
        return int(length)


class Link:
    """One connection, as the broker sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self.level = LEVEL_5
        self.seen: list[Packet] = []
        self.ended = asyncio.Event()
        """The client has hung up, or the script has."""

    def say(self, *packets: bytes) -> None:
        """All of it in one piece, so that it arrives together."""
        self._writer.write(b"".join(packets))

    def stop_reading(self) -> None:
        """From now on what the client sends fills its buffers."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.pause_reading()

    def read_on(self) -> None:
        """Ends `stop_reading`."""
        transport = self._writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        transport.resume_reading()

    def hang_up(self) -> None:
        self._writer.close()

    async def hear(self, kind: Kind) -> Packet:
        """The next packet, which has to be of that kind; EOFError when the client says goodbye instead."""
        packet = await self.hear_any()
        if packet.kind is Kind.DISCONNECT is not kind:
            raise EOFError("the client said goodbye")
        assert kind is packet.kind, f"expected {kind!r}, got {packet}"
        return packet

    async def hear_any(self) -> Packet:
        """The next packet; IncompleteReadError when the client has hung up."""
        async with asyncio.timeout(WAIT_SECONDS):
            first = await self._reader.readexactly(1)
            body = await self._reader.readexactly(await self._length())
        packet = Packet(kind=Kind(first[0] >> 4), flags=first[0] & 0x0F, body=body)
        self.seen.append(packet)
        if packet.kind is Kind.CONNECT:
            self.level = packet.level
        return packet

    async def hear_the_end(self) -> None:
        """Returns when the client has hung up; whatever it says before is remembered in `seen`."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await self.hear_any()

    async def accept(self, *, properties: bytes = b"", session_present: bool = False) -> None:
        """Lets the client in, and grants all its subscriptions."""
        await self.hear(Kind.CONNECT)
        self.say(self.connack(0, properties=properties, session_present=session_present))
        await self.grant()

    async def grant(self, *codes: int) -> None:
        """Answers SUBSCRIBE; by default with QoS 1 for both topics."""
        subscribe = await self.hear(Kind.SUBSCRIBE)
        self.say(self.suback(subscribe.packet_id, *(codes or (1, 1))))

    # Packets, in the version of the connection.

    def connack(self, code: int, *, properties: bytes = b"", session_present: bool = False) -> bytes:
        return packet(Kind.CONNACK, bytes([session_present, code]) + self._properties(properties))

    def suback(self, packet_id: int, *codes: int) -> bytes:
        return packet(Kind.SUBACK, struct.pack("!H", packet_id) + self._properties() + bytes(codes))

    def puback(self, packet_id: int, reason: int | None = None) -> bytes:
        tail = b"" if reason is None else bytes([reason])
        return packet(Kind.PUBACK, struct.pack("!H", packet_id) + tail)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        packet_id: int | None,
        qos: int = 1,
        dup: bool = False,
        retain: bool = False,
        properties: bytes = b"\0",
    ) -> bytes:
        """With this QoS, or 0 where there is no packet identifier; `properties` with their length, for 5."""
        name = topic.encode()
        body = struct.pack("!H", len(name)) + name
        body += b"" if packet_id is None else struct.pack("!H", packet_id)
        body += properties if self.level == LEVEL_5 else b""
        flags = (0 if packet_id is None else qos) << 1 | dup << 3 | int(retain)
        return packet(Kind.PUBLISH, body + payload, flags=flags)

    def pubrel(self, packet_id: int) -> bytes:
        return packet(Kind.PUBREL, struct.pack("!H", packet_id), flags=0b0010)

    def disconnect(self, reason: int) -> bytes:
        return packet(Kind.DISCONNECT, bytes([reason]))

    def _properties(self, properties: bytes = b"") -> bytes:
        return bytes([len(properties)]) + properties if self.level == LEVEL_5 else b""

    async def _length(self) -> int:
        length = shift = 0
        while True:
            (byte,) = await self._reader.readexactly(1)
            length |= (byte & 0x7F) << shift
            if byte < 0x80:
                return length
            shift += 7


class RawBroker:
    """`async with RawBroker(script) as broker:` listens at `broker.url`.

    A script that has returned leaves its connection open until the client hangs up. What a script raises,
    an assertion above all, is raised at the end of the block.
    """

    def __init__(self, *scripts: Callable[[Link], Awaitable[None]]) -> None:
        self._scripts = scripts
        self._serving: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server
        self._arrived = asyncio.Event()
        self.links: list[Link] = []
        """The connections so far, in their order."""
        self.port = 0

    @property
    def url(self) -> str:
        return f"mqtt://{HOST}:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for link in self.links:
            link.hang_up()
        results = await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, ConnectionError | EOFError):
                raise result

    async def link(self, number: int) -> Link:
        """Connection number `number`, counted from 1, once it is there."""
        async with asyncio.timeout(WAIT_SECONDS):
            while len(self.links) < number:
                self._arrived.clear()
                await self._arrived.wait()
        return self.links[number - 1]

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = Link(reader, writer)
        script = self._scripts[min(len(self.links), len(self._scripts) - 1)]
        self.links.append(link)
        self._arrived.set()
        self._serving.add(asyncio.create_task(_serve(script, link)))


async def _serve(script: Callable[[Link], Awaitable[None]], link: Link) -> None:
    try:
        await script(link)
        await link.hear_the_end()
    finally:
        link.hang_up()
        link.ended.set()


def packet(kind: Kind, body: bytes, *, flags: int = 0) -> bytes:
    """The body behind its fixed header."""
    length, rest = bytearray(), len(body)
    while True:
        rest, digit = divmod(rest, 0x80)
        length.append(digit | (0x80 if rest else 0))
        if not rest:
            return bytes([kind << 4 | flags]) + bytes(length) + body
