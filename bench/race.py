"""Runs connector and bare loop in turns and writes down what each took.

One run: everything fresh, the subject subscribed and at rest, then stopped (SIGSTOP) while the broker takes
in all requests, then let go. So the load costs nothing while the clock runs, and starting costs nothing of
what is counted. The clock stops with the last status at a subscriber.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import tempfile
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import readings, stage
from bench.load import REQUEST_TOPIC, STATUS_TOPIC, WrongStatuses, requests, verify
from bench.stage import Kind
from bench.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Iterator

USUAL_RATE = 1_000
GRACE_SECONDS = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a run is made with."""

    messages: int
    concurrency: int
    latency_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of one subject. CPU times are those of the messages alone, starting and ending left out."""

    kind: Kind
    setting: Setting
    seconds: float
    cpu_seconds: float
    simulator_cpu_seconds: float
    broker_cpu_seconds: float
    others_cpu_seconds: float
    """What everything else on the machine used meanwhile: what disturbed the run."""
    peak_bytes: int
    ready_seconds: float

    @property
    def rate(self) -> float:
        """Messages per second."""
        return self.setting.messages / self.seconds


def race(setting: Setting, *, rounds: int, folder: Path) -> Iterator[Run]:
    """So many runs of each, in turns, so that whatever else the machine does falls on both."""
    for _ in range(rounds):
        for kind in (Kind.CONNECTOR, Kind.BARE_LOOP):
            with tempfile.TemporaryDirectory(prefix="run-", dir=folder) as own:
                yield run(kind, setting, Path(own))


def run(kind: Kind, setting: Setting, folder: Path) -> Run:
    """One run in a folder of its own; raises WrongStatuses when it came to nothing."""
    with _scene(kind, setting, folder) as scene:
        readings.wait_for_rest(scene.subject.pid)
        os.kill(scene.subject.pid, signal.SIGSTOP)
        scene.load.publish(REQUEST_TOPIC, requests(setting.messages))
        pids = {"subject": scene.subject.pid, "simulator": scene.simulator_pid, "broker": scene.broker_pid}
        meter = readings.CpuMeter({**pids, "load": os.getpid()})
        start = time.monotonic()
        os.kill(scene.subject.pid, signal.SIGCONT)
        payloads, end = _collect(scene, setting)
        others = meter.others_seconds()
        # What it still does after its last status is part of its work.
        readings.wait_for_rest(scene.subject.pid)
        used = meter.seconds()
        peak = readings.peak_bytes(scene.subject.pid)
        _verify(payloads, scene.twilio, setting)
    return Run(
        kind=kind,
        setting=setting,
        seconds=end - start,
        cpu_seconds=used["subject"],
        simulator_cpu_seconds=used["simulator"],
        broker_cpu_seconds=used["broker"],
        others_cpu_seconds=others,
        peak_bytes=peak,
        ready_seconds=scene.subject.ready_seconds,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    subject: stage.Started
    simulator_pid: int
    twilio: str
    broker_pid: int
    statuses: Wire
    load: Wire


@contextmanager
def _scene(kind: Kind, setting: Setting, folder: Path) -> Iterator[_Scene]:
    """Everything that a run needs, started and connected; nothing of it is left afterwards."""
    with (
        stage.broker(folder) as (broker, url),
        stage.simulator(folder, latency_seconds=setting.latency_seconds) as (simulator, twilio),
        stage.subject(kind, folder, broker=url, twilio=twilio, concurrency=setting.concurrency) as subject,
        Wire(url, client_id="statuses") as statuses,
        Wire(url, client_id="requests") as load,
    ):
        statuses.subscribe(STATUS_TOPIC)
        yield _Scene(
            subject=subject,
            simulator_pid=simulator.pid,
            twilio=twilio,
            broker_pid=broker.pid,
            statuses=statuses,
            load=load,
        )


def _collect(scene: _Scene, setting: Setting) -> tuple[list[bytes], float]:
    """All statuses and when the last one came; says what the subject said when they do not come."""
    try:
        return scene.statuses.collect(setting.messages, limit_seconds=_limit_seconds(setting))
    except TimeoutError as error:
        raise WrongStatuses(
            f"{error}; the log of what was measured ends with\n{scene.subject.end_of_log()}"
        ) from error


def _limit_seconds(setting: Setting) -> float:
    """Ten times as long as a run takes on a machine of these days."""
    return GRACE_SECONDS + 10 * setting.messages * max(
        1 / USUAL_RATE, setting.latency_seconds / setting.concurrency
    )


def _verify(payloads: list[bytes], twilio: str, setting: Setting) -> None:
    verify(payloads, count=setting.messages)
    created = _texts_created(twilio)
    if created != setting.messages:
        raise WrongStatuses(f"{setting.messages} requests made {created} texts at the simulator")


def _texts_created(twilio: str) -> int:
    connection = http.client.HTTPConnection(urlsplit(twilio).netloc, timeout=10)
    with closing(connection):
        connection.request("GET", "/simulator/ledger?limit=0")
        return int(json.load(connection.getresponse())["total"])
