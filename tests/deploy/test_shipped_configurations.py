"""The configurations for Kubernetes and Compose run: connector, console, probes, and the broker's own one.

The addresses are those of this test, and the journal is a file: what a journal in PostgreSQL does is tested
where it is built.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.acceptance.house import TEXT_TOPIC, text
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.patience import WAIT_SECONDS
from tests.support.process import TOKEN, LoggingProgram, Program, environment
from twilio_notifications.adapters.isolation import discover
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = pytest.mark.mosquitto

KUBERNETES = ROOT / "deploy" / "kubernetes"
COMPOSE = ROOT / "deploy" / "compose"
PASSWORDS = {"connector": "4d1e7a", "sensor": "90c2fe"}
TOKEN_HASH = "scrypt:15:6GHrEb4bOrRHtfWRXwBp6g:RJIL7yMPmUyXxQ1AVkvKXyUYUxu1S0MXGZ3AHTwhsDs"
OF_THE_TEST = ("listener", "allow_anonymous", "persistence", "password_file", "acl_file", "log_dest")
"""Lines of the broker's configuration that the test's own broker has already."""


def of_kubernetes() -> str:
    manifest = yaml.safe_load((KUBERNETES / "configuration.yaml").read_text("utf-8"))
    return str(manifest["data"]["twilio-notifications.toml"])


def of_compose() -> str:
    return (COMPOSE / "configuration" / "twilio-notifications.toml").read_text("utf-8")


def probed() -> dict[str, str]:
    """The page of each probe of the connectors, and of the console."""
    found = {}
    for file in ("connectors.yaml", "console.yaml"):
        *_, workload = yaml.safe_load_all((KUBERNETES / file).read_text("utf-8"))
        (container,) = workload["spec"]["template"]["spec"]["containers"]
        for probe in ("livenessProbe", "readinessProbe"):
            found[f"{container['name']} {probe}"] = container[probe]["httpGet"]["path"]
    return found


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """The broker of the Compose file, with its access list."""
    lines = (COMPOSE / "broker" / "mosquitto.conf").read_text("utf-8").splitlines()
    settings = [line for line in lines if not line.startswith(OF_THE_TEST)]
    access = tmp_path / "acl"
    access.write_bytes((COMPOSE / "broker" / "acl").read_bytes())
    access.chmod(0o600)
    with Mosquitto(
        tmp_path / "broker", users=PASSWORDS, settings=[*settings, f"acl_file {access}"]
    ) as broker:
        yield broker


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    async with Simulator(clock=time.time, random=random.Random(1)) as twilio:  # noqa: S311 - SIDs
        yield twilio


@pytest.fixture
def surroundings(tmp_path: Path, broker: Mosquitto, twilio: Simulator) -> dict[str, str]:
    """The environment that leads connector and console to this test, in place of the Secret."""
    token = tmp_path / "secrets" / "twilio-auth-token"
    token.parent.mkdir()
    token.write_text(TOKEN)
    token.chmod(0o440)  # as Kubernetes makes it with a group for the files
    (tmp_path / "journal").mkdir()
    settings = {
        "JOURNAL__URL": f"sqlite:///{tmp_path}/journal/journal.db",
        "TRANSPORT__URL": broker.url_as("connector"),
        "TWILIO__BASE_URL": twilio.base_url,
        "SECRETS__PATH": str(token),
        "HEALTH__LISTEN": "127.0.0.1:0",
        "METRICS__LISTEN": "127.0.0.1:0",
        "CONSOLE__LISTEN": "127.0.0.1:0",
        "CONSOLE__TOKEN_HASH": TOKEN_HASH,
    }
    if not discover().version:  # the default, which is to be confined, would refuse to start
        settings["CONNECTOR__PARAMETERS__ISOLATIONMODE"] = "NoContainer"
    return environment(**{f"TWILIO_NOTIFICATIONS__{name}": value for name, value in settings.items()})


def written(folder: Path, text: str) -> str:
    """The path of a file with this configuration, in a folder as the containers have it."""
    file = folder / "twilio-notifications" / "twilio-notifications.toml"
    file.parent.mkdir()
    file.write_text(text, "utf-8")
    return str(file)


async def answer(address: str, path: str) -> str:
    """The status line of the page."""
    host, _, port = address.rpartition(":")
    async with asyncio.timeout(WAIT_SECONDS):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 192.0.2.7:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
        await reader.read()
    writer.close()
    return line.decode().strip()


@pytest.mark.parametrize("configuration", [of_kubernetes(), of_compose()], ids=["kubernetes", "compose"])
async def test_a_connector_with_the_configuration_sends_what_a_sensor_wants_and_answers_its_probes(
    configuration: str, tmp_path: Path, broker: Mosquitto, surroundings: dict[str, str]
) -> None:
    file = written(tmp_path, configuration)
    async with LoggingProgram("run", "--config", file, environ=surroundings) as connector:
        await connector.wait_for_event("connector_ready")
        async with Peer(broker.url_as("sensor")) as sensor:
            await sensor.publish(TEXT_TOPIC, text("one"))
            (status,) = await sensor.collect(1)
        assert "success" == status.json()["response"]["status"]
        address = connector.events("health_listening")[0]["address"]
        paths = [path for probe, path in probed().items() if probe.startswith("connector")]
        assert ["HTTP/1.1 200 OK"] * 2 == [await answer(address, path) for path in paths]
        assert 0 == await connector.terminate()


async def test_the_console_with_the_configuration_answers_its_probes(
    tmp_path: Path, surroundings: dict[str, str]
) -> None:
    file = written(tmp_path, of_kubernetes())
    async with Program("console", "--config", file, environ=surroundings) as console:
        said = await console.wait_for_line("console on ")
        (address,) = re.findall(r"http://(\S+)", said)
        paths = [path for probe, path in probed().items() if probe.startswith("console")]
        assert ["HTTP/1.1 200 OK"] * 2 == [await answer(address, path) for path in paths]
        assert 0 == await console.terminate()


async def test_a_sensor_reads_statuses_and_no_requests_of_others(broker: Mosquitto) -> None:
    async with (
        Peer(broker.url_as("sensor"), subscribe="#") as sensor,
        Peer(broker.url_as("connector"), subscribe=TEXT_TOPIC) as connector,
    ):
        await sensor.publish(TEXT_TOPIC, text("one"))
        (request,) = await connector.collect(1)
        assert "one" == request.json()["id"]
        await connector.publish("twilio/message/status", "{}")
        received: list[Any] = await sensor.collect(1)
        assert ["twilio/message/status"] == [each.topic for each in received]
