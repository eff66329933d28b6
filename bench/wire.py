"""MQTT 3.1.1 on a blocking socket, for the two ends of the load: as little work as the protocol allows.

A client library costs about as much for each message as what is measured, and the machine may have few
cores. Written for a broker on the loopback that refuses nothing, and for nothing else.
"""

from __future__ import annotations

import socket
import struct
import time
from itertools import count, islice
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WINDOW = 500
"""Requests on their way to the broker at once; it acknowledges them in bulk."""
STEP_SECONDS = 10.0
"""Limit for a single answer of the broker."""
_CHUNK = 1 << 18
_PACKET_IDS = 65_535

# The first byte of a packet: its type in the upper half, and flags (3.1.1, 2.2). QoS 1 is flag 0x02.
_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _SUBSCRIBE, _SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
_QOS_1 = 0x02


class Wire:
    """A connection with a clean session: `with Wire(url, client_id="load") as wire`."""

    def __init__(self, url: str, *, client_id: str) -> None:
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), timeout=STEP_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = b""
        self._packet_ids = count()
        variable = _text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 0)  # level 4, clean, no keep alive
        self._socket.sendall(_packet(_CONNECT, variable + _text(client_id)))
        self._await(_CONNACK, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def publish(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Publishes all of them with QoS 1 and returns when the broker has acknowledged the last."""
        waiting = iter(payloads)
        while window := list(islice(waiting, WINDOW)):
            packets = [
                _packet(_PUBLISH | _QOS_1, _text(topic) + self._next_packet_id() + payload)
                for payload in window
            ]
            self._socket.sendall(b"".join(packets))
            self._await(_PUBACK, len(window))

    def subscribe(self, topic: str) -> None:
        """Subscribes with QoS 1 and returns when the broker has granted it."""
        self._socket.sendall(_packet(_SUBSCRIBE, self._next_packet_id() + _text(topic) + b"\x01"))
        self._await(_SUBACK, 1)

    def collect(self, number: int, *, limit_seconds: float) -> tuple[list[bytes], float]:
        """The payloads of so many messages, and the monotonic instant at which the last one was there.

        TimeoutError when they do not come within the limit; it says how many did.
        """
        payloads: list[bytes] = []
        deadline = time.monotonic() + limit_seconds
        while len(payloads) < number:
            self._socket.settimeout(max(0.001, deadline - time.monotonic()))
            try:
                packets = list(self._receive())
            except TimeoutError:
                came = f"{len(payloads)} of {number} statuses came within {limit_seconds:g} s"
                raise TimeoutError(came) from None
            arrived = [_opened(content) for kind, content in packets if kind & 0xF0 == _PUBLISH]
            payloads += [payload for _, payload in arrived]
            self._socket.sendall(b"".join(_packet(_PUBACK, packet_id) for packet_id, _ in arrived))
        return payloads, time.monotonic()

    def _next_packet_id(self) -> bytes:
        return struct.pack("!H", next(self._packet_ids) % _PACKET_IDS + 1)

    def _await(self, kind: int, number: int) -> None:
        """Passes over so many packets of one kind; nothing else can come at that time."""
        self._socket.settimeout(STEP_SECONDS)
        while number > 0:
            number -= sum(received == kind for received, _ in self._receive())

    def _receive(self) -> Iterator[tuple[int, bytes]]:
        """The packets that are complete with what has come in next."""
        chunk = self._socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the broker has closed the load's connection; see its log")
        self._received += chunk
        position = 0
        while (found := _next_packet(self._received, position)) is not None:
            kind, content, position = found
            yield kind, content
        self._received = self._received[position:]


def _packet(kind: int, content: bytes) -> bytes:
    length, left = bytearray(), len(content)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([kind]) + length + content


def _next_packet(received: bytes, start: int) -> tuple[int, bytes, int] | None:
    """Kind, content and end of the packet that begins at `start`; None when a part of it is missing."""
    length, shift, position = 0, 0, start + 1
    while position < len(received):
        byte = received[position]
        length |= (byte & 0x7F) << shift
        shift += 7
        position += 1
        if byte < 0x80:
            end = position + length
            return (received[start], received[position:end], end) if end <= len(received) else None
    return None


def _opened(content: bytes) -> tuple[bytes, bytes]:
    """Packet identifier and payload of a PUBLISH with QoS 1."""
    start = 2 + int.from_bytes(content[:2], "big")
    return content[start : start + 2], content[start + 2 :]


def _text(text: str) -> bytes:
    encoded = text.encode()
    return struct.pack("!H", len(encoded)) + encoded
