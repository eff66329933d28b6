"""A stop is heard at any time and waits for nothing but the drain; the log's reader decides nothing."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text, until
from tests.support.aws import REGION
from tests.support.certificates import make_certificates
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.own_network import SILENT_SERVER
from tests.support.patience import WAIT_SECONDS
from tests.support.process import (
    TOKEN,
    TOKEN_VARIABLE,
    Connector,
    Program,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from tests.support.raw_http import Exchange, RawHttp
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Section
    from twilio_notifications.simulator.server import Simulator

only_linux = pytest.mark.skipif(sys.platform != "linux", reason="this is told by Linux's /proc")
SLOW_LIBRARY = "import time\nprint('loading', flush=True)\ntime.sleep(3600)\n"
RUN = (sys.executable, "-m", "twilio_notifications", "run", "--config")


def nowhere() -> dict[str, Section]:
    """A configuration whose broker does not exist, so that no message comes between."""
    return configuration(broker_url="mqtt://127.0.0.1:9", twilio_url="http://127.0.0.1:9")


# Before there is anything to stop.


def loading(folder: Path) -> Program:
    """`run` while it imports a library without end: from a slow memory card, say."""
    library = folder / "slow" / "pyreqwest"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text(SLOW_LIBRARY)
    config = write_configuration(folder / "connector.toml", nowhere())
    environ = environment(PYTHONPATH=str(library.parent), **{TOKEN_VARIABLE: TOKEN})
    return Program("run", "--config", str(config), environ=environ)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_is_heard_while_the_program_is_still_being_loaded(
    tmp_path: Path, number: signal.Signals
) -> None:
    async with loading(tmp_path) as program:
        await program.wait_for_line("loading")
        program.signal(number)
        assert (0, []) == (await program.wait(), program.stderr)


async def test_a_reload_that_is_asked_for_too_early_kills_nothing(tmp_path: Path) -> None:
    async with loading(tmp_path) as program:
        await program.wait_for_line("loading")
        program.signal(signal.SIGHUP)
        program.signal(signal.SIGTERM)
        assert 0 == await program.wait(), "SIGHUP would have been answered with -1"


def only_child(program: Program) -> int:
    (child,) = Path(f"/proc/{program.pid}/task/{program.pid}/children").read_text().split()
    return int(child)


@pytest.mark.namespaces
async def test_process_1_of_a_container_hears_a_stop_while_it_is_being_loaded(tmp_path: Path) -> None:
    """The kernel drops every signal that process 1 does not catch."""
    program = loading(tmp_path)
    program._command = ["unshare", "--pid", "--fork", "--kill-child", *program._command]
    async with program:
        await program.wait_for_line("loading")
        os.kill(only_child(program), signal.SIGTERM)
        assert 0 == await program.wait()


async def test_a_stop_does_not_wait_for_a_secret_that_does_not_come(tmp_path: Path) -> None:
    """AWS has 15 seconds to answer, after which the start would fail."""
    asked, gone = asyncio.Event(), asyncio.Event()

    async def silence(_exchange: Exchange) -> None:
        asked.set()
        await gone.wait()

    settings = nowhere()
    secret = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:greengrass-t-a1b2c3"
    settings["connector.parameters"] |= {
        "TwilioAuthTokenSecretArn": secret,
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
        "IsolationMode": "NoContainer",
    }
    key = make_certificates(tmp_path / "device").client_key_file
    settings["secrets"] = {"source": "aws", "key_file": str(key)}
    async with RawHttp(silence) as server:
        aws = {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
        async with Connector(tmp_path, settings, **aws) as connector:
            await until(asked.is_set)
            assert 0 == await connector.terminate(), connector.output
        gone.set()
    assert "connector_stopped" == connector.log[-1]["event"]


@only_linux
@pytest.mark.mosquitto
async def test_a_stop_does_not_wait_for_a_disk_that_is_full_at_the_start(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """An attempt was open when the power failed, and the start cannot write down that it is in doubt."""
    async with Peer(broker.url) as peer, make_connector(broker.url) as connector:
        await connector.ready()
        for number in range(20):
            await peer.publish(TEXT_TOPIC, text(f"id-{number}"))
        await peer.collect(20)
        armed = twilio.add_fault(Fault(effect=faults.Hang(executed=True)))
        await peer.publish(TEXT_TOPIC, text())
        await until(lambda: armed.fired == 1)
        await connector.kill()
    again = make_connector(broker.url)
    # As much as SQLite's shared memory needs and less than its log has by now: no write can succeed.
    again._command = ["prlimit", "--fsize=32768", *again._command]
    async with again:
        await again.wait_for_event("journal_unavailable")
        assert 0 == await again.terminate(), again.output
    assert "connector_stopped" == again.log[-1]["event"]


def silent_etc(folder: Path) -> Path:
    """What stands in for /etc where the only name server never answers."""
    etc = folder / "etc"
    etc.mkdir()
    for name in ("nsswitch.conf", "ld.so.cache", "passwd", "group"):
        if Path("/etc", name).exists():
            shutil.copy(Path("/etc", name), etc / name)
    shutil.copytree("/etc/ssl", etc / "ssl", symlinks=True)
    (etc / "resolv.conf").write_text(f"nameserver {SILENT_SERVER}\noptions timeout:30 attempts:5\n")
    return etc


@pytest.mark.namespaces
@pytest.mark.mounts
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
async def test_the_end_does_not_wait_for_a_name_server_that_never_answers(tmp_path: Path, loop: str) -> None:
    """The C library asks it for minutes, and no thread can be called back from there."""
    if loop == "uvloop":
        pytest.importorskip("uvloop", reason="uvloop is not installed; install it: pip install uvloop")
    settings = nowhere()
    settings["transport"]["url"] = "mqtt://broker.example:1883"
    settings["connector.parameters"]["IsolationMode"] = "NoContainer"
    connector = Connector(tmp_path / "connector", settings)
    network = ROOT / "tests" / "support" / "own_network.py"
    connector._command = [
        sys.executable,
        str(network),
        "--silent",
        str(silent_etc(tmp_path)),
        *connector._command,
    ]
    if loop == "asyncio":
        (tmp_path / "connector" / "uvloop.py").write_text("raise ImportError\n")
        connector._environ = {**connector._environ, "PYTHONPATH": str(tmp_path / "connector")}
    async with connector:
        await connector.wait_until(lambda: "asked" in connector.stdout, "question to the name server")
        os.kill(only_child(connector), signal.SIGTERM)
        assert 0 == await connector.wait(), connector.output
    assert "connector_stopped" == connector.log[-1]["event"]
    assert [] == [record for record in connector.log if record["level"] == "ERROR"]


# The reader of the log.


@contextmanager
def started(command: Sequence[str], *, stderr: int) -> Iterator[subprocess.Popen[bytes]]:
    environ = environment(**{TOKEN_VARIABLE: TOKEN})
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=stderr, env=environ) as program:
        try:
            yield program
        finally:
            program.kill()


async def works(broker: Mosquitto, peer: Peer, *, count: int = 1) -> None:
    """Returns when so many requests have been answered, however long the connector takes to start."""
    await until(lambda: f"{SUBSCRIBED} twilio/txt" in broker.log)
    for number in range(count):
        await peer.publish(TEXT_TOPIC, text(f"id-{number}"))
    statuses = await peer.collect(count)
    assert {"success"} == {status.json()["response"]["status"] for status in statuses}


SUBSCRIBED = "twilio-notifications 1"
"""How Mosquitto's log tells it: client, quality, topic."""


def written(folder: Path, broker: Mosquitto, twilio: Simulator, **log: str) -> str:
    settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, log={"level": "DEBUG"} | log)
    return str(write_configuration(folder / "connector.toml", settings))


async def stopped(program: subprocess.Popen[bytes]) -> int:
    program.terminate()
    return await asyncio.to_thread(program.wait, WAIT_SECONDS)


@only_linux
@pytest.mark.mosquitto
async def test_a_log_that_nobody_reads_stops_neither_the_work_nor_the_end(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator
) -> None:
    config = written(tmp_path, broker, twilio)
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with started([*RUN, config], stderr=writer) as program:
            async with Peer(broker.url) as peer:
                await works(broker, peer, count=50)
            assert 0 == await stopped(program)
    finally:
        os.close(reader)
        os.close(writer)


@only_linux
@pytest.mark.mosquitto
@pytest.mark.parametrize("redirection", ["2>/dev/full", "2>&-", ">&- 2>&-"])
async def test_a_log_that_cannot_be_written_does_not_decide_the_exit_code(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, redirection: str
) -> None:
    config = written(tmp_path, broker, twilio)
    command = ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh", *RUN, config]
    with started(command, stderr=subprocess.DEVNULL) as program:
        async with Peer(broker.url) as peer:
            await works(broker, peer)
        assert 0 == await stopped(program)


@only_linux
@pytest.mark.mosquitto
async def test_systemd_gets_the_priority_of_each_line(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator
) -> None:
    config = written(tmp_path, broker, twilio, format="text")
    reader, writer = os.pipe()
    status = os.fstat(writer)
    stream = f"JOURNAL_STREAM={status.st_dev}:{status.st_ino}"
    with started(["env", stream, *RUN, config], stderr=writer) as program, os.fdopen(reader) as log:
        os.close(writer)
        async with Peer(broker.url) as peer:
            await works(broker, peer)
        assert 0 == await stopped(program)
        lines = log.read().splitlines()
    assert [] == [line for line in lines if not line.startswith(("<6>", "<7>", "<4>"))]
    assert [] != [line for line in lines if line.startswith("<6>") and "connector_ready" in line]


# Errors at the start.


@pytest.mark.parametrize("place", ["file", "environment", "unreadable file"])
async def test_errors_at_the_start_are_json_where_the_log_is(tmp_path: Path, place: str) -> None:
    config = tmp_path / "connector.toml"
    wrong = "[log]\nformat = 'json'\nlevel = 'LOUD'\n[transport]\nurl = 'gopher://x'\n"
    config.write_text({"file": wrong, "environment": "", "unreadable file": "nonsense"}[place])
    variables = {} if place == "file" else {"TWILIO_NOTIFICATIONS__LOG__FORMAT": "json"}
    program = await run_program("run", "--config", str(config), environ=environment(**variables))
    assert 2 == exit_code(program)
    records = [json.loads(line) for line in program.stderr]
    assert {("ERROR", "connector_failed")} == {(each["level"], each["event"]) for each in records}
    assert all(each["error"] for each in records)


async def test_errors_at_the_start_are_sentences_where_the_log_is_text(tmp_path: Path) -> None:
    program = await run_program("run", "--config", str(tmp_path / "absent.toml"), environ=environment())
    assert 2 == exit_code(program)
    (line,) = program.stderr
    assert line.startswith("twilio-notifications: the configuration file ")
