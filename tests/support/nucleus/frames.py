"""Frames of the event-stream encoding, as a Greengrass nucleus and its components exchange them.

A frame is a prelude with two lengths and a checksum, typed headers, a payload, and a checksum over all of it.
Nothing here knows an operation, and nothing waits but `read`.
"""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

_PRELUDE = struct.Struct("!III")
_CHECKSUM = struct.Struct("!I")
_INTEGERS: Mapping[int, struct.Struct] = {
    2: struct.Struct("!b"),
    3: struct.Struct("!h"),
    4: struct.Struct("!i"),
    5: struct.Struct("!q"),
}
_TRUE, _FALSE, _INTEGER, _BYTES, _TEXT = 0, 1, 4, 6, 7


class Kind(IntEnum):
    """The header `:message-type`."""

    APPLICATION = 0
    ERROR = 1
    PING = 2
    CONNECT = 4
    CONNECT_ACK = 5


class Flags(IntFlag):
    """The header `:message-flags`."""

    NONE = 0
    ACCEPTED = 1
    TERMINATE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """One frame; `headers` are those in addition to the three that every frame has."""

    kind: int
    flags: int = Flags.NONE
    stream: int = 0
    headers: Mapping[str, object] = field(default_factory=dict)
    payload: bytes = b""

    def json(self) -> dict[str, Any]:
        """The payload as an object; an empty one has no keys."""
        return dict(json.loads(self.payload or b"{}"))

    def encode(self) -> bytes:
        headers = _encode_headers(
            {
                ":message-type": int(self.kind),
                ":message-flags": int(self.flags),
                ":stream-id": self.stream,
                **self.headers,
            }
        )
        size = _PRELUDE.size + len(headers) + len(self.payload) + _CHECKSUM.size
        lengths = struct.pack("!II", size, len(headers))
        whole = lengths + _CHECKSUM.pack(zlib.crc32(lengths)) + headers + self.payload
        return whole + _CHECKSUM.pack(zlib.crc32(whole))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversized:
    """A frame larger than the reader takes; it was not read."""

    size: int


def read(connection: socket.socket, *, limit: int | None = None) -> Frame | Oversized | None:
    """The next frame; None where the other side has hung up."""
    prelude = _read_exactly(connection, _PRELUDE.size)
    if prelude is None:
        return None
    size, headers_size, _ = _PRELUDE.unpack(prelude)
    if limit is not None and size > limit:
        return Oversized(size=size)
    rest = _read_exactly(connection, size - _PRELUDE.size)
    if rest is None:
        return None
    assert zlib.crc32(prelude + rest[: -_CHECKSUM.size]) == _CHECKSUM.unpack(rest[-_CHECKSUM.size :])[0]
    headers = _decode_headers(rest[:headers_size])
    return Frame(
        kind=_number(headers.pop(":message-type")),
        flags=_number(headers.pop(":message-flags")),
        stream=_number(headers.pop(":stream-id")),
        headers=headers,
        payload=rest[headers_size : -_CHECKSUM.size],
    )


def _read_exactly(connection: socket.socket, size: int) -> bytes | None:
    received = bytearray()
    while len(received) < size:
        try:
            part = connection.recv(size - len(received))
        except OSError:  # closed from either side, in the midst of it
            return None
        if not part:
            return None
        received += part
    return bytes(received)


def _encode_headers(headers: Mapping[str, object]) -> bytes:
    encoded = bytearray()
    for name, value in headers.items():
        encoded += bytes([len(name)]) + name.encode()
        match value:
            case int():
                encoded += bytes([_INTEGER]) + _INTEGERS[_INTEGER].pack(value)
            case str():
                text = value.encode()
                encoded += bytes([_TEXT]) + struct.pack("!H", len(text)) + text
            case _:
                raise TypeError(f"the header {name} has a value that a nucleus never sends: {value!r}")
    return bytes(encoded)


def _decode_headers(encoded: bytes) -> dict[str, object]:
    headers: dict[str, object] = {}
    at = 0
    while at < len(encoded):
        end = at + 1 + encoded[at]
        name = encoded[at + 1 : end].decode()
        headers[name], at = _decode_value(encoded, encoded[end], end + 1)
    return headers


def _decode_value(encoded: bytes, form: int, at: int) -> tuple[object, int]:
    """The value that begins at `at`, and where it ends."""
    if form in {_TRUE, _FALSE}:
        return form == _TRUE, at
    if form in _INTEGERS:
        integer = _INTEGERS[form]
        return integer.unpack_from(encoded, at)[0], at + integer.size
    assert form in {_BYTES, _TEXT}, f"no component sends a header of the form {form}"
    (size,) = struct.unpack_from("!H", encoded, at)
    value = encoded[at + 2 : at + 2 + size]
    return value.decode() if form == _TEXT else value, at + 2 + size


def _number(value: object) -> int:
    assert isinstance(value, int)
    return value
