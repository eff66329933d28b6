"""Cuts the bytes from the broker into whole packets, and skips the rest of packets that are too large.

Each byte is copied once when it arrives and once when its packet is whole, however small the pieces are.
"""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.adapters.mqtt.protocol.wire import LONGEST_NUMBER, number_at

LONGEST_HEAD = 2 + 65_535 + 2 + LONGEST_NUMBER
"""Bytes of a PUBLISH before its properties: length of the topic, topic, packet identifier, length of
properties."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """The place of a packet in `PacketStream.held`. Its last bytes may be missing: see `is_whole`."""

    first: int
    """The first byte of the fixed header."""
    start: int
    """The place after the fixed header."""
    end: int
    is_whole: bool
    """False: the packet is too large. Only its beginning is held; the rest is skipped when it arrives."""


class PacketStream:
    """The bytes that were read and not yet taken. `next` returns extents, which are places in `held`."""

    def __init__(self, *, limit: int) -> None:
        """`limit`: the largest packet, in bytes, that the stream holds whole."""
        self._limit = limit
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._needed = 1
        """Bytes that must be held before another packet can be cut."""
        self._to_skip = 0
        self._at = 0
        self.held = b""

    def add(self, received: bytes) -> None:
        """Takes the bytes that were read next."""
        if self._to_skip:
            skipped = min(self._to_skip, len(received))
            self._to_skip -= skipped
            received = received[skipped:]
        self._pieces.append(received)
        self._waiting += len(received)

    @property
    def is_passing_over(self) -> bool:
        """Whether the end of a packet that is too large has not arrived yet."""
        return self._to_skip > 0

    def next(self) -> Extent | None:
        """The next packet.

        None until `add` brings more. Raises Malformed where its length has over four bytes.
        """
        if self._waiting < self._needed or self._to_skip:
            return None
        if self._pieces:
            self.held = b"".join((self.held[self._at :], *self._pieces))
            self._pieces.clear()
            self._at = 0
        held, at = self.held, self._at
        found = number_at(held, at + 1, len(held))
        if found is None:
            self._needed = self._waiting + 1
            return None
        length, start = found
        end = start + length
        if end - at > self._limit:
            return self._begin_to_skip(start, end)
        if end > len(held):
            self._needed = end - at
            return None
        self._go_to(end)
        return Extent(first=held[at], start=start, end=end, is_whole=True)

    def _begin_to_skip(self, start: int, end: int) -> Extent | None:
        """The beginning of a packet that is too large.

        None until the bytes before its properties are held.
        """
        held, at = self.held, self._at
        self._needed = min(end, start + LONGEST_HEAD) - at
        if len(held) - at < self._needed:
            return None
        there = min(end, len(held))
        self._to_skip = end - there
        self._go_to(there)
        return Extent(first=held[at], start=start, end=end, is_whole=False)

    def _go_to(self, end: int) -> None:
        self._waiting -= end - self._at
        self._at = end
        self._needed = 1
