"""Isolation as an operator meets it: confined by default, refused where the kernel cannot confine."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import random
import signal
import socket
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.adapters.greengrass_steps import Telling
from tests.support.factories import DARLA
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.nucleus import FakeNucleus
from tests.support.patience import WAIT_SECONDS
from tests.support.process import (
    TOKEN_VARIABLE,
    Connector,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from twilio_notifications import bootstrap
from twilio_notifications.adapters.isolation import Confinement, Offer, discover
from twilio_notifications.bootstrap.greengrass import Component
from twilio_notifications.checks.isolation import reach
from twilio_notifications.commands import run
from twilio_notifications.config import load
from twilio_notifications.core.errors import IsolationFailed
from twilio_notifications.signals import EarlySignals
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from contextlib import AbstractAsyncContextManager

    from tests.support.process import Program, Section
    from twilio_notifications.adapters.isolation import FileWatch
    from twilio_notifications.ports import Events

WITHOUT_LANDLOCK = ROOT / "tests" / "support" / "without_landlock.py"
REQUEST = f"""{{"id": "1", "request": {{"from_number": "+19999999999", "recipient":
    {{"name": "Darla", "phone_number": "{DARLA}", "message": "Hello"}}}}}}"""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    async with Simulator(clock=time.time, random=random.Random(1)) as twilio:  # noqa: S311 - SIDs
        twilio.set_age(0)  # a status read late on a busy machine is the one that was answered at once
        yield twilio


def dead_end(**sections: Section) -> dict[str, Section]:
    """A configuration that leads nowhere."""
    return configuration(broker_url="mqtt://127.0.0.1:1", twilio_url="http://127.0.0.1:1", **sections)


async def without_landlock(
    folder: Path,
    *words: str,
    error: int = errno.ENOSYS,
    parameters: Section | None = None,
    **sections: Section,
) -> Program:
    """The program on a kernel that answers so when it is asked for Landlock."""
    settings = dead_end(**sections)
    settings["connector.parameters"] = {"TWILIO_ACCOUNT_SID": "AC1"} | (parameters or {})
    config = write_configuration(folder / "connector.toml", settings)
    command = (
        sys.executable,
        str(WITHOUT_LANDLOCK),
        str(error),
        sys.executable,
        "-m",
        "twilio_notifications",
    )
    return await run_program(*words, "--config", str(config), command=command, environ=environment())


# Without Landlock.

linux = pytest.mark.skipif(sys.platform != "linux", reason="the filter that hides Landlock is Linux's")


@linux
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (errno.ENOSYS, "built without it"),
        (errno.EOPNOTSUPP, "not switched on at boot"),
        (errno.EPERM, "forbids the system call"),
        (errno.EINVAL, "Invalid argument"),
    ],
)
async def test_without_landlock_a_connector_that_is_to_be_confined_does_not_start(
    tmp_path: Path, error: int, reason: str
) -> None:
    """No token is set, and no error says so: the connector would have read the secret later."""
    program = await without_landlock(tmp_path, "run", error=error)
    assert 2 == exit_code(program), program.output
    (line,) = program.stderr
    sentence = json.loads(line)["error"]
    assert reason in sentence
    assert "CONFIG_SECURITY_LANDLOCK" in sentence
    assert "lsm=" in sentence
    assert 'configure IsolationMode = "NoContainer"' in sentence
    assert not (tmp_path / "journal.db").exists()


@linux
@pytest.mark.parametrize("version", [1, 4])
async def test_of_earlier_versions_the_way_out_leads_over_version_5(tmp_path: Path, version: int) -> None:
    """They know no IsolationMode: to be confined is the only way they have."""
    program = await without_landlock(tmp_path, "run", connector={"version": version})
    assert 2 == exit_code(program), program.output
    assert (
        '[connector] version = 5 and IsolationMode = "NoContainer"' in json.loads(program.stderr[0])["error"]
    )


@linux
async def test_check_says_that_it_would_not_start(tmp_path: Path) -> None:
    program = await without_landlock(tmp_path, "check", "--offline")
    assert 1 == exit_code(program)
    (line,) = [line for line in program.stdout if "  isolation " in line]
    assert line.startswith("FAIL")
    assert "NoContainer" in line


@linux
async def test_check_says_that_nothing_confines_it(tmp_path: Path) -> None:
    program = await without_landlock(
        tmp_path, "check", "--offline", parameters={"IsolationMode": "NoContainer"}
    )
    (line,) = [line for line in program.stdout if "  isolation " in line]
    assert line.startswith("ok")
    assert "NoContainer: the process is not confined (Landlock: none: this kernel" in line


# With it.


async def finished(peer: Peer) -> str:
    await peer.publish("twilio/txt", REQUEST)
    return str((await peer.next_message()).json()["response"]["status"])


@pytest.mark.landlock
async def test_check_says_what_would_confine_it(tmp_path: Path) -> None:
    config = write_configuration(tmp_path / "connector.toml", dead_end())
    program = await run_program("check", "--offline", "--config", str(config))
    (line,) = [line for line in program.stdout if "  isolation " in line]
    assert line.startswith("ok")
    assert "GreengrassContainer: Landlock version " in line
    assert f"writes into {tmp_path}/journal alone, executes nothing, has no privileges" in line
    if discover().confines_ports:
        assert "connects to the TCP ports 1 53, listens on none" in line


def test_where_a_database_keeps_the_journal_a_connector_may_write_nothing() -> None:
    assert reach(Confinement(), Offer(version=3)).startswith("writes no file, executes nothing")


def test_of_ports_nothing_is_said_where_the_kernel_does_not_confine_them() -> None:
    allowed = Confinement(writable=frozenset({Path("/state")}), connect_ports=frozenset({1883}))
    assert "1883" not in reach(allowed, Offer(version=3))
    assert "connects to the TCP ports 1883, listens on none" in reach(allowed, Offer(version=4))


@pytest.mark.mosquitto
@pytest.mark.landlock
async def test_the_log_says_in_one_line_what_the_connector_may_reach(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator
) -> None:
    settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url)
    async with Connector(tmp_path / "connector", settings) as connector:
        await connector.ready()
        (line,) = connector.events("process_confined")
        assert 0 == await connector.terminate()
    ports = sorted([53, broker.port, int(twilio.base_url.rpartition(":")[2])])
    assert " ".join(map(str, ports)) == line["connect_ports"]
    assert "none" == line["listen_ports"]
    assert str(tmp_path / "connector" / "journal") == line["writable"]
    assert connector.log[0] == line, "it comes first"


def privileges(number: str) -> list[str]:
    """What the kernel says of them; other systems than Linux have no such file."""
    status = Path(f"/proc/{number}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return [line for line in lines if line.startswith(("NoNewPrivs:", "CapEff:", "CapBnd:"))]


@pytest.mark.mosquitto
async def test_without_isolation_nothing_is_confined(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator
) -> None:
    settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url)
    settings["connector.parameters"]["IsolationMode"] = "NoContainer"
    async with Connector(tmp_path / "connector", settings) as connector:
        await connector.ready()
        assert 1 == len(connector.events("process_not_confined"))
        assert privileges("self") == privileges(str(connector.pid))
        assert 0 == await connector.terminate()


@pytest.mark.mosquitto
@pytest.mark.landlock
async def test_a_token_that_is_replaced_while_confined_is_used(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator
) -> None:
    token = tmp_path / "secrets" / "token"
    token.parent.mkdir()
    token.write_text("first")
    token.chmod(0o600)
    twilio.set_auth_tokens(["first"])
    secrets = {"source": "file", "path": str(token)}
    settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, secrets=secrets)
    async with Connector(tmp_path / "connector", settings) as connector, Peer(broker.url) as peer:
        await connector.ready()
        assert "success" == await finished(peer)
        twilio.set_auth_tokens(["second"])
        new = token.with_name("new")
        new.write_text("second")
        new.chmod(0o600)
        new.replace(token)
        assert "success" == await finished(peer)
        assert 0 == await connector.terminate()
    assert 1 == len(connector.events("secret_renewed"))


@pytest.mark.landlock
async def test_a_journal_that_others_can_read_is_closed_before_the_process_is_confined(
    tmp_path: Path,
) -> None:
    """Afterwards it can change no mode, not even of its own files."""
    journal = tmp_path / "connector" / "journal" / "journal.db"
    journal.parent.mkdir(parents=True)
    journal.touch()
    journal.chmod(0o644)
    async with Connector(tmp_path / "connector", dead_end()) as connector:
        await connector.wait_for_event("journal_opened")
        assert 0o600 == journal.stat().st_mode & 0o777
        assert [] == [record for record in connector.log if "chmod" in str(record)]


@pytest.mark.landlock
async def test_a_journal_in_a_home_is_remarked_upon(tmp_path: Path) -> None:
    """Everything in that folder stays open to the connector, and with it whatever else is at home."""
    environ = environment(HOME=str(tmp_path))
    (tmp_path / "etc").mkdir()
    journal = {"url": f"sqlite:///{tmp_path}/journal.db"}
    config = write_configuration(tmp_path / "etc" / "connector.toml", dead_end(journal=journal))
    program = await run_program("check", "--offline", "--config", str(config), environ=environ)
    (note,) = [line for line in program.stdout if line.startswith("note") and "writes into" in line]
    assert f"the connector writes into {tmp_path}, which other programs use too" in note
    assert "[journal] url" in note


@pytest.mark.landlock
async def test_a_journal_in_a_folder_of_another_user_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Root has no privileges any more then; an ordinary user never had them."""
    folder = tmp_path / "others"
    folder.mkdir(mode=0o555)
    make_anothers(folder)
    journal = {"url": f"sqlite:///{folder}/journal.db"}
    config = write_configuration(tmp_path / "c.toml", dead_end(journal=journal))
    environ = environment(**{TOKEN_VARIABLE: "x"})
    program = await run_program("run", "--config", str(config), environ=environ)
    assert 1 == exit_code(program), program.output
    assert f"the folder {folder} is not writable for this user" in program.stderr[-1]


def make_anothers(folder: Path) -> None:
    if os.geteuid() == 0:
        os.chown(folder, 65534, 65534)


@dataclass(slots=True)
class LostFile:
    """A watch that has found what it was looking for, once the connector works."""

    events: Telling

    async def replaced(self) -> Path:
        await self.events.until("journal_opened")
        return Path("/etc/resolv.conf")


def running(wired: AbstractAsyncContextManager[Any], watch: FileWatch, events: Events) -> run.Running:
    return run.Running(
        wired=wired, hangup=asyncio.Event(), watch=watch, events=events, drain_seconds=WAIT_SECONDS
    )


async def test_a_connector_that_loses_a_file_ends_in_good_order_and_says_why(tmp_path: Path) -> None:
    """So that the supervisor starts it again; otherwise it would wait in vain for name resolution."""
    config = write_configuration(tmp_path / "connector.toml", dead_end())
    events = Telling()
    watch = cast("FileWatch", LostFile(events))  # all that is asked of it
    environ = {TOKEN_VARIABLE: "x"}
    wired = bootstrap.connector(
        load(config, environ),
        reread=lambda _: load(config, environ),
        events=events,
        environ=environ,
        supervisor=bootstrap.supervisor(environ, events=events),
    )
    with pytest.raises(IsolationFailed, match=r"/etc/resolv\.conf was replaced"):
        async with asyncio.timeout(WAIT_SECONDS):
            await running(wired, watch, events).until_stopped(EarlySignals())
    assert ["confined_file_replaced", "connector_draining", "connector_stopped"] == [
        told.name for told in events.lines if told.name.startswith(("con", "drain"))
    ]


async def test_a_component_that_loses_a_file_again_within_the_hour_goes_on_working(tmp_path: Path) -> None:
    """A modem that comes and goes has resolv.conf replaced each time; the third end would be the last one."""
    events = Telling()
    (tmp_path / "last-start").write_text(repr(time.time() - 60))
    own = {
        "TWILIO_ACCOUNT_SID": "AC1",
        "secrets": {"source": "environment"},
        "journal": {"url": f"sqlite:///{tmp_path}/journal.db"},
    }
    with FakeNucleus(configuration=own) as nucleus:
        environ = nucleus.environ | {TOKEN_VARIABLE: "x"}
        wired = bootstrap.connector(
            load(None, environ, component=own),
            reread=lambda component: load(None, environ, component=component),
            events=events,
            environ=environ,
            supervisor=bootstrap.supervisor(environ, events=events),
            component=Component(configuration=own, on_change=asyncio.Event().set),
        )
        watch = cast("FileWatch", LostFile(events))
        work = asyncio.create_task(running(wired, watch, events).until_stopped(EarlySignals()))
        await events.until("confined_file_replaced")
        await nucleus.until_subscribed("twilio/txt")
        nucleus.publish("twilio/txt", "no JSON")
        await nucleus.until_published("twilio/message/status")
        assert 0 == events.count("connector_draining")
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(WAIT_SECONDS):
            await work


# What the supervisor hears.


@pytest.mark.mosquitto
@pytest.mark.parametrize("kind", ["path", "abstract"])
async def test_the_supervisor_hears_that_it_is_ready_alive_and_stopping(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, kind: str
) -> None:
    """Confined or not: an abstract socket would be out of reach if it were connected later."""
    if kind == "abstract" and sys.platform != "linux":
        pytest.skip("only Linux has abstract sockets")
    address = str(tmp_path / "notify") if kind == "path" else f"@{tmp_path}"
    settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url)
    variables = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "100000"}
    with closing(Ear(address)) as ear:
        async with Connector(tmp_path / "connector", settings, **variables) as connector:
            await connector.ready()
            await ear.hears("READY=1")
            await ear.hears("WATCHDOG=1", times=3)
            assert "STOPPING=1" not in ear.heard
            assert 0 == await connector.terminate()
        await ear.hears("STOPPING=1")
    assert 1 == ear.heard.count("READY=1")


class Ear:
    """The socket of a supervisor, and what it has heard."""

    def __init__(self, address: str) -> None:
        self.heard: list[str] = []
        self._changed = asyncio.Event()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind("\0" + address[1:] if address.startswith("@") else address)
        asyncio.get_running_loop().add_reader(self._socket, self._hear)

    async def hears(self, state: str, *, times: int = 1) -> None:
        """Returns once it has heard it so often."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self.heard.count(state) < times:
                self._changed.clear()
                await self._changed.wait()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _hear(self) -> None:
        self.heard.append(self._socket.recv(100).decode())
        self._changed.set()
