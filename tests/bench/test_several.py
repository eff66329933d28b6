"""Several connectors on one journal become columns of one table."""

from __future__ import annotations

from dataclasses import replace

from bench.several import Shared, table
from tests.bench.test_bench import LIVE


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


def test_the_table_says_when_the_cores_of_the_machine_are_the_limit() -> None:
    idle = a_run(rate=1_000)
    busy = replace(idle, all_cpu_seconds=1_000.0)
    assert () == table(LIVE, {"1 on PostgreSQL": [idle]}).remarks
    (said,) = table(LIVE, {"1 on PostgreSQL": [busy]}).remarks
    assert "they are the limit" in said
