"""The examples for clients of a plain broker, as processes of their own, with the connector at work."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, SENDER, TEXT_SUCCESS, MakeConnector, until
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.process import DEFAULT_FROM, Program

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

EXAMPLES = ROOT / "examples" / "plain_mqtt"


def example(name: str, broker: Mosquitto) -> Program:
    command = (sys.executable, str(EXAMPLES / name))
    return Program("127.0.0.1", str(broker.port), command=command)


async def test_hello_prints_the_published_status(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector:
        await connector.ready()
        async with example("hello.py", broker) as hello:
            assert 0 == await hello.wait()
    assert [json.loads(TEXT_SUCCESS)] == [json.loads(line) for line in hello.stdout]
    (sent,) = twilio.ledger
    assert (RECIPIENT, SENDER, "Hello from the edge") == (sent.to, sent.sender, sent.body)


async def test_31_degrees_are_told_and_29_are_not(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, example("temperature_monitor.py", broker) as monitor:
        await connector.ready()
        await monitor.wait_for_line("listening")
        async with Peer(broker.url) as peer:
            for temperature in (29, 30, 31):
                reading = {"temperature": temperature, "to_name": "Darla", "to_number": RECIPIENT}
                await peer.publish("temperature/input", json.dumps(reading))
            # The readings are handled in order: what 29 and 30 had sent would stand before it.
            status = (await peer.next_message()).json()
    assert "success" == status["response"]["status"]
    assert status["id"].startswith("request_")
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM, "temperature:31") == (sent.to, sent.sender, sent.body)


async def test_the_monitor_listens_again_after_the_broker_was_restarted(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, example("temperature_monitor.py", broker) as monitor:
        await connector.ready()
        await monitor.wait_for_line("listening")
        broker.restart()
        await until(lambda: len(monitor.stdout) > 1)
        await connector.wait_for_event("broker_connected", count=2)
        async with Peer(broker.url) as peer:
            reading = {"temperature": 31, "to_name": "Darla", "to_number": RECIPIENT}
            await peer.publish("temperature/input", json.dumps(reading))
            assert "success" == (await peer.next_message()).json()["response"]["status"]
    assert ["temperature:31"] == [sent.body for sent in twilio.ledger]
