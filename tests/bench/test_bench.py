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

from bench import targets
from bench.load import WrongStatuses, requests, verify
from bench.race import Case, Run, Setting
from bench.report import percentile, rows, table
from bench.stage import Kind
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

    from bench.table import Row
    from bench.targets import Target

BACKLOG = Setting(
    case=Case.BACKLOG,
    messages=1_000,
    concurrency=200,
    latency_seconds=0.0,
    outstanding=400,
)
SLOW = replace(BACKLOG, latency_seconds=0.15)
LIVE = replace(BACKLOG, case=Case.LIVE)
PACED = replace(BACKLOG, case=Case.LATENCY)


def a_run(
    kind: Kind,
    setting: Setting = BACKLOG,
    *,
    rate: float = 1_000,
    cpu_seconds: float = 0.5,
    to_status_seconds: float = 0.002,
) -> Run:
    return Run(
        kind=kind,
        setting=setting,
        seconds=setting.messages / rate,
        cpu_seconds=cpu_seconds,
        simulator_cpu_seconds=0.25,
        broker_cpu_seconds=0.05,
        load_cpu_seconds=0.05,
        others_cpu_seconds=0.0,
        peak_bytes=50_000_000,
        ready_seconds=0.25,
        to_post_seconds=[0.001] * setting.messages,
        to_status_seconds=[to_status_seconds] * setting.messages,
    )


def the_target(runs: list[Run], name: str) -> Target:
    (target,) = [target for target in targets.targets(runs) if name in target.name]
    return target


def the_row(runs: list[Run], name: str) -> Row:
    (row,) = [row for row in rows(runs) if row.name.strip().startswith(name)]
    return row


def run_the_benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def a_success(request_id: str) -> bytes:
    return json.dumps({"response": {"status": "success"}, "id": request_id}).encode()


@pytest.mark.mosquitto
@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc, which only Linux has")
def test_a_small_benchmark_measures_each_case(tmp_path: Path) -> None:
    results, work = tmp_path / "results.json", tmp_path / "work"
    work.mkdir()
    arguments = ["--messages", "40", "--rounds", "1", "--latency", "0", "--folder", str(work)]
    ended = run_the_benchmark(*arguments, "--json", str(results))
    assert (0, "") == (ended.returncode, ended.stderr)
    for case in ("live, 400 unanswered", "backlog", "latency, 50 a second"):
        assert f"{case}: 0 ms, 200 at once, 40 messages" in ended.stdout
    for line in ("messages per second", "PUBLISH to status, p99", "targets", "live: rate at 0 ms"):
        assert line in ended.stdout
    assert [] == list(work.iterdir()), "it left something behind"
    scenarios = [table["scenario"] for table in json.loads(results.read_text())["tables"]]
    assert ["live", "backlog", "latency", "targets"] == scenarios


@pytest.mark.mosquitto
@pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc, which only Linux has")
def test_one_case_can_be_measured_alone(tmp_path: Path) -> None:
    arguments = ["--only", "latency", "--messages", "5", "--rounds", "1", "--folder", str(tmp_path)]
    ended = run_the_benchmark(*arguments)
    assert (0, "") == (ended.returncode, ended.stderr)
    assert "latency, 50 a second: 0 ms, 200 at once, 5 messages" in ended.stdout
    assert "backlog" not in ended.stdout


def test_the_median_run_counts() -> None:
    connector = [a_run(Kind.CONNECTOR, rate=rate) for rate in (100, 600, 900)]
    bare_loop = [a_run(Kind.BARE_LOOP, rate=rate) for rate in (1_000, 800, 5_000)]
    row = the_row(connector + bare_loop, "messages per second")
    assert (600, 1_000, 0.6) == row.cells


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(number) for number in range(200, 0, -1)]
    assert (100.0, 198.0, 200.0) == tuple(percentile(values, percent) for percent in (50, 99, 100))
    assert 7.0 == percentile([7.0], 50)


@pytest.mark.parametrize(
    ("name", "fair", "poor"),
    [
        ("backlog: rate at 0 ms", a_run(Kind.CONNECTOR, rate=801), a_run(Kind.CONNECTOR, rate=799)),
        ("live: rate at 0 ms", a_run(Kind.CONNECTOR, LIVE, rate=751), a_run(Kind.CONNECTOR, LIVE, rate=749)),
        (
            "live: CPU per message",
            a_run(Kind.CONNECTOR, LIVE, cpu_seconds=0.74),
            a_run(Kind.CONNECTOR, LIVE, cpu_seconds=0.76),
        ),
        ("rate at 150 ms", a_run(Kind.CONNECTOR, SLOW, rate=971), a_run(Kind.CONNECTOR, SLOW, rate=969)),
        (
            "added p99",
            a_run(Kind.CONNECTOR, PACED, to_status_seconds=0.0119),
            a_run(Kind.CONNECTOR, PACED, to_status_seconds=0.0121),
        ),
        (
            "peak memory",
            a_run(Kind.CONNECTOR),
            replace(a_run(Kind.CONNECTOR), peak_bytes=70_100_000),
        ),
        ("time to ready", a_run(Kind.CONNECTOR), replace(a_run(Kind.CONNECTOR), ready_seconds=0.61)),
    ],
)
def test_a_missed_target_is_called_so(name: str, fair: Run, poor: Run) -> None:
    bare_loop = a_run(Kind.BARE_LOOP, fair.setting)
    assert the_target([fair, bare_loop], name).reached
    missed = the_target([poor, bare_loop], name)
    assert not missed.reached
    assert "MISSED" == missed.row().cells[-1]
    assert missed.row() in targets.table([poor, bare_loop]).rows


def test_a_setting_that_was_not_measured_has_no_target() -> None:
    names = [target.name for target in targets.targets([a_run(Kind.CONNECTOR), a_run(Kind.BARE_LOOP)])]
    assert not [name for name in names if "live" in name or "150 ms" in name or "a second" in name]


def test_the_peak_is_that_of_the_hungriest_setting() -> None:
    runs = [a_run(kind, setting) for kind in Kind for setting in (BACKLOG, LIVE)]
    runs = [replace(run, peak_bytes=80_000_000) if run.setting is LIVE else run for run in runs]
    assert 80 == the_target(runs, "peak memory").measured


def test_the_table_of_fixed_instants_shows_delays_instead_of_rates() -> None:
    runs = [a_run(Kind.CONNECTOR, PACED), a_run(Kind.BARE_LOOP, PACED)]
    assert 1 == the_row(runs, "PUBLISH to POST, p99").cells[0]
    assert 2 == the_row(runs, "PUBLISH to status, p50").cells[0]
    assert "messages per second" not in str(table(runs))


@pytest.mark.parametrize(
    ("busy", "remark"),
    [
        (replace(a_run(Kind.BARE_LOOP), simulator_cpu_seconds=0.95), "it limits the rate of the bare loop"),
        (replace(a_run(Kind.BARE_LOOP), others_cpu_seconds=0.5), "Other programs were busy"),
    ],
)
def test_the_table_says_when_its_numbers_are_not_the_programs_own(busy: Run, remark: str) -> None:
    quiet = [a_run(Kind.CONNECTOR), a_run(Kind.BARE_LOOP)]
    assert () == table(quiet).remarks
    (said,) = table([a_run(Kind.CONNECTOR), busy]).remarks
    assert remark in said


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
