"""Numbers and strings as MQTT writes them (MQTT 5, 1.5). Every read stays within bounds that it checks."""

from __future__ import annotations

MALFORMED_PACKET = 0x81
PROTOCOL_ERROR = 0x82

CONTINUED = 0x80
"""Set in each byte of a variable byte integer but its last (MQTT 5, 1.5.5)."""

LONGEST_NUMBER = 4
"""Most bytes of a variable byte integer."""

LARGEST_NUMBER = 268_435_455
LARGEST_TEXT = 65_535


class Malformed(Exception):
    """What the broker sent breaks the protocol. `code` is the reason for our DISCONNECT (MQTT 5, 4.13)."""

    def __init__(self, sentence: str, *, code: int = MALFORMED_PACKET) -> None:
        super().__init__(sentence)
        self.code = code


class Unsendable(Exception):
    """What is to be sent cannot be expressed in MQTT; says why."""


class Reader:
    """Reads one field after another of a packet that is there as a whole; raises Malformed at its end."""

    __slots__ = ("_at", "_bytes", "_end")

    def __init__(self, packet: bytes, start: int, end: int) -> None:
        self._bytes = packet
        self._at = start
        self._end = end

    @property
    def left(self) -> int:
        """Bytes that were not read yet."""
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
        raise Malformed("a number does not end")

    def binary(self) -> bytes:
        return self.take(self.integer(2))

    def part(self, count: int) -> Reader:
        """A reader of the next `count` bytes, which this one passes over."""
        start = self._at
        self.take(count)
        return Reader(self._bytes, start, self._at)


def number_at(packet: bytes, start: int, end: int) -> tuple[int, int] | None:
    """A variable byte integer and where it ends; None while its end is not before `end`.

    Raises Malformed where it has more than four bytes.
    """
    value = 0
    for index in range(LONGEST_NUMBER):
        if start + index >= end:
            return None
        byte = packet[start + index]
        value |= (byte & ~CONTINUED) << 7 * index
        if byte < CONTINUED:
            return value, start + index + 1
    raise Malformed("the length of a packet does not end")


def number(value: int) -> bytes:
    """A variable byte integer."""
    if value < CONTINUED:
        return bytes((value,))
    digits = bytearray()
    while value >= CONTINUED:
        digits.append(value & ~CONTINUED & 0xFF | CONTINUED)
        value >>= 7
    digits.append(value)
    return bytes(digits)


def binary(value: bytes, what: str) -> bytes:
    """Bytes behind their length; `what` names them where they are too long."""
    if len(value) > LARGEST_TEXT:
        raise Unsendable(f"the {what} has {len(value)} bytes, and MQTT allows {LARGEST_TEXT}")
    return len(value).to_bytes(2) + value


def text(value: str, what: str) -> bytes:
    """A string behind its length; raises Unsendable where it has no UTF-8 or holds U+0000 (MQTT 5, 1.5.4)."""
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        raise Unsendable(f"the {what} holds half a pair of surrogates, which has no UTF-8") from None
    if b"\0" in encoded:
        raise Unsendable(f"the {what} holds the character U+0000")
    return binary(encoded, what)
