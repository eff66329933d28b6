"""MQTT 3.1.1 on a blocking socket, for the load: it publishes requests and subscribes to statuses.

It does as little work as the protocol allows. A client library costs about as much CPU for each message as
the connector, and the machine may have two cores for everything. It works with a broker on the loopback that
accepts every packet, and with no other.
"""

from __future__ import annotations

import socket
import struct
from itertools import count, islice
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterable

WINDOW = 500
"""Requests that `publish` sends before it waits for their acknowledgements."""
STEP_SECONDS = 10.0
"""Limit for a single answer of the broker."""
SHORTEST_SECONDS = 0.0001
"""A socket takes a limit of 0 for "do not block", which raises another exception."""
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
        self._unacknowledged: list[bytes] = []
        variable = _text("MQTT") + bytes([4, 0x02]) + struct.pack("!H", 0)  # level 4, clean, no keep alive
        self._socket.sendall(_packet(_CONNECT, variable + _text(client_id)))
        self._await(_CONNACK, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def publish(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Publishes all payloads with QoS 1 and returns when the broker has acknowledged the last one."""
        waiting = iter(payloads)
        while window := list(islice(waiting, WINDOW)):
            self.send(topic, window)
            self._await(_PUBACK, len(window))

    def subscribe(self, topic: str) -> None:
        """Subscribes with QoS 1 and returns when the broker has granted it."""
        self._socket.sendall(_packet(_SUBSCRIBE, self._next_packet_id() + _text(topic) + b"\x01"))
        self._await(_SUBACK, 1)

    def send(self, topic: str, payloads: Iterable[bytes]) -> None:
        """Publishes the payloads with QoS 1 and acknowledges all that has arrived, in one write.

        Returns without an answer from the broker. Without payloads, only the acknowledgements leave.
        """
        head = _text(topic)
        packets = [
            _packet(_PUBLISH | _QOS_1, head + self._next_packet_id() + payload) for payload in payloads
        ]
        packets += [_packet(_PUBACK, packet_id) for packet_id in self._unacknowledged]
        self._unacknowledged.clear()
        if packets:
            self._socket.sendall(b"".join(packets))

    def arrivals(self, *, limit_seconds: float) -> list[bytes]:
        """The payloads that the next read brings; the next `send` acknowledges them.

        Empty when nothing arrives within the limit, or only acknowledgements of what was published.
        """
        self._socket.settimeout(max(SHORTEST_SECONDS, limit_seconds))
        try:
            packets = self._receive()
        except TimeoutError:
            return []
        payloads = []
        for kind, content in packets:
            if kind & 0xF0 == _PUBLISH:
                packet_id, payload = _opened(content)
                self._unacknowledged.append(packet_id)
                payloads.append(payload)
        return payloads

    def _next_packet_id(self) -> bytes:
        return struct.pack("!H", next(self._packet_ids) % _PACKET_IDS + 1)

    def _await(self, kind: int, number: int) -> None:
        """Reads this number of packets of one kind; packets of other kinds are dropped."""
        self._socket.settimeout(STEP_SECONDS)
        while number > 0:
            number -= sum(received == kind for received, _ in self._receive())

    def _receive(self) -> list[tuple[int, bytes]]:
        """The packets that the next read completes, each as its first byte and its content."""
        chunk = self._socket.recv(_CHUNK)
        if not chunk:
            raise ConnectionError("the broker has closed the load's connection; see its log")
        received = self._received + chunk
        packets, position = [], 0
        while (found := _next_packet(received, position)) is not None:
            kind, content, position = found
            packets.append((kind, content))
        self._received = received[position:]
        return packets


def _packet(kind: int, content: bytes) -> bytes:
    length, left = bytearray(), len(content)
    while left > 0x7F:
        length.append(left & 0x7F | 0x80)
        left >>= 7
    length.append(left)
    return bytes([kind]) + length + content


def _next_packet(received: bytes, start: int) -> tuple[int, bytes, int] | None:
    """First byte, content and end of the packet that begins at `start`; None when a part of it is missing."""
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
