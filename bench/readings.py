"""CPU time and memory of running processes, and the speed of the disk, as the kernel tells them. Linux only.

A reading does not disturb the process that it is about.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROCESSES = Path("/proc")

_REST_SECONDS = 0.1
_REST_LIMIT_SECONDS = 3.0


def cpu_seconds(pid: int) -> float:
    """User and system time of all threads so far, those that have ended included."""
    return _seconds(_fields(PROCESSES / str(pid)))


def family_cpu_seconds(pid: int) -> float:
    """The same for a process and its children that still run."""
    total = cpu_seconds(pid)
    for process in PROCESSES.glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended by now
            fields = _fields(process)
            if int(fields[1]) == pid:
                total += _seconds(fields)
    return total


def _fields(process: Path) -> list[str]:
    """The fields of proc(5)'s `stat` after the name, which may hold anything: utime, the 14th, is at 11."""
    return (process / "stat").read_text().rpartition(")")[2].split()


def _seconds(fields: Sequence[str]) -> float:
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def all_cpu_seconds() -> float:
    """The CPU time of all processes on the machine so far, and of the kernel."""
    first = (PROCESSES / "stat").read_text().partition("\n")[0]
    user, nice, system, _idle, _waiting, *interrupts = map(int, first.split()[1:8])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def wait_for_rest(pid: int) -> None:
    """Returns once a process uses no CPU any more, or after a few seconds."""
    deadline = time.monotonic() + _REST_LIMIT_SECONDS
    before = -1.0
    while (now := cpu_seconds(pid)) != before and time.monotonic() < deadline:
        before = now
        time.sleep(_REST_SECONDS)


class CpuMeter:
    """The CPU time of some processes, each by its name, since the meter was made."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self._pids = pids
        self._before = self._now()
        self._all_before = all_cpu_seconds()

    def seconds(self) -> dict[str, float]:
        """The CPU seconds of each process, by its name."""
        return {name: now - self._before[name] for name, now in self._now().items()}

    def others_seconds(self) -> float:
        """The CPU seconds of all other processes on the machine together."""
        return max(0.0, all_cpu_seconds() - self._all_before - sum(self.seconds().values()))

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) for name, pid in self._pids.items()}


def peak_bytes(pid: int) -> int:
    """The most memory that was ever resident."""
    return _status_bytes(pid, "VmHWM")


def resident_bytes(pid: int) -> int:
    """The memory that is resident now."""
    return _status_bytes(pid, "VmRSS")


def open_files(pid: int) -> int:
    """The number of file descriptors that are open."""
    return sum(1 for _ in (PROCESSES / str(pid) / "fd").iterdir())


def journal_bytes(journal: Path) -> int:
    """The size of a journal's file with its log, which is another file; 0 where there is none yet."""
    files = (journal, journal.with_name(f"{journal.name}-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def _status_bytes(pid: int, field: str) -> int:
    for line in (PROCESSES / str(pid) / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise ProcessLookupError(f"process {pid} has ended: each that runs has {field}, says proc(5)")


def file_system(folder: Path) -> str:
    """The kind of the file system on which a folder stands, as `ext4`."""
    best, kind = Path(), "unknown"
    for line in (PROCESSES / "self" / "mounts").read_text().splitlines():
        _, mounted, found, *_ = line.split()
        point = Path(mounted)
        if folder.resolve().is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, found
    return kind


def fsync_seconds(folder: Path) -> float:
    """Seconds that a small append takes to reach the disk there: the median of twenty."""
    taken = []
    with (folder / "fsync").open("wb", buffering=0) as file:
        for _ in range(20):
            file.write(b"x" * 4096)
            start = time.perf_counter()
            os.fsync(file.fileno())
            taken.append(time.perf_counter() - start)
    (folder / "fsync").unlink()
    return median(taken)
