"""The extension for Zigbee2MQTT is loaded and called by Zigbee2MQTT itself, which needs no radio for that."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, MakeConnector
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.npm import installed
from tests.support.process import DEFAULT_FROM, Program, environment

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.mosquitto, pytest.mark.npm]

EXTENSION = ROOT / "examples" / "zigbee2mqtt" / "alarm.mjs"
STAGE = Path(__file__).with_name("zigbee2mqtt_stage.cjs")
VERSION = "2.14.1"
NODE = 20
"""The oldest one on which it was tried."""


@pytest.fixture(scope="module")
def package() -> Path:
    """Zigbee2MQTT, installed before any connection of the test is open."""
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(node.strip("v\n").split(".")[0]) < NODE:
        pytest.skip(f"Zigbee2MQTT {VERSION} does not run on Node {node.strip()}")
    return installed("zigbee2mqtt", VERSION) / "zigbee2mqtt"


def zigbee2mqtt(package: Path, folder: Path, broker: Mosquitto) -> Program:
    """Zigbee2MQTT with the extension as it is shipped, and a sensor that is dry, wet, dry and wet again."""
    extensions = folder / "external_extensions"
    extensions.mkdir(parents=True)
    shutil.copy(EXTENSION, extensions)
    (folder / "configuration.yaml").write_text(f"mqtt:\n  server: mqtt://127.0.0.1:{broker.port}\n")
    return Program(
        command=("node", str(STAGE), str(package)), environ=environment(ZIGBEE2MQTT_DATA=str(folder))
    )


async def test_a_sensor_that_turns_wet_twice_sends_two_texts(
    package: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, tmp_path: Path
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        async with zigbee2mqtt(package, tmp_path / "zigbee2mqtt", broker) as program:
            assert 0 == await program.wait(), program.output
        statuses = [message.json() for message in await peer.collect(2)]
    assert ["success", "success"] == [status["response"]["status"] for status in statuses], program.output
    assert all(status["id"].startswith("cellar_leak-") for status in statuses)
    texts = [(sent.to, sent.sender, sent.body) for sent in twilio.ledger]
    assert [(RECIPIENT, DEFAULT_FROM, "Water in the cellar")] * 2 == texts
