"""ESPHome takes the device of the example, and what the device publishes is a request that succeeds."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, TEXT_TOPIC, MakeConnector
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.process import DEFAULT_FROM, environment, exit_code, run_program
from tests.support.programs import python_environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

EXAMPLE = ROOT / "examples" / "esphome"
VERSION = "2026.6.5"
PAYLOAD = re.compile(r"^ +payload: '(.+)'$", re.MULTILINE)


@pytest.mark.peers
async def test_esphome_finds_the_device_valid(tmp_path: Path) -> None:
    """In a copy, because ESPHome writes next to the file."""
    shutil.copy(EXAMPLE / "cellar.yaml", tmp_path)
    shutil.copy(EXAMPLE / "secrets.example.yaml", tmp_path / "secrets.yaml")
    esphome = python_environment("esphome", VERSION) / "esphome"
    environ = environment(HOME=str(tmp_path), PLATFORMIO_CORE_DIR=str(tmp_path / "platformio"))
    arguments = ("config", str(tmp_path / "cellar.yaml"))
    program = await run_program(*arguments, command=(str(esphome),), environ=environ)
    assert 0 == exit_code(program), program.output
    assert "topic: twilio/txt" in program.output


@pytest.mark.mosquitto
async def test_what_the_device_publishes_is_sent(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    (payload,) = PAYLOAD.findall((EXAMPLE / "cellar.yaml").read_text(encoding="utf-8"))
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, payload)
        status = (await peer.next_message()).json()
    assert ("success", "cellar-water") == (status["response"]["status"], status["id"])
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM, "Water in the cellar") == (sent.to, sent.sender, sent.body)
