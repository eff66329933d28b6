"""Cuts what is read into whole packets, and passes over those that are too large without holding them.

Each byte is copied once when it arrives and once when its packet is whole, whatever the pieces it comes in.
"""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.adapters.mqtt.protocol.wire import LONGEST_NUMBER, number_at

LONGEST_HEAD = 2 + 65_535 + 2 + LONGEST_NUMBER
"""Length of the topic, topic, packet identifier and length of the properties of a PUBLISH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """Where a packet stands in what was read. Its last bytes may not be there: see `is_whole`."""

    first: int
    """The first byte of its fixed header."""
    start: int
    """Behind the fixed header."""
    end: int
    is_whole: bool
    """False: it is too large. Only its beginning is there; the rest is passed over as it comes."""


class Stream:
    """What was read and not taken yet. The extents that `next` gives are places in `held`."""

    def __init__(self, *, limit: int) -> None:
        """`limit`: bytes of the largest packet that is held as a whole."""
        self._limit = limit
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._needed = 1
        """Bytes that must be held before another packet can be cut."""
        self._to_skip = 0
        self._at = 0
        self.held = b""

    def add(self, received: bytes) -> None:
        """What was read next."""
        if self._to_skip:
            skipped = min(self._to_skip, len(received))
            self._to_skip -= skipped
            received = received[skipped:]
        self._pieces.append(received)
        self._waiting += len(received)

    @property
    def is_passing_over(self) -> bool:
        """A packet that is too large has not come to its end."""
        return self._to_skip > 0

    def next(self) -> Extent | None:
        """The next packet; None until more is read. Raises Malformed where its length does not end."""
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
        """Once enough is held to know what the packet is."""
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
