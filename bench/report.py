"""Runs of connector and bare loop → the table of each setting. The table of the targets is in `targets.py`.

Pure: everything in a table follows from the runs.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING

from bench.race import Case
from bench.stage import Kind
from bench.table import RATIO, Row, Table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.race import Run, Setting

MEGA, MILLI = 1e6, 1e3
BUSY_SHARE = 0.9
"""The share of one core from which on the simulator, the broker or the load limits the rate."""
DISTURBED_SHARE = 0.3
"""The share of one core from which on other programs make the numbers unreliable."""
DISTURBED = "Other programs were busy: repeat this on a quiet machine."
PERCENTILES = (50, 90, 99)


def table(runs: Sequence[Run]) -> Table:
    """The table of all runs with one setting."""
    setting = runs[0].setting
    rounds = sum(run.kind is Kind.CONNECTOR for run in runs)
    circumstances = f"{setting.latency_seconds * MILLI:g} ms, {setting.concurrency} at once"
    return Table(
        scenario=setting.case,
        title=f"{_case(setting)}: {circumstances}, {setting.messages} messages, median of {rounds}",
        columns=("connector", "bare loop", RATIO),
        rows=tuple(rows(runs)),
        remarks=tuple(_remarks(runs)),
    )


def rows(runs: Sequence[Run]) -> Iterator[Row]:
    """The lines of that table, without its head."""
    if runs[0].setting.case is Case.LATENCY:
        yield from _delays(runs)
    else:
        yield from _rates(runs)
    yield _compared("CPU µs per message", medians(runs, cpu_per_message), ".0f")
    yield _compared("peak memory, MB", medians(runs, peak_megabytes), ".1f")
    yield _compared("time to ready, s", medians(runs, lambda run: run.ready_seconds), ".2f")
    yield from _shares(runs)


def medians(runs: Sequence[Run], value: Callable[[Run], float]) -> tuple[float, float]:
    """The median over the connector's runs, and the one over the bare loop's."""
    connector, bare = (median(value(run) for run in runs if run.kind is kind) for kind in Kind)
    return connector, bare


def cpu_per_message(run: Run) -> float:
    """CPU microseconds of the program, all threads."""
    return run.cpu_seconds / run.setting.messages * MEGA


def peak_megabytes(run: Run) -> float:
    """The most memory that was resident, in units of 1,000,000 bytes."""
    return run.peak_bytes / MEGA


def percentile(values: Sequence[float], percent: float) -> float:
    """The value measured that `percent` percent of the values, or a few more, do not exceed."""
    return sorted(values)[math.ceil(len(values) * percent / 100) - 1]


def _case(setting: Setting) -> str:
    match setting.case:
        case Case.LIVE:
            return f"live, {setting.outstanding} unanswered"
        case Case.LATENCY:
            return f"latency, {setting.per_second:g} a second"
        case _:
            return setting.case


def _delays(runs: Sequence[Run]) -> Iterator[Row]:
    values: Mapping[str, Callable[[Run], Sequence[float]]] = {
        "PUBLISH to POST": lambda run: run.to_post_seconds,
        "PUBLISH to status": lambda run: run.to_status_seconds,
    }
    for name, seconds in values.items():
        for percent in PERCENTILES:
            pair = medians(runs, lambda run: percentile(seconds(run), percent) * MILLI)  # noqa: B023 - called at once
            yield _compared(f"{name}, p{percent}, ms", pair, ".2f")


def _remarks(runs: Sequence[Run]) -> Iterator[str]:
    """Warnings about the numbers: something that helps to measure limited them, or other programs did."""
    helpers: Mapping[str, Callable[[Run], float]] = {
        "simulator": lambda run: run.simulator_cpu_seconds,
        "broker": lambda run: run.broker_cpu_seconds,
        "load": lambda run: run.load_cpu_seconds,
    }
    for name, seconds in helpers.items():
        for kind in Kind:
            if _share(runs, kind, seconds) >= BUSY_SHARE:
                yield f"The {name} was busy all the time: it limits the rate of the {kind}."
    if max(_share(runs, kind, lambda run: run.others_cpu_seconds) for kind in Kind) >= DISTURBED_SHARE:
        yield DISTURBED


def _rates(runs: Sequence[Run]) -> Iterator[Row]:
    setting = runs[0].setting
    rates = medians(runs, lambda run: run.rate)
    yield _compared("messages per second", rates, ".0f")
    if setting.latency_seconds:
        possible = setting.concurrency / setting.latency_seconds
        name = f"  of {setting.concurrency}/{setting.latency_seconds:g} s = {possible:.0f}"
        yield Row(name=name, cells=(*(rate / possible for rate in rates), None), form=".3f")
    for name, bound in (("  the lowest", min), ("  the highest", max)):
        found = (bound(run.rate for run in runs if run.kind is kind) for kind in Kind)
        yield Row(name=name, cells=(*found, None))


def _shares(runs: Sequence[Run]) -> Iterator[Row]:
    """Which program was busy. One that is always busy slows the rest; others should not be busy at all."""
    shares: Mapping[str, Callable[[Run], float]] = {
        "itself": lambda run: run.cpu_seconds,
        "simulator": lambda run: run.simulator_cpu_seconds,
        "broker": lambda run: run.broker_cpu_seconds,
        "load": lambda run: run.load_cpu_seconds,
        "other programs": lambda run: run.others_cpu_seconds,
    }
    for name, seconds in shares.items():
        found = (100 * _share(runs, kind, seconds) for kind in Kind)
        yield Row(name=f"CPU of {name}, % of a core", cells=(*found, None))


def _share(runs: Sequence[Run], kind: Kind, seconds: Callable[[Run], float]) -> float:
    """The share of one core, as the median over the runs of this kind."""
    return median(seconds(run) / run.seconds for run in runs if run.kind is kind)


def _compared(name: str, pair: tuple[float, float], form: str) -> Row:
    return Row(name=name, cells=(*pair, ratio(*pair)), form=form)
