"""The machine on which is measured: what belongs next to every number."""

from __future__ import annotations

import importlib.util
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bench import readings
from bench.stage import mosquitto_program

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Hardware and programs at one instant."""

    system: str
    kernel: str
    cores: int
    memory_bytes: int
    load_average: float
    """Programs that wanted to run, on average over the last minute."""
    python: str
    event_loop: str
    broker: str
    file_system: str
    fsync_seconds: float

    def lines(self) -> list[str]:
        """As people read it."""
        size = f"{self.cores} cores, {self.memory_bytes / 1e9:.0f} GB"
        return [
            f"{self.system}, kernel {self.kernel}, {size}, load average {self.load_average:.2f}",
            f"Python {self.python}, {self.event_loop}, {self.broker}",
            f"journal on {self.file_system}, where an fsync takes {self.fsync_seconds * 1000:.2f} ms",
        ]

    def document(self) -> dict[str, Any]:
        """The same as values of JSON."""
        return asdict(self)


def this_machine(folder: Path) -> Machine:
    """This machine, with the disk on which a folder stands."""
    uvloop = importlib.util.find_spec("uvloop") is not None
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        kernel=platform.release().partition("-")[0],
        cores=os.cpu_count() or 1,
        memory_bytes=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        load_average=os.getloadavg()[0],
        python=platform.python_version(),
        event_loop="uvloop" if uvloop else "asyncio's event loop",
        broker=_mosquitto_version(),
        file_system=readings.file_system(folder),
        fsync_seconds=readings.fsync_seconds(folder),
    )


def _mosquitto_version() -> str:
    program = mosquitto_program()
    assert program is not None
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False, timeout=10).stdout
    return said.partition("\n")[0]
