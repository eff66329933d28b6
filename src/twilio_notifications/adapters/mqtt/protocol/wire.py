"""Reads and writes numbers and strings as MQTT encodes them (MQTT 5, 1.5). Every read checks its bounds."""

from __future__ import annotations

MALFORMED_PACKET = 0x81
PROTOCOL_ERROR = 0x82

CONTINUED = 0x80
"""The bit that is set in every byte of a variable byte integer except the last (MQTT 5, 1.5.5)."""

LONGEST_NUMBER = 4
"""The most bytes that a variable byte integer may have."""

LARGEST_NUMBER = 268_435_455
LARGEST_TEXT = 65_535


class Malformed(Exception):
    """The broker's bytes break the protocol. `code` is the reason code of our DISCONNECT (MQTT 5, 4.13)."""

    def __init__(self, sentence: str, *, code: int = MALFORMED_PACKET) -> None:
        super().__init__(sentence)
        self.code = code


class Unsendable(Exception):
    """MQTT cannot express a value that was to be sent; the sentence says why."""


class Reader:
    """Reads the fields of a whole packet in order.

    Raises Malformed for a field that passes the packet's end.
    """

    __slots__ = ("_at", "_bytes", "_end")

    def __init__(self, packet: bytes, start: int, end: int) -> None:
        self._bytes = packet
        self._at = start
        self._end = end

    @property
    def left(self) -> int:
        """The number of bytes after the last field that was read."""
        return self._end - self._at

    def take(self, count: int) -> bytes:
        start = self._at
        if count > self._end - start:
            raise Malformed("a field is longer than its packet")
        self._at = start + count
        return self._bytes[start : self._at]

    def integer(self, count: int) -> int:
        return int.from_bytes(self.take(count))

    def number(self) -> int:
        """A variable byte integer."""
        value = 0
        for index in range(LONGEST_NUMBER):
            byte = self.integer(1)
            value |= (byte & ~CONTINUED) << 7 * index
            if byte < CONTINUED:
                return value
        raise Malformed(f"a variable byte integer has more than {LONGEST_NUMBER} bytes")

    def binary(self) -> bytes:
        return self.take(self.integer(2))

    def part(self, count: int) -> Reader:
        """A reader of the next `count` bytes; this reader goes on after them."""
        start = self._at
        self.take(count)
        return Reader(self._bytes, start, self._at)


def number_at(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """A variable byte integer and the place after it; None where `end` comes before its last byte.

    Raises Malformed where the integer has more than four bytes.
    """
    value = 0
    for index in range(LONGEST_NUMBER):
        if start + index >= end:
            return None
        byte = packet[start + index]
        value |= (byte & ~CONTINUED) << 7 * index
        if byte < CONTINUED:
            return value, start + index + 1
    raise Malformed(f"the length of a packet has more than {LONGEST_NUMBER} bytes")


def number(value: int) -> bytes:
    """The value as a variable byte integer."""
    if value < CONTINUED:
        return bytes((value,))
    digits = bytearray()
    while value >= CONTINUED:
        digits.append(value & ~CONTINUED & 0xFF | CONTINUED)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def binary(value: bytes, what: str) -> bytes:
    """The length in two bytes, then the value.

    Raises Unsendable, with the name `what`, where it is too long.
    """
    if len(value) > LARGEST_TEXT:
        raise Unsendable(f"the {what} has {len(value)} bytes, and MQTT allows {LARGEST_TEXT}")
    return len(value).to_bytes(2) + value


def text(value: str, what: str) -> bytes:
    """The length in two bytes, then the string as UTF-8.

    Raises Unsendable, with the name `what`, where the string has no UTF-8, holds U+0000 (MQTT 5, 1.5.4) or is
    too long.
    """
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise Unsendable(f"the {what} holds half a pair of surrogates, which has no UTF-8") from None
    if b"\0" in encoded:
        raise Unsendable(f"the {what} holds the character U+0000")
    return binary(encoded, what)
