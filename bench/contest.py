"""The scenario `peers`: connector, bare loop, mqttwarn and Node-RED on the same alarms.

Each program has four turns with a broker and a simulator of its own: alarms as fast as it sends them, the
same with a slow Twilio, a turn in which it is killed and started again, and one in which Twilio answers every
tenth request with 429. Twilio's ledger says what was sent, what was lost, and what was sent twice.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import readings, stage
from bench.peers import contestants
from bench.race import texts_created
from bench.report import MEGA, MILLI
from bench.stage import NotStarted
from bench.table import Row, Table
from bench.wire import Wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bench.peers import Contestant

SCENARIO = "peers"
SLOW_SECONDS = 0.15
KILLED_SECONDS = 0.5
"""Twilio's latency, so that a fast program too has alarms left when it is killed."""
KILLED_AFTER = 20
"""Texts that were sent when the program is killed."""
LIMITED_EACH = 10
QUIET_SECONDS = 15.0
"""Without another text, nothing more comes: longer than any pause of these programs after a 429."""
DOUBT_SECONDS = 60.0
"""The same after a kill: the connector looks for an attempt in doubt for 30 seconds before it repeats it."""
LOOK_SECONDS = 0.05
START_SECONDS = 60.0
STEP_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What one turn is about."""

    alarms: int
    latency_seconds: float = 0.0
    is_killed: bool = False
    is_limited: bool = False


PLANS: Mapping[str, Plan] = {
    "at once": Plan(alarms=2_000),
    f"at {SLOW_SECONDS * MILLI:g} ms": Plan(alarms=600, latency_seconds=SLOW_SECONDS),
    "killed": Plan(alarms=400, latency_seconds=KILLED_SECONDS, is_killed=True),
    "429": Plan(alarms=400, is_limited=True),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one program did with the alarms of one turn."""

    alarms: int
    texts: Mapping[str, int]
    """How often each text was sent."""
    seconds: float
    """From the first alarm to Twilio's answer to the last text."""
    cpu_seconds: float
    peak_bytes: int
    ready_seconds: float

    @property
    def lost(self) -> int:
        """Alarms of which no text was sent."""
        return self.alarms - len(self.texts)

    @property
    def twice(self) -> int:
        """Alarms of which more than one text was sent."""
        return sum(count > 1 for count in self.texts.values())

    @property
    def rate(self) -> float:
        """Texts per second."""
        return sum(self.texts.values()) / self.seconds


def measure(folder: Path) -> Table:
    """Installs what is missing, and has each program take its turns."""
    scores: dict[str, dict[str, Turn]] = {}
    remarks = []
    for one in contestants():
        lack = one.lack()
        if lack:
            remarks.append(f"{one.name} was not measured: {lack}")
            continue
        scores[one.name] = {}
        for name, plan in PLANS.items():
            with tempfile.TemporaryDirectory(prefix="peer-", dir=folder) as own:
                scores[one.name][name] = take_turn(one, plan, Path(own))
    return table(scores, remarks)


def take_turn(one: Contestant, plan: Plan, folder: Path) -> Turn:
    """One turn of one program, with a broker and a simulator of its own."""
    with (
        stage.broker(folder) as (broker, broker_url),
        stage.simulator(folder, latency_seconds=plan.latency_seconds) as (_, twilio),
        Wire(broker_url, client_id="load") as wire,
    ):
        if plan.is_limited:
            _limit(twilio)
        with one.start(folder, broker=broker_url, twilio=twilio) as program:
            _wait_until(lambda: stage.line_with(f" 1 {one.subscription}", broker.log) is not None)
            readings.wait_for_rest(program.pid)
            begun_at, cpu = time.time(), readings.cpu_seconds(program.pid)
            for number in range(plan.alarms):
                topic, payload = one.alarm(number)
                wire.publish(topic, [payload])
            if plan.is_killed:
                _wait_until(lambda: _total(twilio) >= KILLED_AFTER)
            else:
                _watch(twilio, plan.alarms)
            used, peak = readings.cpu_seconds(program.pid) - cpu, readings.peak_bytes(program.pid)
            if plan.is_killed:
                os.kill(program.pid, signal.SIGKILL)
        if plan.is_killed:
            with one.start(folder, broker=broker_url, twilio=twilio):
                _watch(twilio, plan.alarms, quiet_seconds=DOUBT_SECONDS)
        texts = texts_created(twilio)
    return Turn(
        alarms=plan.alarms,
        texts=Counter(text["body"] for text in texts),
        seconds=max(text["created_at"] for text in texts) + plan.latency_seconds - begun_at,
        cpu_seconds=used,
        peak_bytes=peak,
        ready_seconds=program.ready_seconds,
    )


def _limit(twilio: str) -> None:
    """From now on the simulator answers every tenth request for a text with 429."""
    fault = {"effect": {"kind": "rate-limited"}, "every": LIMITED_EACH}
    with closing(http.client.HTTPConnection(urlsplit(twilio).netloc, timeout=STEP_SECONDS)) as connection:
        connection.request("POST", "/simulator/faults", json.dumps(fault))
        connection.getresponse().read()


def _total(twilio: str) -> int:
    with closing(http.client.HTTPConnection(urlsplit(twilio).netloc, timeout=STEP_SECONDS)) as connection:
        connection.request("GET", "/simulator/ledger?start=0&limit=1")
        return int(json.load(connection.getresponse())["total"])


def _wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise NotStarted(f"a program did nothing for {START_SECONDS:g} s; its log is above")
        time.sleep(LOOK_SECONDS)


def _watch(twilio: str, alarms: int, *, quiet_seconds: float = QUIET_SECONDS) -> None:
    """Returns when there is a text for each alarm, or when no other text comes any more."""
    total, moved = -1, time.monotonic()
    while total < alarms and time.monotonic() < moved + quiet_seconds:
        before, total = total, _total(twilio)
        if total != before:
            moved = time.monotonic()
        time.sleep(LOOK_SECONDS)


def table(scores: Mapping[str, Mapping[str, Turn]], remarks: Sequence[str]) -> Table:
    """A column for each program."""
    return Table(
        scenario=SCENARIO,
        title="peers: the same alarms for each program",
        columns=tuple(scores),
        rows=tuple(_rows(scores)),
        remarks=tuple(remarks),
    )


def _rows(scores: Mapping[str, Mapping[str, Turn]]) -> Iterator[Row]:
    def row(name: str, value: Callable[[Turn], float], turn: str, form: str = ".0f") -> Row:
        return Row(name=name, cells=tuple(value(turns[turn]) for turns in scores.values()), form=form)

    fast, slow, killed, limited = PLANS
    yield row("texts per second, at once", lambda turn: turn.rate, fast)
    yield row(f"texts per second, {slow}", lambda turn: turn.rate, slow)
    yield row("CPU µs per text", lambda turn: turn.cpu_seconds / turn.alarms * MEGA, fast)
    yield row("peak memory, MB", lambda turn: turn.peak_bytes / MEGA, fast, ".1f")
    yield row("time to ready, s", lambda turn: turn.ready_seconds, fast, ".2f")
    for turn, when in ((killed, "kill -9"), (limited, "429 for every tenth")):
        yield row(f"{when}: lost of {PLANS[turn].alarms}", lambda turn: turn.lost, turn)
        yield row(f"{when}: sent twice", lambda turn: turn.twice, turn)
