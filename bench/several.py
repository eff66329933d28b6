"""The scenario `postgresql`: one, two and four connectors that share a journal in PostgreSQL.

The load is that of `live`. SQLite with one connector and the bare loop take their turns in each round. The
server is one of the run's own, with its usual settings, so that a commit reaches the disk. On a machine whose
cores are all busy a second connector has nothing to work with: the table says so. Where each connector has
only a part of a core, the rest of the machine is free for what they share, as on a machine of more cores.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import cores, drive, readings, stage
from bench.load import STATUS_TOPIC, WrongStatuses, requests
from bench.race import limit_seconds, verified
from bench.report import DISTURBED, DISTURBED_SHARE, MEGA, MILLI
from bench.stage import Kind
from bench.table import Row, Table
from bench.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.race import Setting
    from bench.stage import Started

SCENARIO = "postgresql"
CONNECTORS = (1, 2, 4)
PART_OF_A_CORE = 0.15
"""Each connector has so much of a core: then two cores suffice for four of them, PostgreSQL and the rest."""
BUSY_CORES = 0.9
"""The share of all cores from which on they limit the rate."""
ENGINE = "twilio_notifications.adapters.postgres"
SERVER = "tests.support.postgresql"


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What is measured: a column of the table."""

    name: str
    kind: Kind = Kind.CONNECTOR
    connectors: int = 1
    is_shared: bool = False
    """Its journal is in PostgreSQL."""
    all_take_in: bool = False
    """By a shared subscription; otherwise the one that leads does."""


SIDES = (
    *(Side(name=f"{count} on PostgreSQL", connectors=count, is_shared=True) for count in CONNECTORS),
    *(
        Side(name=f"{count} in a group", connectors=count, is_shared=True, all_take_in=True)
        for count in CONNECTORS[1:]
    ),
    Side(name="1 on SQLite"),
    Side(name="bare loop", kind=Kind.BARE_LOOP),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """One run of one side. CPU times are those of the messages alone."""

    connectors: int
    messages: int
    seconds: float
    cpu_seconds: float
    """Of all connectors together."""
    server_cpu_seconds: float
    """Of PostgreSQL; 0 on SQLite."""
    all_cpu_seconds: float
    """Of everything that ran on the machine."""
    others_cpu_seconds: float
    peak_bytes: int
    """Of the connector that took most."""

    @property
    def rate(self) -> float:
        return self.messages / self.seconds

    @property
    def possible_rate(self) -> float:
        """Messages per second where each connector has a core of its own, and PostgreSQL as many as it needs.

        0 in a run too short for the kernel's clock of CPU time.
        """
        return self.connectors * self.messages / self.cpu_seconds if self.cpu_seconds else 0.0


def measure(setting: Setting, *, rounds: int, folder: Path, part: float | None = None) -> Table:
    """All sides in turns, or a sentence that says why there is nothing to measure.

    Each connector has a `part` of a core, and the bare loop too; None: as much as it gets.
    """
    lack = _lack(part)
    if lack:
        return Table(scenario=SCENARIO, title=_title(setting, part), columns=(), rows=(), remarks=(lack,))
    found: dict[str, list[Shared]] = {side.name: [] for side in SIDES}
    with importlib.import_module(SERVER).PostgreSql(settings=()) as server:
        for _ in range(rounds):
            for side in SIDES:
                with tempfile.TemporaryDirectory(prefix="several-", dir=folder) as own:
                    found[side.name].append(_run(side, setting, server, Path(own), part=part))
    return table(setting, found, part=part)


def _lack(part: float | None) -> str:
    if part is not None and (lack := cores.lack()):
        return f"Nothing was measured: {lack}"
    if importlib.util.find_spec(ENGINE) is None:
        return "Nothing was measured: this build has no journal in PostgreSQL."
    if importlib.util.find_spec("asyncpg") is None:
        return "Nothing was measured: asyncpg is not installed; install the extra postgres."
    if importlib.import_module("tests.support.needs").find_postgresql(os.environ.get("PATH", "")) is None:
        return "Nothing was measured: PostgreSQL is not installed; install it: `apt install postgresql`."
    return ""


def _run(side: Side, setting: Setting, server: Any, folder: Path, *, part: float | None) -> Shared:
    load = requests(setting.messages)
    with (
        _started(side, setting, server, folder) as on,
        Wire(on.broker_url, client_id="load") as wire,
        ExitStack() as limits,
    ):
        wire.subscribe(STATUS_TOPIC)
        for one in on.subjects:
            readings.wait_for_rest(one.pid)
            if part is not None:
                limits.enter_context(cores.part_of_a_core(one.pid, part))
        pids = {f"connector {number}": one.pid for number, one in enumerate(on.subjects)}
        meter = readings.CpuMeter(pids | on.helpers | {"load": os.getpid()})
        served_before = _served_seconds(server)
        try:
            traffic = drive.live(
                wire, load, outstanding=setting.outstanding, limit_seconds=limit_seconds(setting)
            )
        except TimeoutError as error:
            raise WrongStatuses(f"{error}; a log ends with\n{on.subjects[0].end_of_log()}") from error
        used, others = meter.seconds(), meter.others_seconds()
        served = _served_seconds(server) - served_before
        verified(traffic, on.twilio, setting)
        peak = max(readings.peak_bytes(one.pid) for one in on.subjects)
    return Shared(
        connectors=side.connectors,
        messages=setting.messages,
        seconds=traffic.seconds,
        cpu_seconds=sum(used[name] for name in pids),
        server_cpu_seconds=served if side.is_shared else 0.0,
        all_cpu_seconds=sum(used.values()) + others,
        others_cpu_seconds=others - served,
        peak_bytes=peak,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Started:
    """The programs of one run."""

    subjects: Sequence[Started]
    helpers: dict[str, int]
    """The identifiers of broker and simulator."""
    broker_url: str
    twilio: str


@contextmanager
def _started(side: Side, setting: Setting, server: Any, folder: Path) -> Iterator[_Started]:
    """All programs of a run, each connector in a folder of its own."""
    with ExitStack() as stack:
        broker, broker_url = stack.enter_context(stage.broker(folder))
        slow = stage.simulator(folder, latency_seconds=setting.latency_seconds)
        simulator, twilio = stack.enter_context(slow)
        journal = ""
        if side.is_shared:
            journal = f'[journal]\nurl = "{stack.enter_context(server.database())}"\n'
        subjects = []
        for number in range(side.connectors):
            own = folder / str(number)
            own.mkdir()
            group = f'shared_group = "all"\nclient_id = "member-{number}"\n' if side.all_take_in else ""
            one = stage.subject(
                side.kind,
                own,
                broker=broker_url,
                twilio=twilio,
                concurrency=setting.concurrency,
                further=group + journal,
            )
            subjects.append(stack.enter_context(one))
        helpers = {"simulator": simulator.pid, "broker": broker.pid}
        yield _Started(subjects=subjects, helpers=helpers, broker_url=broker_url, twilio=twilio)


def _served_seconds(server: Any) -> float:
    """The CPU seconds of PostgreSQL so far, connections that have ended left out."""
    lock = Path(server.ask("SHOW data_directory")) / "postmaster.pid"
    return readings.family_cpu_seconds(int(lock.read_text().partition("\n")[0]))


def table(setting: Setting, found: Mapping[str, Sequence[Shared]], *, part: float | None = None) -> Table:
    """A column for each side, whose connectors had a `part` of a core each."""
    every = os.cpu_count() or 1

    def row(name: str, value: Callable[[Shared], float], form: str = ".0f") -> Row:
        return Row(name=name, cells=tuple(median(map(value, runs)) for runs in found.values()), form=form)

    one_alone = median(run.rate for run in next(iter(found.values())))
    busy = {
        name: median(run.all_cpu_seconds / run.seconds / every for run in runs)
        for name, runs in found.items()
    }
    disturbed = any(
        run.others_cpu_seconds / run.seconds >= DISTURBED_SHARE for runs in found.values() for run in runs
    )
    remarks = [
        f"With {name}, the {every} cores of the machine were busy: they are the limit."
        for name, share in busy.items()
        if share >= BUSY_CORES
    ]
    return Table(
        scenario=SCENARIO,
        title=_title(setting, part),
        columns=tuple(found),
        rows=(
            row("messages per second", lambda run: run.rate),
            row("  ÷ one connector on PostgreSQL", lambda run: run.rate / one_alone, ".2f"),
            row("  possible with a core for each", lambda run: run.possible_rate),
            row("CPU µs per message, connectors", lambda run: run.cpu_seconds / run.messages * MEGA),
            row("CPU µs per message, PostgreSQL", lambda run: run.server_cpu_seconds / run.messages * MEGA),
            row("peak memory of a connector, MB", lambda run: run.peak_bytes / MEGA, ".1f"),
            Row(name="cores of the machine busy, %", cells=tuple(100 * share for share in busy.values())),
        ),
        remarks=(*remarks, *((DISTURBED,) if disturbed else ())),
    )


def _title(setting: Setting, part: float | None) -> str:
    circumstances = f"{setting.latency_seconds * MILLI:g} ms, {setting.concurrency} at once"
    limit = "" if part is None else f", {part:g} of a core for each connector"
    return f"postgresql: {circumstances}, {setting.messages} messages live{limit}"
