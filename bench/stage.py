"""The processes of one run: Mosquitto, the simulator, and the connector or the bare loop.

Each is started in the run's own folder, listens on the loopback, and is ended by its own id when its
block ends, however it ends.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from bench.bare import READY as BARE_LOOP_READY
from bench.load import ACCOUNT_SID, AUTH_TOKEN, SENDER_NUMBER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    Starting = AbstractContextManager["Started"]

START_SECONDS = 30.0
STOP_SECONDS = 30.0
POLL_SECONDS = 0.002
LAST_LINES = 20
CONNECTOR_READY = "connector_ready"
SIMULATOR_READY = "Twilio simulator on "
BROKER_READY = " running"
CONSOLE_READY = "console on "
CONFIGURATION = "connector.toml"
LOOPBACK = "127.0.0.1"
NOTHING: Mapping[str, str] = MappingProxyType({})


class Kind(StrEnum):
    """The programs that are measured."""

    CONNECTOR = "connector"
    BARE_LOOP = "bare loop"


class NotStarted(Exception):
    """A program of the run did not come up; the sentence holds what it said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A program that is ready."""

    pid: int
    ready_seconds: float
    """Seconds from its start to the line in which it says that it is ready."""
    said: str
    """The line in which it says that it is ready."""
    log: Path

    def end_of_log(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-LAST_LINES:])


def mosquitto_program() -> str | None:
    """The path of Mosquitto, also in system folders, which a user's PATH may lack; None: not installed."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which("mosquitto", path=path)


@contextmanager
def broker(folder: Path) -> Iterator[tuple[Started, str]]:
    """A fresh Mosquitto that drops nothing, and its address."""
    port = _free_port()
    settings = [
        f"listener {port} {LOOPBACK}",
        "allow_anonymous true",
        # Nothing for each message: a benchmark of the broker's log would be another one.
        "log_dest stderr",
        *(f"log_type {kind}" for kind in ("error", "warning", "information", "subscribe")),
        "set_tcp_nodelay true",
        # All requests of a run wait in the broker before it starts; by default it keeps 1,000 of them.
        "max_queued_messages 0",
        # How many may be unacknowledged is then each client's own choice; by default it is 20.
        "max_inflight_messages 65535",
    ]
    configuration = folder / "mosquitto.conf"
    configuration.write_text("\n".join(settings) + "\n")
    command = [mosquitto_program() or "mosquitto", "-c", str(configuration)]
    with program(command, log=folder / "mosquitto.log", ready=BROKER_READY) as started:
        yield started, f"mqtt://{LOOPBACK}:{port}"


def _free_port() -> int:
    """Mosquitto cannot say which port the system chose, so its configuration names one."""
    with socket.socket() as seat:
        seat.bind((LOOPBACK, 0))
        return int(seat.getsockname()[1])


@contextmanager
def simulator(folder: Path, *, latency_seconds: float) -> Iterator[tuple[Started, str]]:
    """The simulator in a process of its own, and its address."""
    command = [sys.executable, "-m", "twilio_notifications", "simulator", "--listen", f"{LOOPBACK}:0"]
    command += ["--latency", str(latency_seconds)]
    with program(command, log=folder / "simulator.log", ready=SIMULATOR_READY) as started:
        yield started, started.said.removeprefix(SIMULATOR_READY)


@contextmanager
def subject(
    kind: Kind, folder: Path, *, broker: str, twilio: str, concurrency: int, further: str = ""
) -> Iterator[Started]:
    """The connector or the bare loop, subscribed and at rest.

    `further` follows in the connector's configuration: keys of [transport], then sections.
    """
    if kind is Kind.CONNECTOR:
        configuration = folder / CONFIGURATION
        settings = _configuration(broker=broker, twilio=twilio, concurrency=concurrency)
        configuration.write_text(settings + further)
        command = [sys.executable, "-m", "twilio_notifications", "run", "--config", str(configuration)]
        ready = CONNECTOR_READY
    else:
        command = [sys.executable, "-m", "bench.bare", "--broker", broker, "--twilio", twilio]
        command += ["--concurrency", str(concurrency)]
        ready = BARE_LOOP_READY
    with program(command, log=folder / f"{kind}.log", ready=ready) as started:
        yield started


@contextmanager
def console(folder: Path) -> Iterator[tuple[Started, str]]:
    """The console of the connector in this folder, and its address."""
    command = [sys.executable, "-m", "twilio_notifications", "console", "--config"]
    command += [str(folder / CONFIGURATION)]
    with program(command, log=folder / "console.log", ready=CONSOLE_READY) as started:
        yield started, started.said.removeprefix(CONSOLE_READY).split()[0]


def _configuration(*, broker: str, twilio: str, concurrency: int) -> str:
    """Every other setting has its default."""
    return f"""
[connector.parameters]
TWILIO_ACCOUNT_SID = "{ACCOUNT_SID}"
DefaultFromPhoneNumber = "{SENDER_NUMBER}"
IsolationMode = "NoContainer"
[twilio]
base_url = "{twilio}"
concurrency = {concurrency}
[log]
format = "json"
[transport]
url = "{broker}"
"""


@contextmanager
def program(
    command: Sequence[str], *, log: Path, ready: str, environ: Mapping[str, str] = NOTHING
) -> Iterator[Started]:
    """A program that has written `ready` to its log; raises NotStarted with all that it wrote instead."""
    started_at = time.monotonic()
    with log.open("wb") as output:
        running = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "TWILIO_AUTH_TOKEN": AUTH_TOKEN, **environ},
            start_new_session=True,  # Ctrl-C is for the benchmark, which then ends its programs in order
        )
    try:
        said = _line_with(ready, log, running)
        ready_seconds = time.monotonic() - started_at
        yield Started(pid=running.pid, ready_seconds=ready_seconds, said=said, log=log)
    finally:
        _end(running)


def _line_with(word: str, log: Path, program: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + START_SECONDS
    while True:
        said = line_with(word, log)
        if said is not None:
            return said
        if program.poll() is not None or time.monotonic() > deadline:
            raise NotStarted(f"{program.args!r} did not say {word!r}; it said:\n{log.read_text()}")
        time.sleep(POLL_SECONDS)


def line_with(word: str, log: Path) -> str | None:
    """The first whole line of a log with this word; None: there is none yet."""
    lines = log.read_text(errors="replace").splitlines(keepends=True)
    return next((line.rstrip() for line in lines if word in line and line.endswith("\n")), None)


def _end(program: subprocess.Popen[bytes]) -> None:
    program.terminate()
    try:
        program.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()
