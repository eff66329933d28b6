"""The benchmark runs, and what it prints follows from what it measured.

No test asserts that anything is fast: a busy machine must not fail the suite.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from bench.load import WrongStatuses, requests, verify
from bench.race import Run, Setting
from bench.report import Row, rows, table
from bench.stage import Kind
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

NO_LATENCY = Setting(messages=1_000, concurrency=200, latency_seconds=0.0)
LATENCY = replace(NO_LATENCY, latency_seconds=0.15)


def a_run(kind: Kind, setting: Setting = NO_LATENCY, *, rate: float = 1_000) -> Run:
    return Run(
        kind=kind,
        setting=setting,
        seconds=setting.messages / rate,
        cpu_seconds=0.5,
        simulator_cpu_seconds=0.25,
        broker_cpu_seconds=0.05,
        others_cpu_seconds=0.0,
        peak_bytes=50_000_000,
        ready_seconds=0.25,
    )


def the_row(runs: list[Run], name: str) -> Row:
    (row,) = [row for row in rows(runs) if row.name.strip().startswith(name)]
    return row


def a_success(request_id: str) -> bytes:
    return json.dumps({"response": {"status": "success"}, "id": request_id}).encode()


@pytest.mark.mosquitto
@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc, which only Linux has")
def test_a_small_benchmark_measures_both(tmp_path: Path) -> None:
    arguments = ["--messages", "40", "--rounds", "1", "--latency", "0", "--folder", str(tmp_path)]
    ended = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )
    assert (0, "") == (ended.returncode, ended.stderr)
    for line in ("0 ms, 200 at once, 40 messages", "messages per second", "peak memory", "time to ready"):
        assert line in ended.stdout
    assert [] == list(tmp_path.iterdir()), "it left something behind"


def test_the_median_run_counts() -> None:
    connector = [a_run(Kind.CONNECTOR, rate=rate) for rate in (100, 600, 900)]
    bare_loop = [a_run(Kind.BARE_LOOP, rate=rate) for rate in (1_000, 800, 5_000)]
    row = the_row(connector + bare_loop, "messages per second")
    assert ("600", "1000", "0.60", True) == (row.connector, row.bare_loop, row.ratio, row.reached)


@pytest.mark.parametrize(("rate", "reached"), [(1_201, True), (1_199, False)])
def test_with_latency_the_target_is_what_so_many_at_once_allow(rate: float, *, reached: bool) -> None:
    row = the_row([a_run(Kind.CONNECTOR, LATENCY, rate=rate), a_run(Kind.BARE_LOOP, LATENCY)], "of 200/0.15")
    assert reached == row.reached


@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("peak memory", replace(a_run(Kind.CONNECTOR), peak_bytes=70_100_000)),
        ("time to ready", replace(a_run(Kind.CONNECTOR), ready_seconds=1.1)),
    ],
)
def test_a_missed_target_is_called_so(name: str, missing: Run) -> None:
    bare_loop = a_run(Kind.BARE_LOOP)
    assert the_row([a_run(Kind.CONNECTOR), bare_loop], name).reached
    assert not the_row([missing, bare_loop], name).reached
    assert "MISSED" in table([missing, bare_loop])


def test_every_request_has_a_recipient_of_its_own() -> None:
    recipients = {json.loads(request)["request"]["recipient"]["phone_number"] for request in requests(50)}
    assert 50 == len(recipients)


def test_statuses_in_any_order_answer_the_requests() -> None:
    verify([a_success("request1"), a_success("request0")], count=2)


@pytest.mark.parametrize(
    "statuses",
    [
        [a_success("request0"), a_success("request0")],
        [a_success("request0")],
        [a_success("request0"), b'{"response": {"status": "fail"}, "id": "request1"}'],
    ],
    ids=["twice", "missing", "failed"],
)
def test_a_run_with_wrong_statuses_counts_for_nothing(statuses: list[bytes]) -> None:
    with pytest.raises(WrongStatuses):
        verify(statuses, count=2)
