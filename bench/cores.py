"""A part of a core for one program, so that a machine of two cores shows what one of many would do.

The kernel's control groups do it (cpu.max, or cpu.cfs_quota_us of the first version), and root alone may
arrange them.
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

PERIOD_MICROSECONDS: Final = 10_000
"""So often the kernel counts: short, so that the program never stands still for longer."""
FIRST_VERSION: Final = Path("/sys/fs/cgroup/cpu")
SECOND_VERSION: Final = Path("/sys/fs/cgroup")


def lack() -> str:
    """Why no program can be given a part of a core here; empty: it can, as one was just now."""
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as waiting:
        assert waiting.stdin is not None
        try:
            with part_of_a_core(waiting.pid, 1.0):
                return ""
        except OSError as error:
            return f"A part of a core for each connector needs root and the control group cpu: {error}"
        finally:
            waiting.stdin.close()


@contextmanager
def part_of_a_core(pid: int, part: float) -> Iterator[None]:
    """The process has at most this part of one core; raises OSError where that cannot be arranged."""
    hierarchy = _hierarchy()
    if hierarchy is None:
        raise FileNotFoundError("there is no control group cpu")
    group = hierarchy / f"bench-{pid}"
    group.mkdir()
    try:
        quota = round(PERIOD_MICROSECONDS * part)
        if hierarchy == SECOND_VERSION:
            (group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")
        else:
            (group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (group / "cpu.cfs_quota_us").write_text(str(quota))
        (group / "cgroup.procs").write_text(str(pid))
        try:
            yield
        finally:
            with suppress(ProcessLookupError):  # it has ended
                (hierarchy / "cgroup.procs").write_text(str(pid))
    finally:
        group.rmdir()


def _hierarchy() -> Path | None:
    if (FIRST_VERSION / "cgroup.procs").exists():
        return FIRST_VERSION
    subtree = SECOND_VERSION / "cgroup.subtree_control"
    return SECOND_VERSION if subtree.exists() and "cpu" in subtree.read_text().split() else None
