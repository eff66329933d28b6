"""What the rule for Tasmota publishes is a request that succeeds. Tasmota itself runs on devices alone.

A rule is `ON trigger DO command ENDON`; its command is read and carried out here as Tasmota does, with QoS 0.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import RECIPIENT, MakeConnector
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.process import DEFAULT_FROM

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

COMMANDS = (ROOT / "examples" / "tasmota" / "commands.txt").read_text(encoding="utf-8").splitlines()
LONGEST_RULE = 511
RULE = re.compile(r"Rule1 (ON \S+#\S+ DO Publish (?P<topic>\S+) (?P<payload>.+) ENDON)")


def rule() -> re.Match[str]:
    (found,) = (match for line in COMMANDS if (match := RULE.fullmatch(line)))
    return found


def test_the_rule_is_switched_on_and_not_too_long_for_a_device() -> None:
    assert "Rule1 1" == COMMANDS[-1]
    assert len(rule()[1].encode()) <= LONGEST_RULE


@pytest.mark.mosquitto
async def test_what_the_rule_publishes_is_sent(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    payload = rule()["payload"].replace("%timestamp%", "2026-11-27T03:00:00")
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(rule()["topic"], payload, qos=0)
        status = (await peer.next_message()).json()
    assert ("success", "cellar-2026-11-27T03:00:00") == (status["response"]["status"], status["id"])
    (sent,) = twilio.ledger
    assert (RECIPIENT, DEFAULT_FROM, "Water in the cellar") == (sent.to, sent.sender, sent.body)
