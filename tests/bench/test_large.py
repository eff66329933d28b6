"""Two backlogs become one table, and a small run of both measures what it says."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from bench.large import CLAIMED, Backlog, table
from bench.stage import Kind
from tests.bench.test_bench import BACKLOG, a_run
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def a_backlog(*, size: int, claim_seconds: float) -> Backlog:
    return Backlog(
        size=size,
        sent=500,
        fill_seconds=size / 4_000,
        fill_cpu_seconds=size / 10_000,
        filled_bytes=60_000_000,
        journal_bytes=400 * size,
        ready_seconds=0.3,
        first_send_seconds=0.4,
        send_seconds=0.25,
        send_cpu_seconds=0.0002,
        peak_bytes=70_000_000,
        claim_seconds=claim_seconds,
    )


def test_each_number_of_the_large_backlog_stands_next_to_that_of_the_small_one() -> None:
    small, large = a_backlog(size=1_000, claim_seconds=0.002), a_backlog(size=100_000, claim_seconds=0.003)
    cells = {row.name: row.cells for row in table(small, large, a_run(Kind.BARE_LOOP, BACKLOG)).rows}
    assert pytest.approx((2, 3, 1.5)) == cells[f"CPU of a claim of {CLAIMED}, ms"][:3]
    assert pytest.approx((4_000, 4_000, 1)) == cells["taken in, requests per second"][:3]
    assert pytest.approx((2_000, 2_000, 1, 1_000)) == cells["sent, requests per second"]
    assert pytest.approx((200, 200, 1, 500)) == cells["sent, CPU µs per request"]


@pytest.mark.mosquitto
@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc, which only Linux has")
def test_a_small_run_fills_the_journal_and_sends_from_it(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "bench", "--only", "large", "--size", "3000", "--folder", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    assert "large: 3000 requests wait, next to 3000; 1500 of them leave" in ended.stdout
    assert [] == list(tmp_path.iterdir()), "it left something behind"
