"""The flow for Node-RED runs in Node-RED itself, between a broker and the connector."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, MakeConnector
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.npm import installed
from tests.support.process import DEFAULT_FROM, Program, environment
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.mosquitto, pytest.mark.npm]

FLOW = ROOT / "examples" / "node_red" / "flow.json"
VERSION = "4.1.15"
SETTINGS = "module.exports = {httpAdminRoot: false, httpNodeRoot: false, telemetry: {enabled: false}};\n"
"""Without its editor, so that it listens nowhere."""


@pytest.fixture(scope="module")
def package() -> Path:
    """Node-RED, installed before any connection of the test is open."""
    return installed("node-red", VERSION) / "node-red"


def node_red(package: Path, folder: Path, broker: Mosquitto) -> Program:
    """Node-RED with the flow as it is shipped, but for the port of the broker."""
    flow = json.loads(FLOW.read_text())
    for node in flow:
        if node["type"] == "mqtt-broker":
            node["port"] = str(broker.port)
    folder.mkdir()
    (folder / "flow.json").write_text(json.dumps(flow))
    (folder / "settings.js").write_text(SETTINGS)
    options = ("--userDir", str(folder), "--settings", str(folder / "settings.js"))
    return Program(
        *options,
        "flow.json",
        command=("node", str(package / "red.js")),
        environ=environment(HOME=str(folder)),
    )


async def test_a_sensor_that_turns_wet_sends_one_text_and_a_failure_is_passed_on(
    package: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, tmp_path: Path
) -> None:
    refused = faults.RefusedRequest(code=21211, message="Invalid 'To' Phone Number")
    twilio.add_fault(Fault(effect=refused, times=1))
    async with (
        make_connector(broker.url) as connector,
        node_red(package, tmp_path / "node-red", broker) as program,
    ):
        await connector.ready()
        async with Peer(broker.url, subscribe="alarm/failed") as listener, Peer(broker.url) as sensor:
            await sensor.publish("cellar/water", "wet", retain=True)  # for Node-RED, which may not listen yet
            failed = (await listener.next_message()).payload.decode()
            assert ": InvalidParameter: Twilio error 21211: " in failed, program.output
            assert failed.startswith("cellar-")
            for state in ("wet", "dry", "wet"):
                await sensor.publish("cellar/water", state)
            statuses = [message.json()["response"]["status"] for message in await sensor.collect(2)]
            assert ["fail", "success"] == statuses
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM, "Water in the cellar") == (sent.to, sent.sender, sent.body)
