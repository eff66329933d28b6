"""Runs → the tables that are printed: one for each setting, and one of the targets.

Pure: everything in them follows from the runs. A missed target is a word in the table, never an error.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.race import Case
from bench.stage import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.race import Run, Setting

MEGA, MILLI = 1e6, 1e3
BUSY_SHARE = 0.9
"""Of one core, from which on a program that helps to measure limits the rate."""
DISTURBED_SHARE = 0.3
"""Of one core, from which on other programs make the numbers theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of a table of one setting."""

    name: str
    connector: str
    bare_loop: str = ""
    ratio: str = ""

    def __str__(self) -> str:
        return f"  {self.name:<34}{self.connector:>10} {self.bare_loop:>10} {self.ratio:>7}".rstrip()


def table(runs: Sequence[Run]) -> str:
    """The table of all runs with one setting."""
    columns = Row(name="", connector="connector", bare_loop="bare loop", ratio="ratio")
    return "\n".join([_head(runs), str(columns), *map(str, rows(runs)), *_remarks(runs)])


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


def _head(runs: Sequence[Run]) -> str:
    setting = runs[0].setting
    rounds = sum(run.kind is Kind.CONNECTOR for run in runs)
    circumstances = f"{setting.latency_seconds * MILLI:g} ms, {setting.concurrency} at once"
    return f"{_case(setting)}: {circumstances}, {setting.messages} messages, median of {rounds}"


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
        for percent in (50, 99):
            pair = medians(runs, lambda run: percentile(seconds(run), percent) * MILLI)  # noqa: B023 - called at once
            yield _compared(f"{name}, p{percent}, ms", pair, ".2f")


def _remarks(runs: Sequence[Run]) -> Iterator[str]:
    """What makes the numbers say less than they seem to."""
    helpers: Mapping[str, Callable[[Run], float]] = {
        "simulator": lambda run: run.simulator_cpu_seconds,
        "broker": lambda run: run.broker_cpu_seconds,
        "load": lambda run: run.load_cpu_seconds,
    }
    for name, seconds in helpers.items():
        for kind in Kind:
            if _share(runs, kind, seconds) >= BUSY_SHARE:
                yield f"  The {name} was busy all the time: it limits the rate of the {kind}."
    if max(_share(runs, kind, lambda run: run.others_cpu_seconds) for kind in Kind) >= DISTURBED_SHARE:
        yield "  Other programs were busy: repeat this on a quiet machine."


def _rates(runs: Sequence[Run]) -> Iterator[Row]:
    setting = runs[0].setting
    rates = medians(runs, lambda run: run.rate)
    yield _compared("messages per second", rates, ".0f")
    if setting.latency_seconds:
        possible = setting.concurrency / setting.latency_seconds
        name = f"  of {setting.concurrency}/{setting.latency_seconds:g} s = {possible:.0f}"
        connector, bare = (f"{rate / possible:.3f}" for rate in rates)
        yield Row(name=name, connector=connector, bare_loop=bare)
    lowest, highest = (
        [f"{bound(run.rate for run in runs if run.kind is kind):.0f}" for kind in Kind]
        for bound in (min, max)
    )
    spread = [f"{low}-{high}" for low, high in zip(lowest, highest, strict=True)]
    yield Row(name="  from lowest to highest", connector=spread[0], bare_loop=spread[1])


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
        connector, bare = (f"{100 * _share(runs, kind, seconds):.0f}" for kind in Kind)
        yield Row(name=f"CPU of {name}, % of a core", connector=connector, bare_loop=bare)


def _share(runs: Sequence[Run], kind: Kind, seconds: Callable[[Run], float]) -> float:
    """Of one core, the median over the runs of this kind."""
    return median(seconds(run) / run.seconds for run in runs if run.kind is kind)


def _compared(name: str, pair: tuple[float, float], form: str) -> Row:
    connector, bare = pair
    return Row(
        name=name,
        connector=format(connector, form),
        bare_loop=format(bare, form),
        ratio=f"{connector / bare:.2f}" if bare else "",
    )
