"""Runs connector and bare loop in turns and writes down the time, CPU and memory that each of them took.

Everything is new in each run: broker, simulator, program, folder. The clock starts when the program is
subscribed and at rest, and stops with the last status at a subscriber. `drive.py` says how the requests come.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, assert_never
from urllib.parse import urlsplit

from bench import drive, readings, stage
from bench.load import (
    REQUEST_TOPIC,
    STATUS_TOPIC,
    WrongStatuses,
    number_answered,
    phone_number,
    requests,
    verify,
)
from bench.stage import Kind
from bench.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.drive import Traffic

CONCURRENCY, OUTSTANDING = 200, 400
"""The usual setting: attempts at once, and unanswered requests under live load."""
FOLDER = Path("/var/tmp")  # noqa: S108 - a folder with a random name is made in it
"""The usual place of the runs: on a disk, which /tmp need not be."""
USUAL_RATE = 1_000
GRACE_SECONDS = 20.0
LEDGER_PAGE = 1_000


class Case(StrEnum):
    """How the requests come; the words are those of `--only`."""

    BACKLOG = "backlog"
    """All of them wait in the broker before the program may work, as after an outage."""
    LIVE = "live"
    """They come while the program works, as fast as it answers."""
    LATENCY = "latency"
    """They come at fixed instants, far apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The conditions of a run."""

    case: Case
    messages: int
    concurrency: int
    """The most attempts at once."""
    latency_seconds: float
    """The latency of each answer of the simulator."""
    outstanding: int
    """The most unanswered requests, under live load."""
    per_second: float = 50
    """The requests per second, where they come at fixed instants."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one program. CPU times are those of the messages alone, without its start and its end."""

    kind: Kind
    setting: Setting
    seconds: float
    cpu_seconds: float
    simulator_cpu_seconds: float
    broker_cpu_seconds: float
    load_cpu_seconds: float
    others_cpu_seconds: float
    """The CPU time of all other programs on the machine, which disturb the run."""
    peak_bytes: int
    ready_seconds: float
    to_post_seconds: Sequence[float]
    """The latency of each message, from its PUBLISH to its POST at the simulator."""
    to_status_seconds: Sequence[float]
    """The latency of each message, from its PUBLISH to its status at the subscriber."""

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.setting.messages / self.seconds


def race(setting: Setting, *, rounds: int, folder: Path) -> Iterator[Run]:
    """This number of runs of each, in turns, so that other load of the machine affects both."""
    for _ in range(rounds):
        for kind in (Kind.CONNECTOR, Kind.BARE_LOOP):
            with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as own:
                yield run(kind, setting, Path(own))


def run(kind: Kind, setting: Setting, folder: Path) -> Run:
    """One run in a folder of its own; raises WrongStatuses when not every request succeeded once."""
    load = requests(setting.messages)
    with scene(kind, setting, folder) as on:
        readings.wait_for_rest(on.subject.pid)
        if setting.case is Case.BACKLOG:
            os.kill(on.subject.pid, signal.SIGSTOP)
            on.wire.publish(REQUEST_TOPIC, load)
        pids = {"subject": on.subject.pid, "simulator": on.simulator_pid, "broker": on.broker_pid}
        meter = readings.CpuMeter({**pids, "load": os.getpid()})
        traffic = send_load(on, setting, load)
        load_cpu_seconds, others = meter.seconds()["load"], meter.others_seconds()
        # What the program still does after its last status is part of its work.
        readings.wait_for_rest(on.subject.pid)
        used = meter.seconds()
        peak = readings.peak_bytes(on.subject.pid)
        posted_at = verified(traffic, on.twilio, setting)
    return Run(
        kind=kind,
        setting=setting,
        seconds=traffic.seconds,
        cpu_seconds=used["subject"],
        simulator_cpu_seconds=used["simulator"],
        broker_cpu_seconds=used["broker"],
        load_cpu_seconds=load_cpu_seconds,
        others_cpu_seconds=others,
        peak_bytes=peak,
        ready_seconds=on.subject.ready_seconds,
        to_post_seconds=[
            posted_at[phone_number(number)] - published
            for number, published in enumerate(traffic.published_at)
        ],
        to_status_seconds=[
            answered - traffic.published_at[number_answered(status)]
            for status, answered in zip(traffic.statuses, traffic.answered_at, strict=True)
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The programs of one run, and the connection of the load."""

    subject: stage.Started
    simulator_pid: int
    twilio: str
    broker_pid: int
    wire: Wire


@contextmanager
def scene(kind: Kind, setting: Setting, folder: Path, *, sections: str = "") -> Iterator[Scene]:
    """Everything that a run needs, started and connected; all of it has ended afterwards.

    `sections` are further sections of the connector's configuration.
    """
    with (
        stage.broker(folder) as (broker, url),
        stage.simulator(folder, latency_seconds=setting.latency_seconds) as (simulator, twilio),
        stage.subject(
            kind, folder, broker=url, twilio=twilio, concurrency=setting.concurrency, further=sections
        ) as subject,
        Wire(url, client_id="load") as wire,
    ):
        wire.subscribe(STATUS_TOPIC)
        yield Scene(
            subject=subject, simulator_pid=simulator.pid, twilio=twilio, broker_pid=broker.pid, wire=wire
        )


def send_load(on: Scene, setting: Setting, load: Sequence[bytes]) -> Traffic:
    """All requests and all statuses of one run.

    Raises WrongStatuses with the end of the program's log when statuses are missing.
    """
    wire, limit = on.wire, limit_seconds(setting)
    try:
        match setting.case:
            case Case.BACKLOG:
                return drive.backlog(wire, load, pid=on.subject.pid, limit_seconds=limit)
            case Case.LIVE:
                return drive.live(wire, load, outstanding=setting.outstanding, limit_seconds=limit)
            case Case.LATENCY:
                return drive.paced(wire, load, per_second=setting.per_second, limit_seconds=limit)
            case _:
                assert_never(setting.case)
    except TimeoutError as error:
        raise WrongStatuses(
            f"{error}; the log of the program ends with\n{on.subject.end_of_log()}"
        ) from error


def limit_seconds(setting: Setting) -> float:
    """Ten times as long as a run takes on a machine of today."""
    return GRACE_SECONDS + 10 * setting.messages * max(
        1 / USUAL_RATE, setting.latency_seconds / setting.concurrency
    )


def verified(traffic: Traffic, twilio: str, setting: Setting) -> dict[str, float]:
    """When each recipient's POST was at the simulator; raises WrongStatuses unless each has exactly one."""
    verify(traffic.statuses, count=setting.messages)
    texts = texts_created(twilio)
    posted_at = {text["to"]: float(text["created_at"]) for text in texts}
    if not len(texts) == len(posted_at) == setting.messages:
        raise WrongStatuses(
            f"{setting.messages} requests made {len(texts)} texts to {len(posted_at)} numbers"
        )
    return posted_at


def texts_created(twilio: str) -> list[Any]:
    """The entries of the simulator's ledger, the oldest first."""
    connection = http.client.HTTPConnection(urlsplit(twilio).netloc, timeout=10)
    texts: list[Any] = []
    with closing(connection):
        while True:
            connection.request("GET", f"/simulator/ledger?start={len(texts)}&limit={LEDGER_PAGE}")
            page = json.load(connection.getresponse())
            texts += page["entries"]
            if len(texts) >= page["total"]:
                return texts
