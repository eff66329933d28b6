"""Runs → the table that is printed: medians, ratios, and which targets are reached.

Pure: everything it says follows from the runs. A missed target is a word in the table, never an error.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from bench.stage import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.race import Run, Setting

RATE_OF_BARE_LOOP = 0.6
"""At no latency, where nothing but our own work counts."""
RATE_OF_WHAT_IS_POSSIBLE = 0.9
"""With latency: of the attempts at once, divided by the time that each takes at least."""
PEAK_MEGABYTES = 70
READY_SECONDS = 1.0

_MEGA = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table; `target` is "" where there is none."""

    name: str
    connector: str
    bare_loop: str = ""
    ratio: str = ""
    target: str = ""
    reached: bool = True

    def __str__(self) -> str:
        verdict = f"{self.target}: {'reached' if self.reached else 'MISSED'}" if self.target else ""
        numbers = f"{self.connector:>10} {self.bare_loop:>10} {self.ratio:>7}"
        return f"  {self.name:<34}{numbers}   {verdict}".rstrip()


def table(runs: Sequence[Run]) -> str:
    """The table of all runs with one setting."""
    setting = runs[0].setting
    rounds = sum(run.kind is Kind.CONNECTOR for run in runs)
    head = f"{setting.latency_seconds * 1000:g} ms, {setting.concurrency} at once, "
    head += f"{setting.messages} messages, median of {rounds}"
    columns = Row(name="", connector="connector", bare_loop="bare loop", ratio="ratio")
    return "\n".join([head, str(columns), *map(str, rows(runs))])


def rows(runs: Sequence[Run]) -> Iterator[Row]:
    """Its lines."""
    yield from _rates(runs)
    yield _row(runs, "CPU µs per message", lambda run: run.cpu_seconds / run.setting.messages * _MEGA, ".0f")
    peak = _medians(runs, lambda run: run.peak_bytes / _MEGA)
    yield _compared(
        "peak memory, MB", peak, ".1f", f"at most {PEAK_MEGABYTES}", reached=peak[0] <= PEAK_MEGABYTES
    )
    ready = _medians(runs, lambda run: run.ready_seconds)
    yield _compared(
        "time to ready, s", ready, ".2f", f"at most {READY_SECONDS:g}", reached=ready[0] <= READY_SECONDS
    )
    yield from _shares(runs)


def _shares(runs: Sequence[Run]) -> Iterator[Row]:
    """Who was busy. What is busy all the time holds up the rest; others should not be busy at all."""
    shares: Mapping[str, Callable[[Run], float]] = {
        "itself": lambda run: run.cpu_seconds,
        "simulator": lambda run: run.simulator_cpu_seconds,
        "broker": lambda run: run.broker_cpu_seconds,
        "other programs": lambda run: run.others_cpu_seconds,
    }
    for name, seconds in shares.items():
        connector, bare = (
            f"{100 * median(seconds(run) / run.seconds for run in runs if run.kind is kind):.0f}"
            for kind in Kind
        )
        yield Row(name=f"CPU of {name}, % of a core", connector=connector, bare_loop=bare)


def _rates(runs: Sequence[Run]) -> Iterator[Row]:
    setting = runs[0].setting
    rates = _medians(runs, lambda run: run.rate)
    if setting.latency_seconds == 0:
        target, reached = f"ratio at least {RATE_OF_BARE_LOOP}", rates[0] / rates[1] >= RATE_OF_BARE_LOOP
        yield _compared("messages per second", rates, ".0f", target, reached=reached)
    else:
        yield _compared("messages per second", rates, ".0f")
        yield _of_possible(setting, rates)
    lowest, highest = (
        [f"{bound(run.rate for run in runs if run.kind is kind):.0f}" for kind in Kind]
        for bound in (min, max)
    )
    spread = [f"{low}-{high}" for low, high in zip(lowest, highest, strict=True)]
    yield Row(name="  from lowest to highest", connector=spread[0], bare_loop=spread[1])


def _of_possible(setting: Setting, rates: tuple[float, float]) -> Row:
    possible = setting.concurrency / setting.latency_seconds
    connector, bare = (rate / possible for rate in rates)
    return Row(
        name=f"  of {setting.concurrency}/{setting.latency_seconds:g} s = {possible:.0f}",
        connector=f"{connector:.3f}",
        bare_loop=f"{bare:.3f}",
        target=f"at least {RATE_OF_WHAT_IS_POSSIBLE}",
        reached=connector >= RATE_OF_WHAT_IS_POSSIBLE,
    )


def _row(runs: Sequence[Run], name: str, value: Callable[[Run], float], form: str) -> Row:
    return _compared(name, _medians(runs, value), form)


def _compared(
    name: str, pair: tuple[float, float], form: str, target: str = "", *, reached: bool = True
) -> Row:
    connector, bare = pair
    return Row(
        name=name,
        connector=format(connector, form),
        bare_loop=format(bare, form),
        ratio=f"{connector / bare:.2f}" if bare else "",
        target=target,
        reached=reached,
    )


def _medians(runs: Sequence[Run], value: Callable[[Run], float]) -> tuple[float, float]:
    """Of the connector's runs, and of the bare loop's."""
    connector, bare = (median(value(run) for run in runs if run.kind is kind) for kind in Kind)
    return connector, bare
