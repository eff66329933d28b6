"""The scenario `console`: what the connector loses while people look at its journal.

One connector with a large journal answers live load in alternating rounds: with no page of the console open,
and with the overview and the list of requests open, each of which fetches itself again at every change. The
bare loop takes its turn in each round.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from bench import readings, stage, viewer
from bench.filling import JOURNAL, fill_with_past
from bench.load import requests, verify
from bench.race import run, scene, send_load
from bench.report import DISTURBED, DISTURBED_SHARE, MEGA, MILLI, percentile
from bench.stage import Kind
from bench.table import RATIO, Row, Table, ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.race import Scene, Setting
    from bench.stage import Started

SCENARIO = "console"
SIZE, MESSAGES, ROUNDS = 200_000, 8_000, 10
PAGES = ("/", "/requests")
LEAST_OF_RATE = 0.9
"""A page may cost a tenth of the rate."""
CORES = os.cpu_count() or 1
SECTIONS = '[console]\nlisten = "127.0.0.1:0"\n'


class Pages(StrEnum):
    """Whether anyone looks."""

    CLOSED = "no page open"
    OPEN = "pages open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One round of live load on the connector. CPU times are those of the round alone."""

    pages: Pages
    messages: int
    seconds: float
    cpu_seconds: float
    console_cpu_seconds: float
    helpers_cpu_seconds: float
    """Of simulator, broker and load together."""
    others_cpu_seconds: float
    fetches: dict[str, list[float]] = field(default_factory=dict)
    """For each open page, the seconds that each fetch took."""

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def possible_rate(self) -> float:
        """Messages per second by the CPU time alone, on all cores of the machine without other programs.

        0 in a run too short for the kernel's clock of CPU time.
        """
        used = self.cpu_seconds + self.helpers_cpu_seconds
        return (CORES - self.console_share) * self.messages / used if used else 0.0

    @property
    def console_share(self) -> float:
        """The console's CPU time as a share of one core."""
        return self.console_cpu_seconds / self.seconds

    @property
    def others_share(self) -> float:
        """The same of all programs that are no part of the run."""
        return self.others_cpu_seconds / self.seconds


def measure(setting: Setting, *, size: int, rounds: int, folder: Path) -> Table:
    """Fills the journal, has all rounds run, and makes the table of them."""
    asyncio.run(fill_with_past(folder / JOURNAL, count=size, until=time.time()))
    found, bare_rates = [], []
    with (
        scene(Kind.CONNECTOR, setting, folder, sections=SECTIONS) as on,
        stage.console(folder) as (console, address),
    ):
        _round(Pages.CLOSED, setting, on, console)  # it warms everything up, and counts for nothing
        for number in range(rounds):
            for pages in list(Pages) if number % 2 else list(Pages)[::-1]:
                with _open_pages(address if pages is Pages.OPEN else None, folder) as fetches:
                    found.append(replace(_round(pages, setting, on, console), fetches=fetches))
            with tempfile.TemporaryDirectory(dir=folder) as own:
                bare_rates.append(run(Kind.BARE_LOOP, setting, Path(own)).rate)
    return table(found, bare_rates, size=size)


def _round(pages: Pages, setting: Setting, on: Scene, console: Started) -> Round:
    load = requests(setting.messages)
    readings.wait_for_rest(on.subject.pid)
    meter = readings.CpuMeter(
        {"connector": on.subject.pid, "console": console.pid, "simulator": on.simulator_pid}
        | {"broker": on.broker_pid, "load": os.getpid()}
    )
    traffic = send_load(on, setting, load)
    others, used = meter.others_seconds(), meter.seconds()
    verify(traffic.statuses, count=setting.messages)
    return Round(
        pages=pages,
        messages=setting.messages,
        seconds=traffic.seconds,
        cpu_seconds=used["connector"],
        console_cpu_seconds=used["console"],
        helpers_cpu_seconds=used["simulator"] + used["broker"] + used["load"],
        others_cpu_seconds=others,
    )


@contextmanager
def _open_pages(address: str | None, folder: Path) -> Iterator[dict[str, list[float]]]:
    """Keeps the pages open; afterwards, the dictionary has the seconds of each fetch of each page."""
    fetches: dict[str, list[float]] = {}
    if address is None:
        yield fetches
        return
    command = [sys.executable, "-m", "bench.viewer", "--console", address, "--pages", *PAGES]
    with stage.program(command, log=folder / "viewer.log", ready=viewer.READY) as looking:
        yield fetches
    fetches |= json.loads(looking.log.read_text().splitlines()[-1])


def table(rounds: Sequence[Round], bare_rates: Sequence[float], *, size: int) -> Table:
    """The table of these rounds."""
    groups = [[one for one in rounds if one.pages is pages] for pages in Pages]
    first = rounds[0]

    def compared(name: str, value: Callable[[Round], float], form: str = ".0f") -> Row:
        closed, opened = (median(map(value, group)) for group in groups)
        return Row(name=name, cells=(closed, opened, ratio(opened, closed)), form=form)

    return Table(
        scenario=SCENARIO,
        title=f"console: {size} requests in the journal, {first.messages} messages live, "
        f"median of {len(groups[0])}",
        columns=(*Pages, RATIO),
        rows=(
            compared("messages per second", lambda one: one.rate),
            compared("  possible by CPU time, all cores", lambda one: one.possible_rate),
            compared("CPU µs per message, connector", lambda one: one.cpu_seconds / one.messages * MEGA),
            compared("CPU of console, % of a core", lambda one: 100 * one.console_share, ".1f"),
            Row(name="bare loop, messages per second", cells=(median(bare_rates), None, None)),
            *_fetches(groups[1]),
            compared("CPU of other programs, % of a core", lambda one: 100 * one.others_share),
        ),
        remarks=tuple(_remarks(groups)),
    )


def _fetches(opened: Sequence[Round]) -> Iterator[Row]:
    """How long people wait for each page while the connector works."""
    for page in opened[0].fetches:
        seconds = [each for one in opened for each in one.fetches[page]]
        for percent in (50, 99):
            shown = percentile(seconds, percent) * MILLI
            yield Row(name=f"fetch of {page}, p{percent}, ms", cells=(None, shown, None), form=".0f")


def _remarks(groups: Sequence[Sequence[Round]]) -> Iterator[str]:
    """By the rates, or where other programs were busy by the CPU time, which they change less."""
    is_disturbed = max(one.others_share for group in groups for one in group) >= DISTURBED_SHARE
    closed, opened = (
        median(one.possible_rate if is_disturbed else one.rate for one in group) for group in groups
    )
    if opened < LEAST_OF_RATE * closed:
        yield f"Open pages cost more than {1 - LEAST_OF_RATE:.0%} of the rate."
    if is_disturbed:
        yield DISTURBED
