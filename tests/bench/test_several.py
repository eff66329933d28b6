"""Several connectors on one journal become columns of one table."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from bench import cores, readings
from bench.several import Shared, measure, table
from tests.bench.test_bench import LIVE

if TYPE_CHECKING:
    from pathlib import Path

PART = 0.1
"""The part of a core that a program has here."""
ENOUGH_SECONDS = 0.2
"""So much processor time takes many periods of the kernel's count."""


def a_run(*, rate: float, machine_cpu_seconds: float = 0.1, connectors: int = 1) -> Shared:
    return Shared(
        connectors=connectors,
        messages=1_000,
        seconds=1_000 / rate,
        cpu_seconds=0.3,
        server_cpu_seconds=0.1,
        all_cpu_seconds=machine_cpu_seconds,
        others_cpu_seconds=0.0,
        peak_bytes=60_000_000,
    )


def test_each_side_is_compared_with_one_connector_on_postgresql() -> None:
    runs = {
        "1 on PostgreSQL": [a_run(rate=1_000)],
        "2 on PostgreSQL": [a_run(rate=1_700, connectors=2)],
    }
    cells = {row.name.strip(): row.cells for row in table(LIVE, runs).rows}
    assert (1_000, 1_700) == tuple(map(round, cells["messages per second"]))  # type: ignore[arg-type]  # numbers
    assert (1.0, 1.7) == cells["÷ one connector on PostgreSQL"]
    one, two = cells["possible with a core for each"]
    assert 2 * one == two  # type: ignore[operator]  # numbers


def test_a_program_uses_no_more_of_a_core_than_its_part(tmp_path: Path) -> None:
    lack = cores.lack()
    if lack:
        unmeasured = measure(LIVE, rounds=1, folder=tmp_path, part=PART)
        assert (f"Nothing was measured: {lack}",) == unmeasured.remarks
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
        try:
            with cores.part_of_a_core(busy.pid, PART):
                begun, used = time.monotonic(), readings.cpu_seconds(busy.pid)
                while readings.cpu_seconds(busy.pid) - used < ENOUGH_SECONDS:
                    time.sleep(0.01)
                took = time.monotonic() - begun
        finally:
            busy.kill()
    assert took > ENOUGH_SECONDS / PART / 2


def test_the_title_says_which_part_of_a_core_each_connector_had() -> None:
    assert "0.1 of a core for each" in table(LIVE, {"1": [a_run(rate=1_000)]}, part=PART).title
    assert "of a core" not in table(LIVE, {"1": [a_run(rate=1_000)]}).title


def test_the_table_says_when_the_cores_of_the_machine_are_the_limit() -> None:
    idle = a_run(rate=1_000)
    busy = replace(idle, all_cpu_seconds=1_000.0)
    assert () == table(LIVE, {"1 on PostgreSQL": [idle]}).remarks
    (said,) = table(LIVE, {"1 on PostgreSQL": [busy]}).remarks
    assert "they are the limit" in said
