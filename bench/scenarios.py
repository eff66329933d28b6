"""A scenario by its word → its tables, as soon as each is measured."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, assert_never

from bench import console, contest, large, report, several, targets
from bench.options import Scenario
from bench.race import Case, Setting, race

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from bench.options import Options
    from bench.race import Run
    from bench.table import Table

_CASES = {Scenario.LIVE: Case.LIVE, Scenario.BACKLOG: Case.BACKLOG, Scenario.LATENCY: Case.LATENCY}


def tables(options: Options, folder: Path) -> Iterator[Table]:
    """The tables of all scenarios that are wanted, those of the race and of its targets first."""
    cases = [_CASES[scenario] for scenario in options.scenarios if scenario in _CASES]
    if cases:
        yield from _race(cases, options, folder)
    for scenario in options.scenarios:
        match scenario:
            case Scenario.LIVE | Scenario.BACKLOG | Scenario.LATENCY:
                pass
            case Scenario.CONSOLE:
                yield console.measure(
                    _setting(Case.LIVE, options, latency_seconds=0.0),
                    size=options.size or console.SIZE,
                    rounds=options.rounds,
                    folder=folder,
                )
            case Scenario.LARGE:
                setting = _setting(Case.LIVE, options, latency_seconds=0.0)
                yield large.measure(setting, size=options.size or large.SIZE, folder=folder)
            case Scenario.PEERS:
                yield contest.measure(folder)
            case Scenario.POSTGRESQL:
                for latency in options.latencies:
                    setting = _setting(Case.LIVE, options, latency_seconds=latency)
                    yield several.measure(setting, rounds=options.rounds, folder=folder)
                setting = _setting(Case.LIVE, options, latency_seconds=0.0)
                yield several.measure(
                    setting, rounds=options.rounds, folder=folder, part=several.PART_OF_A_CORE
                )
            case _:
                assert_never(scenario)


def _race(cases: Sequence[Case], options: Options, folder: Path) -> Iterator[Table]:
    all_runs: list[Run] = []
    for case in cases:
        for latency in (0.0,) if case is Case.LATENCY else options.latencies:
            runs = []
            for run in race(
                _setting(case, options, latency_seconds=latency), rounds=options.rounds, folder=folder
            ):
                runs.append(run)
                _show_progress(run)
            yield report.table(runs)
            all_runs += runs
    yield targets.table(all_runs)


def _setting(case: Case, options: Options, *, latency_seconds: float) -> Setting:
    return Setting(
        case=case,
        messages=options.paced_messages if case is Case.LATENCY else options.messages,
        concurrency=options.concurrency,
        latency_seconds=latency_seconds,
        outstanding=options.outstanding,
    )


def _show_progress(run: Run) -> None:
    """Shows the rate of a run as soon as it has ended, where standard error is a terminal."""
    if sys.stderr.isatty():
        print(f"  {run.kind}: {run.rate:.0f} messages per second", file=sys.stderr, flush=True)
