"""The examples of V1 code, with one import changed: over a broker, and as components of Greengrass V2."""

from __future__ import annotations

import ast
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, SENDER, MakeConnector
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.nucleus import FakeNucleus
from tests.support.process import DEFAULT_FROM, Program, environment

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

EXAMPLES = ROOT / "examples" / "greengrass_v1_code"
TOPIC = "temperature/input"
RUNNER = (sys.executable, "-m", "twilio_notifications.greengrasssdk")
READINGS = [
    json.dumps({"temperature": temperature, "to_name": "Darla", "to_number": RECIPIENT})
    for temperature in (29, 30, 31)
]
PUBLISHED_EXAMPLE = (
    b'{"request": {"recipient": {"name": "Darla", "phone_number": "+12345000000", '
    b'"message": "Hello from the edge"}, "from_number": "+19999999999"}, "id": "request123"}'
)
"""The usage example of the published document, as json.dumps writes it."""


def hello(**variables: str) -> Program:
    return Program(command=(sys.executable, str(EXAMPLES / "hello.py")), environ=environment(**variables))


def monitor(**variables: str) -> Program:
    return Program(
        "temperature_monitor.function_handler",
        *("--topic", TOPIC),
        command=RUNNER,
        folder=EXAMPLES,
        environ=environment(**variables),
    )


def at(broker: Mosquitto) -> dict[str, str]:
    return {"TWILIO_NOTIFICATIONS__TRANSPORT__URL": broker.url}


@pytest.mark.mosquitto
async def test_hello_sends_the_published_example(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        async with hello(**at(broker)) as program:
            assert (0, []) == (await program.wait(), program.stderr)
        assert "success" == (await peer.next_message()).json()["response"]["status"]
    (sent,) = twilio.ledger
    assert (RECIPIENT, SENDER, "Hello from the edge") == (sent.to, sent.sender, sent.body)


@pytest.mark.mosquitto
async def test_31_degrees_are_told_and_29_are_not(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, monitor(**at(broker)) as function:
        await connector.ready()
        await function.wait_until(lambda: "function_ready" in function.output, "function_ready")
        async with Peer(broker.url) as peer:
            for reading in READINGS:
                await peer.publish(TOPIC, reading)
            status = (await peer.next_message()).json()
        assert 0 == await function.terminate()
    assert [f"{temperature} degrees on {TOPIC}" for temperature in (29, 30, 31)] == function.stdout
    assert "success" == status["response"]["status"]
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM, "temperature:31") == (sent.to, sent.sender, sent.body)


async def test_hello_is_a_component_as_well() -> None:
    with FakeNucleus() as nucleus:
        async with hello(**nucleus.environ) as program:
            assert (0, []) == (await program.wait(), program.stderr)
        (published,) = nucleus.published("twilio/txt")
    assert PUBLISHED_EXAMPLE == published.payload


@pytest.mark.parametrize("as_json", [True, False])
async def test_the_monitor_is_a_component_as_well(*, as_json: bool) -> None:
    with FakeNucleus() as nucleus:
        async with monitor(**nucleus.environ) as function:
            await nucleus.until_subscribed(TOPIC)
            for reading in READINGS:
                nucleus.publish(TOPIC, reading, as_json=as_json)
            (published,) = await nucleus.until_published("twilio/txt")
            assert 0 == await function.terminate()
    recipient = {"name": "Darla", "phone_number": RECIPIENT, "message": "temperature:31"}
    assert {"recipient": recipient} == published.json()["request"]


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: path.name)
def test_one_import_is_all_that_is_not_v1(path: str) -> None:
    """The rest must be what a V1 core could load: Python 3.7, and its standard library."""
    source = (EXAMPLES / path).read_text()
    tree = ast.parse(source, feature_version=(3, 7))
    imported = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert {"from twilio_notifications import greengrasssdk as greengrasssdk"} == set(imported) - {
        "import json",
        "import random",
    }
