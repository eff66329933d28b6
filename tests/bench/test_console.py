"""What open pages of the console cost becomes a table, and a sentence where it is too much."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.console import CORES, Pages, Round, table
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def a_round(
    pages: Pages,
    *,
    rate: float = 1_000,
    console_cpu_seconds: float = 0.0,
    others_cpu_seconds: float = 0.0,
) -> Round:
    return Round(
        pages=pages,
        messages=1_000,
        seconds=1_000 / rate,
        cpu_seconds=0.25,
        console_cpu_seconds=console_cpu_seconds,
        helpers_cpu_seconds=0.25,
        others_cpu_seconds=others_cpu_seconds,
        fetches={"/": [0.02, 0.03]} if pages is Pages.OPEN else {},
    )


def test_the_rate_with_open_pages_stands_next_to_that_without() -> None:
    rounds = [a_round(Pages.CLOSED), a_round(Pages.OPEN, rate=950)]
    shown = table(rounds, [1_500.0], size=10)
    cells = {row.name: row.cells for row in shown.rows}
    assert pytest.approx((1_000, 950, 0.95)) == cells["messages per second"]
    assert (1_500, None, None) == cells["bare loop, messages per second"]
    assert (None, 30, None) == cells["fetch of /, p99, ms"]
    assert () == shown.remarks


def test_the_table_says_that_pages_cost_too_much() -> None:
    rounds = [a_round(Pages.CLOSED), a_round(Pages.OPEN, rate=899)]
    (said,) = table(rounds, [1_500.0], size=10).remarks
    assert "more than 10% of the rate" in said


def test_where_other_programs_were_busy_the_cpu_time_says_what_pages_cost() -> None:
    def said(*, rate: float, share_of_all_cores: float) -> tuple[str, ...]:
        seconds = 1_000 / rate
        rounds = [
            a_round(Pages.CLOSED, others_cpu_seconds=0.9),
            a_round(Pages.OPEN, rate=rate, console_cpu_seconds=share_of_all_cores * CORES * seconds),
        ]
        return table(rounds, [1_500.0], size=10).remarks

    assert 1 == len(said(rate=500, share_of_all_cores=0.09)), "other programs were busy, and nothing else"
    assert 2 == len(said(rate=500, share_of_all_cores=0.11))


@pytest.mark.mosquitto
@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc, which only Linux has")
def test_a_small_run_keeps_pages_open_while_the_connector_works(tmp_path: Path) -> None:
    arguments = ["--only", "console", "--size", "300", "--messages", "20", "--rounds", "1"]
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *arguments, "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    for line in ("console: 300 requests in the journal", "pages open", "fetch of /requests, p99, ms"):
        assert line in ended.stdout
    assert [] == list(tmp_path.iterdir()), "it left something behind"
