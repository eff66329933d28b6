"""The scenario `large`: a backlog of a million requests, next to one that is over in seconds.

Twice the same: the connector is paused by an order, takes requests in from the broker until the journal has
all of them, ends, is started again, and the pause ends. What is compared is the work on the first requests
that leave. The bare loop has no journal: its backlog is as small as the small one, and waits in the broker.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bench import readings, stage
from bench.filling import JOURNAL, Silent
from bench.load import REQUEST_TOPIC, STATUS_TOPIC, WrongStatuses, request
from bench.race import Case, run
from bench.report import MEGA, MILLI, cpu_per_message, peak_megabytes
from bench.stage import CONFIGURATION, Kind, NotStarted
from bench.table import RATIO, Row, Table, ratio
from bench.wire import Wire
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.exit_codes import NOT_CARRIED_OUT

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.race import Run, Setting
    from bench.stage import Started

SCENARIO = "large"
SIZE, SENT = 1_000_000, 10_000
SMALL = 2
"""The small backlog is so many times as large as what leaves, so that requests wait during all of it."""
CHUNK, AHEAD = 5_000, 20_000
"""Requests that are published together, and the most that the broker may have and the journal has not."""
LOOK_SECONDS = 0.2
STALLED_SECONDS = 60.0
"""Without a request more in the journal, or a status more."""
CLAIMS, CLAIMED = 51, 200
"""Claims whose median counts, each of so many requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What one backlog took. CPU times are the connector's own."""

    size: int
    sent: int
    """Requests that left after the second start, while this was measured."""
    fill_seconds: float
    fill_cpu_seconds: float
    filled_bytes: int
    """Resident memory when all requests are in the journal."""
    journal_bytes: int
    ready_seconds: float
    first_send_seconds: float
    """From the second start to the first POST at the simulator."""
    send_seconds: float
    """From the first POST to the last status of those that were sent."""
    send_cpu_seconds: float
    """For one request, start and recovery left out."""
    peak_bytes: int
    """Of the second start."""
    claim_seconds: float
    """How long one claim takes while all of the requests wait."""


def measure(setting: Setting, *, size: int, folder: Path) -> Table:
    """Both backlogs and the bare loop, as a table."""
    sent = min(SENT, size // SMALL)
    found = []
    for count in (SMALL * sent, size):
        with tempfile.TemporaryDirectory(prefix="large-", dir=folder) as own:
            found.append(_backlog(setting, count, sent=sent, folder=Path(own)))
    with tempfile.TemporaryDirectory(dir=folder) as own:
        bare = run(Kind.BARE_LOOP, replace(setting, case=Case.BACKLOG, messages=sent), Path(own))
    return table(found[0], found[1], bare)


def _backlog(setting: Setting, size: int, *, sent: int, folder: Path) -> Backlog:
    sections = f"[journal]\nmaximum_waiting = {size + 1}\n"
    with (
        stage.broker(folder) as (_, broker),
        stage.simulator(folder, latency_seconds=setting.latency_seconds) as (_, twilio),
        Wire(broker, client_id="load") as wire,
    ):

        def start() -> stage.Starting:
            return stage.subject(
                Kind.CONNECTOR,
                folder,
                broker=broker,
                twilio=twilio,
                concurrency=setting.concurrency,
                further=sections,
            )

        with start() as connector:
            _order("pause", folder)
            fill_seconds, cpu = _fill(wire, connector, size, folder / JOURNAL)
            filled = readings.resident_bytes(connector.pid)
        journal_bytes = readings.journal_bytes(folder / JOURNAL)
        claim_seconds = asyncio.run(_claim_seconds(folder / JOURNAL))
        _order("resume", folder)
        wire.subscribe(STATUS_TOPIC)
        with start() as connector:
            started_at = time.time() - connector.ready_seconds
            last_at, send_cpu = _hear(wire, connector, sent)
            peak = readings.peak_bytes(connector.pid)
            first_at = _first_post(twilio)
    return Backlog(
        size=size,
        sent=sent,
        fill_seconds=fill_seconds,
        fill_cpu_seconds=cpu,
        filled_bytes=filled,
        journal_bytes=journal_bytes,
        ready_seconds=connector.ready_seconds,
        first_send_seconds=first_at - started_at,
        send_seconds=last_at - first_at,
        send_cpu_seconds=send_cpu,
        peak_bytes=peak,
        claim_seconds=claim_seconds,
    )


def _order(name: str, folder: Path) -> None:
    """Has the connector carry the order out now, or at its next start."""
    command = [sys.executable, "-m", "twilio_notifications", "journal", name]
    command += ["--wait", "0" if name == "resume" else f"{STALLED_SECONDS:g}"]
    command += ["--config", str(folder / CONFIGURATION)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=2 * STALLED_SECONDS)
    if ended.returncode not in ({NOT_CARRIED_OUT} if name == "resume" else {0}):
        raise NotStarted(f"the order to {name} ended with {ended.returncode}: {ended.stdout}{ended.stderr}")


def _fill(wire: Wire, connector: Started, size: int, journal: Path) -> tuple[float, float]:
    """Returns when all requests are in the journal: the seconds, and the connector's CPU seconds."""
    begun, cpu = time.monotonic(), readings.cpu_seconds(connector.pid)
    numbers = iter(range(size))
    with closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as connection:

        def taken() -> int:
            return int(connection.execute("SELECT COALESCE(MAX(id), 0) FROM requests").fetchone()[0])

        for published in range(CHUNK, size + CHUNK, CHUNK):
            wire.publish(REQUEST_TOPIC, [request(number) for number in islice(numbers, CHUNK)])
            _wait_for(taken, min(published, size) - AHEAD, connector)
        _wait_for(taken, size, connector)
    return time.monotonic() - begun, readings.cpu_seconds(connector.pid) - cpu


def _wait_for(count: Callable[[], int], wanted: int, connector: Started) -> None:
    """Raises WrongStatuses where the count stands still below what is wanted."""
    before, moved = -1, time.monotonic()
    while (now := count()) < wanted:
        if now != before:
            before, moved = now, time.monotonic()
        elif time.monotonic() > moved + STALLED_SECONDS:
            raise WrongStatuses(
                f"{now} instead of {wanted} for {STALLED_SECONDS:g} s; the log of the connector ends with\n"
                f"{connector.end_of_log()}"
            )
        time.sleep(LOOK_SECONDS)


def _hear(wire: Wire, connector: Started, count: int) -> tuple[float, float]:
    """Returns after so many statuses: the instant, and the connector's CPU seconds for one of them."""
    heard, counted, cpu = 0, 0, 0.0

    def hear() -> int:
        nonlocal heard, counted, cpu
        heard += len(wire.arrivals(limit_seconds=LOOK_SECONDS))
        wire.send(REQUEST_TOPIC, ())  # the acknowledgements alone
        if heard and not counted:  # from here on: the start and its recovery are not part of the sending
            counted, cpu = heard, readings.cpu_seconds(connector.pid)
        return heard

    _wait_for(hear, count, connector)
    return time.time(), (readings.cpu_seconds(connector.pid) - cpu) / max(1, heard - counted)


def _first_post(twilio: str) -> float:
    """When the simulator had read the first POST."""
    with closing(http.client.HTTPConnection(urlsplit(twilio).netloc, timeout=10)) as connection:
        connection.request("GET", "/simulator/ledger?start=0&limit=1")
        return float(json.load(connection.getresponse())["entries"][0]["created_at"])


async def _claim_seconds(path: Path) -> float:
    """The CPU seconds of one claim, as the median of many, on the journal that a connector has left."""
    taken = []
    async with SqliteJournal(path, events=Silent()) as journal:
        for _ in range(CLAIMS):
            begun = time.process_time()
            claimed = await journal.claim(due_before=time.time(), limit=CLAIMED)
            taken.append(time.process_time() - begun)
            if len(claimed) != CLAIMED:
                raise WrongStatuses(f"a claim of {CLAIMED} requests found {len(claimed)}")
    return median(taken)


def table(small: Backlog, large: Backlog, bare: Run) -> Table:
    """The table of both backlogs and of the bare loop."""
    rows: dict[str, tuple[Callable[[Backlog], float], str, float | None]] = {
        "taken in, requests per second": (lambda one: one.size / one.fill_seconds, ".0f", None),
        "taken in, CPU µs per request": (lambda one: one.fill_cpu_seconds / one.size * MEGA, ".0f", None),
        "memory with all in the journal, MB": (lambda one: one.filled_bytes / MEGA, ".1f", None),
        "journal, bytes per request": (lambda one: one.journal_bytes / one.size, ".0f", None),
        "next start: time to ready, s": (lambda one: one.ready_seconds, ".2f", bare.ready_seconds),
        "next start: time to the first send, s": (lambda one: one.first_send_seconds, ".2f", None),
        "sent, requests per second": (lambda one: one.sent / one.send_seconds, ".0f", bare.rate),
        "sent, CPU µs per request": (lambda one: one.send_cpu_seconds * MEGA, ".0f", cpu_per_message(bare)),
        "peak memory while sending, MB": (lambda one: one.peak_bytes / MEGA, ".1f", peak_megabytes(bare)),
        f"CPU of a claim of {CLAIMED}, ms": (lambda one: one.claim_seconds * MILLI, ".2f", None),
    }
    return Table(
        scenario=SCENARIO,
        title=f"large: {large.size} requests wait, next to {small.size}; {small.sent} of them leave",
        columns=("small", "large", RATIO, "bare loop"),
        rows=tuple(
            Row(
                name=name,
                cells=(value(small), value(large), ratio(value(large), value(small)), of_bare),
                form=form,
            )
            for name, (value, form, of_bare) in rows.items()
        ),
    )
