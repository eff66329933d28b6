"""The package for Home Assistant is run by Home Assistant itself, with its connection to a broker."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import RECIPIENT, MakeConnector
from tests.support.mqtt_peer import STATUS_TOPIC, Peer
from tests.support.needs import ROOT
from tests.support.process import DEFAULT_FROM, Program, environment
from tests.support.programs import python_environment
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = [
    pytest.mark.mosquitto,
    pytest.mark.peers,
    pytest.mark.skipif(
        sys.version_info[:2] != (3, 11), reason="this Home Assistant runs on Python 3.11 alone"
    ),
]

PACKAGE = ROOT / "examples" / "home_assistant" / "twilio_notifications.yaml"
STAGE = Path(__file__).with_name("home_assistant_stage.py")
VERSION = "2024.3.3"
"""The last one for Python 3.11."""

OF_MQTT = ("paho-mqtt==1.6.1", "janus==1.0.0")
"""What Home Assistant installs by itself when a broker is configured."""

CONFIGURATION = """\
homeassistant:
  packages: !include_dir_named packages
mqtt:
  - binary_sensor:
      name: Cellar water
      state_topic: cellar/water
      payload_on: wet
      payload_off: dry
automation:
  - id: button
    trigger:
      - platform: mqtt
        topic: button
    action:
      - service: "{{ trigger.payload_json.script }}"
        data: "{{ trigger.payload_json.data }}"
"""
EARLIER = {
    "response": {"status": "fail", "error_message": "earlier", "error": "Expired", "payload": None},
    "id": "a",
}
"""A status that the broker keeps: once it has arrived, Home Assistant listens."""


def connection(broker: Mosquitto) -> str:
    """The connection to the broker as Home Assistant stores it."""
    entry = {
        "entry_id": "broker",
        "version": 1,
        "domain": "mqtt",
        "title": "broker",
        "source": "user",
        "data": {"broker": "127.0.0.1", "port": broker.port, "discovery": False},
        "options": {},
        "unique_id": None,
        "disabled_by": None,
        "pref_disable_new_entities": False,
        "pref_disable_polling": False,
    }
    return json.dumps({"version": 1, "key": "core.config_entries", "data": {"entries": [entry]}})


@pytest.fixture(scope="module")
def python() -> Path:
    """Home Assistant's Python. It is installed before any connection of the test is open."""
    return python_environment("homeassistant", VERSION, *OF_MQTT) / "python"


def home_assistant(python: Path, folder: Path, broker: Mosquitto) -> Program:
    """Home Assistant with the package as it is shipped, and a sensor."""
    (folder / "packages").mkdir(parents=True)
    (folder / ".storage").mkdir()
    (folder / ".storage" / "core.config_entries").write_text(connection(broker))
    (folder / "configuration.yaml").write_text(CONFIGURATION)
    shutil.copy(PACKAGE, folder / "packages")
    return Program(str(STAGE), str(folder), command=(str(python),), environ=environment(HOME=str(folder)))


async def test_a_sensor_that_turns_wet_sends_a_text_and_a_failure_is_shown(
    python: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, tmp_path: Path
) -> None:
    refused = faults.RefusedRequest(code=21211, message="Invalid 'To' Phone Number")
    twilio.add_fault(Fault(effect=refused, times=1))
    async with make_connector(broker.url) as connector, Peer(broker.url, subscribe="") as sensor:
        await connector.ready()
        await sensor.publish("cellar/water", "dry", retain=True)
        await sensor.publish(STATUS_TOPIC, json.dumps(EARLIER), retain=True)
        async with home_assistant(python, tmp_path / "home-assistant", broker) as program:
            await program.wait_for_line("a: earlier")
            await program.wait_for_line("binary_sensor.cellar_water is off")
            await sensor.publish("cellar/water", "wet")
            failure = await program.wait_for_line("Twilio error 21211")
            assert failure.startswith("home-assistant-")
            async with Peer(broker.url) as listener:
                assert EARLIER == (await listener.next_message()).json()
                for state in ("wet", "dry", "wet"):
                    await sensor.publish("cellar/water", state)
                assert "success" == (await listener.next_message()).json()["response"]["status"]
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM) == (sent.to, sent.sender)
    assert sent.body is not None
    assert sent.body.startswith("Water in the cellar, ")


async def test_an_alarm_goes_on_until_a_button_acknowledges_it(
    python: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, tmp_path: Path
) -> None:
    steps = [{"after_seconds": 3600, "channel": "call", "contacts": ["darla"], "voice_message": "{message}"}]
    chains: dict[str, Any] = {
        "contacts.darla": {"name": "Darla", "phone_number": RECIPIENT},
        "escalations.freezer": {"steps": steps},
    }
    async with make_connector(broker.url, **chains) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(STATUS_TOPIC, json.dumps(EARLIER), retain=True)
        assert EARLIER == (await peer.next_message()).json()
        async with home_assistant(python, tmp_path / "home-assistant", broker) as program:
            await program.wait_for_line("a: earlier")
            for script, values in (
                ("script.send_alarm", {"message": "The freezer thaws", "alarm": "freezer"}),
                ("script.acknowledge_alarm", {"alarm": "freezer"}),
            ):
                await peer.publish("button", json.dumps({"script": script, "data": values}))
                status = (await peer.next_message()).json()
                assert ("success", "freezer") == (status["response"]["status"], status["id"])
        assert "acknowledged" == status["response"]["payload"]["messages"]["message_status"]
        assert "acknowledged" == (await connector.wait_for_event("chain_ended"))["ending"]
    assert "The freezer thaws" == str(twilio.ledger[0].body).partition("\n")[0]
