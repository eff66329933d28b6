"""Runs → the table of the targets: what was measured, what is aimed at, and whether it is reached.

A target stands in the table when its setting was measured. A missed target is a word in the table, never an
error. Pure, as `report.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bench.race import Case
from bench.report import MILLI, cpu_per_message, medians, peak_megabytes, percentile
from bench.table import Row, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.race import Run

SLOW_SECONDS, SLOW_CONCURRENCY = 0.15, 200
"""The setting in which the rate is limited by Twilio's latency and by the number of attempts at once."""
RATE_OF_BARE_LOOP: Mapping[Case, float] = {Case.LIVE: 0.75, Case.BACKLOG: 0.8}
"""The least share of the bare loop's rate without latency, where the CPU limits the rate."""
SLOW_RATE_OF_BARE_LOOP: Mapping[Case, float] = {Case.LIVE: 0.95, Case.BACKLOG: 0.97}
CPU_OF_BARE_LOOP = 1.5
ADDED_MILLISECONDS = 10
PEAK_MEGABYTES = 70
READY_SECONDS = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A line of the table. `at_least` or else at most `limit`."""

    name: str
    measured: float
    limit: float
    at_least: bool = False
    form: str = ".2f"

    @property
    def reached(self) -> bool:
        return self.measured >= self.limit if self.at_least else self.measured <= self.limit

    def row(self) -> Row:
        """Its line of the table."""
        aim = f"{'at least' if self.at_least else 'at most'} {self.limit:g}"
        verdict = "reached" if self.reached else "MISSED"
        return Row(name=self.name, cells=(self.measured, aim, verdict), form=self.form)


def table(runs: Sequence[Run]) -> Table:
    """The table of the targets of these runs of any settings; a head alone when there are none."""
    return Table(
        scenario="targets",
        title="targets",
        columns=("measured", "target", "verdict"),
        rows=tuple(target.row() for target in targets(runs)),
    )


def targets(runs: Sequence[Run]) -> Iterator[Target]:
    """The lines of that table, without its head."""
    for case in (Case.LIVE, Case.BACKLOG):
        yield from _of_case(case, [run for run in runs if run.setting.case is case])
    paced = [run for run in runs if run.setting.case is Case.LATENCY]
    if paced:
        connector, bare = medians(paced, lambda run: percentile(run.to_status_seconds, 99) * MILLI)
        name = f"{paced[0].setting.per_second:g} a second: added p99 from PUBLISH to the status, ms"
        yield Target(name=name, measured=connector - bare, limit=ADDED_MILLISECONDS, form=".1f")
    if runs:
        highest = max(medians(group, peak_megabytes)[0] for group in _groups(runs))
        ready, _ = medians(runs, lambda run: run.ready_seconds)
        yield Target(name="peak memory, MB", measured=highest, limit=PEAK_MEGABYTES, form=".1f")
        yield Target(name="time to ready, s", measured=ready, limit=READY_SECONDS)


def _of_case(case: Case, runs: Sequence[Run]) -> Iterator[Target]:
    fast = [run for run in runs if run.setting.latency_seconds == 0]
    if fast:
        rate, cpu = _ratio(fast, lambda run: run.rate), _ratio(fast, cpu_per_message)
        name = f"{case}: rate at 0 ms ÷ bare loop"
        yield Target(name=name, measured=rate, limit=RATE_OF_BARE_LOOP[case], at_least=True)
        name = f"{case}: CPU per message at 0 ms ÷ bare loop"
        yield Target(name=name, measured=cpu, limit=CPU_OF_BARE_LOOP)
    slow = [
        run
        for run in runs
        if (run.setting.latency_seconds, run.setting.concurrency) == (SLOW_SECONDS, SLOW_CONCURRENCY)
    ]
    if slow:
        name = f"{case}: rate at {SLOW_SECONDS * MILLI:g} ms, {SLOW_CONCURRENCY} at once ÷ bare loop"
        rate = _ratio(slow, lambda run: run.rate)
        yield Target(name=name, measured=rate, limit=SLOW_RATE_OF_BARE_LOOP[case], at_least=True)


def _ratio(runs: Sequence[Run], value: Callable[[Run], float]) -> float:
    """0 where the bare loop has none, as in a run too short for the kernel's clock of CPU time."""
    connector, bare = medians(runs, value)
    return connector / bare if bare else 0.0


def _groups(runs: Sequence[Run]) -> list[list[Run]]:
    """The runs of each setting."""
    settings = {run.setting for run in runs}
    return [[run for run in runs if run.setting == setting] for setting in settings]
