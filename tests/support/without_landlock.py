"""A program that runs another one as if there were no Landlock: `without_landlock.py ERRNO PROGRAM WORD…`.

The kernel is the same, but a filter answers the question for Landlock with an error of one's choice, as older
kernels and filters of containers do. This is the one place where the tests need seccomp.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys

LANDLOCK_CREATE_RULESET = 444
PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
PR_SET_NO_NEW_PRIVS = 38
ANSWER_WITH_ERROR, ALLOW = 0x0005_0000, 0x7FFF_0000
LOAD_NUMBER, JUMP_UNLESS_EQUAL, RETURN = 0x20, 0x15, 0x06


def forbid_landlock(error: int) -> None:
    """A classic BPF program: compare the number of the system call, answer or allow."""
    steps = (
        struct.pack("=HBBI", LOAD_NUMBER, 0, 0, 0),
        struct.pack("=HBBI", JUMP_UNLESS_EQUAL, 0, 1, LANDLOCK_CREATE_RULESET),
        struct.pack("=HBBI", RETURN, 0, 0, ANSWER_WITH_ERROR | error),
        struct.pack("=HBBI", RETURN, 0, 0, ALLOW),
    )
    program = ctypes.create_string_buffer(b"".join(steps))
    address = struct.pack("@HP", len(steps), ctypes.addressof(program))
    libc = ctypes.CDLL(None, use_errno=True)
    unused = ctypes.c_ulong(0)
    for option, value, argument in (
        (PR_SET_NO_NEW_PRIVS, 1, unused),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, address),
    ):
        if libc.prctl(option, ctypes.c_ulong(value), argument, unused, unused) < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    forbid_landlock(int(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 - this is what the program is for
