"""The kernel's classic BPF as far as filters of system calls use it: runs a program on one system call.

Written from the kernel's documentation (networking/filter.html, seccomp_filter.html), so that a filter for
another architecture than this machine's can be tried too.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ALLOW = "allowed"
_DATA = "<iIQ6Q"
"""struct seccomp_data of a little-endian machine."""


def answer(program: bytes, *, audit: int, number: int, arguments: Sequence[int] = ()) -> str:
    """ALLOW, or the name of the error with which the system call ends."""
    padded = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    signed = number - (1 << 32) if number >> 31 else number
    call = struct.pack(_DATA, signed, audit, 0, *(word & (1 << 64) - 1 for word in padded))
    result = run(program, call)
    match result & 0xFFFF_0000:
        case 0x7FFF_0000:
            return ALLOW
        case 0x0005_0000:
            return errno.errorcode[result & 0xFFFF]
        case _:
            raise AssertionError(f"no answer that the tests know: {result:#x}")


def run(program: bytes, call: bytes) -> int:
    """What the program returns; an instruction outside of it, or one that is not known here, is an error."""
    instructions = list(struct.iter_unpack("<HBBI", program))
    accumulator, place = 0, 0
    while True:
        code, if_true, if_false, value = instructions[place]
        place += 1
        match code:
            case 0x20:  # load a word of the call, which must be aligned
                assert 0 == value % 4
                (accumulator,) = struct.unpack_from("<I", call, value)
            case 0x54:  # and
                accumulator &= value
            case 0x15:  # jump if equal
                place += if_true if accumulator == value else if_false
            case 0x25:  # jump if above
                place += if_true if accumulator > value else if_false
            case 0x45:  # jump if any bit is set
                place += if_true if accumulator & value else if_false
            case 0x06:  # return
                return int(value)
            case _:
                raise AssertionError(f"no instruction that the tests know: {code:#x}")
