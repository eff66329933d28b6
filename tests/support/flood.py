"""A client that floods: as fast as the broker takes it, in either version and quality of service.

It knows just enough of MQTT to be let in, to publish and to see what is acknowledged.
"""

from __future__ import annotations

import asyncio
import struct
import uuid
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

from tests.support.raw_broker import Kind, packet

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW = 20
"""What Mosquitto lets an MQTT 5 client have unacknowledged; 3.1.1 has no such limit."""


async def pour(
    url: str, topic: str, payloads: Iterable[bytes], *, protocol: Literal["5", "3.1.1"] = "5", qos: int = 1
) -> None:
    """Publishes all of it; with QoS 1 returns after the last PUBACK, with QoS 0 after the last byte."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(_connect(protocol))
        await _skip(reader)
        window = asyncio.Semaphore(WINDOW)
        acknowledging = asyncio.create_task(_acknowledged(reader, window))
        for number, payload in enumerate(payloads):
            if qos:
                await window.acquire()
            writer.write(_publish(topic, payload, number % 65_535 + 1 if qos else None, protocol))
            await writer.drain()
        for _ in range(WINDOW if qos else 0):
            await window.acquire()
        writer.write(packet(Kind.DISCONNECT, b""))
        await writer.drain()
        acknowledging.cancel()
        await asyncio.wait({acknowledging})
    finally:
        writer.close()
        await writer.wait_closed()


async def _acknowledged(reader: asyncio.StreamReader, window: asyncio.Semaphore) -> None:
    while True:
        await _skip(reader)
        window.release()


async def _skip(reader: asyncio.StreamReader) -> None:
    """One packet, none of which is long here."""
    _, length = await reader.readexactly(2)
    await reader.readexactly(length)


def _connect(protocol: str) -> bytes:
    level, properties = (5, b"\x00") if protocol == "5" else (4, b"")
    client_id = f"flood-{uuid.uuid4().hex}".encode()
    name = b"\x00\x04MQTT" + bytes([level, 0x02]) + struct.pack("!H", 0)
    return packet(Kind.CONNECT, name + properties + struct.pack("!H", len(client_id)) + client_id)


def _publish(topic: str, payload: bytes, packet_id: int | None, protocol: str) -> bytes:
    name = topic.encode()
    body = struct.pack("!H", len(name)) + name
    body += b"" if packet_id is None else struct.pack("!H", packet_id)
    body += b"\x00" if protocol == "5" else b""
    return packet(Kind.PUBLISH, body + payload, flags=0 if packet_id is None else 0b0010)
