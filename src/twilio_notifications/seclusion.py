"""Closes the process to other programs of its user, before the program loads its other modules.

Every command inherits the environment, where the auth token may be, and reads secrets. This module imports no
slow module: until it has run, /proc/PID/environ is open to all programs of the same user.
"""

from __future__ import annotations

import os
import sys

_PR_SET_DUMPABLE = 4


def seclude() -> bool:
    """Forbids core dumps and reading this process; returns whether that worked, which only Linux offers.

    Also keeps libraries from writing the keys of TLS sessions to the file that SSLKEYLOGFILE names: with that
    file, recorded connections can be decrypted.
    """
    os.environ.pop("SSLKEYLOGFILE", None)
    if sys.platform != "linux":
        return False
    import ctypes  # noqa: PLC0415 - only Linux needs it

    unused = ctypes.c_ulong(0)
    return not ctypes.CDLL(None).prctl(ctypes.c_int(_PR_SET_DUMPABLE), unused, unused, unused, unused)
