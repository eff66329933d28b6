"""Cuts what is read into whole MQTT packets, and passes over those that are too large.

gmqtt alone would join each piece to all pieces before it: a packet of 256 MiB would be copied 4,000 times.
Nothing here knows what a packet means, but for what must be known to answer one that is passed over.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Oversized = Callable[["PassedOver"], None]

_CONTINUED = 0x80
_LENGTH_BYTES = 4
"""Most bytes of a packet's length (MQTT 5, 1.5.5)."""

_PUBLISH = 3
_DUP, _QOS, _RETAIN = 0b1000, 0b0110, 0b0001
_LONGEST_HEAD = 2 + 65_535 + 2 + _LENGTH_BYTES
"""Length of the topic, topic, packet identifier and length of the properties of a PUBLISH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """A PUBLISH that was too large and is gone. `packet_id` is None where it had QoS 0."""

    topic: str
    packet_id: int | None
    size: int
    """Bytes of its payload, and of its properties where it had some."""
    retained: bool
    redelivered: bool


class Malformed(Exception):
    """A length that does not end: what follows cannot be cut any more."""


@dataclass(frozen=True, slots=True)
class _Extent:
    head: int
    """Bytes of the fixed header."""
    size: int
    """Bytes of the whole packet, that header included."""


class PacketCutter:
    """`feed` stands in for gmqtt's `_read_packet`, which it calls with whole packets only."""

    def __init__(
        self, take: Callable[[bytes], int], *, limit: int, has_properties: bool, on_oversized: Oversized
    ) -> None:
        """`has_properties`: a PUBLISH has them in MQTT 5."""
        self._take = take
        self._has_properties = has_properties
        self._limit = limit
        self._on_oversized = on_oversized
        self._waiting = bytearray()
        self._to_skip = 0
        self._skipped: PassedOver | None = None

    def feed(self, received: bytes) -> int:
        """How much was consumed, which is all of it; -1, as from gmqtt, where the stream makes no sense."""
        self._waiting += received
        try:
            while self._skip() and self._advance():
                pass
        except Malformed:
            return -1
        return len(received)

    def _advance(self) -> bool:
        """Passes on the whole packets at the front; whether an oversized one follows them."""
        end, extent = 0, _extent(self._waiting, 0)
        while extent is not None and extent.size <= min(self._limit, len(self._waiting) - end):
            end += extent.size
            extent = _extent(self._waiting, end)
        if end:
            whole = bytes(memoryview(self._waiting)[:end])
            del self._waiting[:end]
            self._take(whole)
        if extent is None or extent.size <= self._limit:
            return False
        return self._begin_skip(extent)

    def _begin_skip(self, extent: _Extent) -> bool:
        """Whether enough of it is here to know whom to answer."""
        if len(self._waiting) < min(extent.size, extent.head + _LONGEST_HEAD):
            return False
        self._to_skip = extent.size
        self._skipped = _passed_over(self._waiting, extent, has_properties=self._has_properties)
        return True

    def _skip(self) -> bool:
        """Whether there is nothing to be passed over any more."""
        here = min(self._to_skip, len(self._waiting))
        del self._waiting[:here]
        self._to_skip -= here
        if self._to_skip:
            return False
        if self._skipped is not None:
            skipped, self._skipped = self._skipped, None
            self._on_oversized(skipped)
        return True


def _extent(buffer: bytearray, start: int) -> _Extent | None:
    """Of the packet that begins at `start`; None while its length is not here yet."""
    number = _number(buffer, start + 1)
    if number is not None:
        length, digits = number
        return _Extent(1 + digits, 1 + digits + length)
    if len(buffer) - start > _LENGTH_BYTES:
        raise Malformed
    return None


def _number(buffer: bytearray, start: int) -> tuple[int, int] | None:
    """A variable byte integer (MQTT 5, 1.5.5), and how many bytes it takes; None where it has no end."""
    value = 0
    for index, byte in enumerate(buffer[start : start + _LENGTH_BYTES]):
        value |= (byte & ~_CONTINUED) << 7 * index
        if byte < _CONTINUED:
            return value, index + 1
    return None


def _passed_over(buffer: bytearray, extent: _Extent, *, has_properties: bool) -> PassedOver | None:
    first = buffer[0]
    if first >> 4 != _PUBLISH:
        return None
    (length,) = struct.unpack_from("!H", buffer, extent.head)
    end = extent.head + 2 + length
    topic = bytes(buffer[extent.head + 2 : end]).decode("utf-8", "replace")
    packet_id = None
    if first & _QOS:
        (packet_id,) = struct.unpack_from("!H", buffer, end)
        end += 2
    number = _number(buffer, end) if has_properties else None
    return PassedOver(
        topic=topic,
        packet_id=packet_id,
        size=extent.size - end - (0 if number is None else number[1]),
        retained=bool(first & _RETAIN),
        redelivered=bool(first & _DUP),
    )
