"""The peak memory of a process."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

LINUX_TELLS = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process needed")


def peak_kib(pid: int) -> int:
    """Its largest resident set (VmHWM of proc(5))."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])
