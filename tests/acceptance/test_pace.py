"""Paced senders on the real program: the order in which texts reach Twilio."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text
from tests.support.factories import SENDER_NUMBER
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

BACKLOG = 60
AT_ONCE = 10
URGENT = "+12349999999"


FULL_SENDER = "+15005550008"
"""Twilio's test number whose queue is full."""


def a_text_from(sender: str, request_id: str, *, to: str, priority: str = "normal") -> str:
    request = json.loads(text(request_id, to=to))
    request["request"] |= {"from_number": sender, "priority": priority}
    return json.dumps(request)


async def test_an_urgent_text_is_the_next_to_leave_its_sender(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    pace = json.dumps([{"sender": SENDER_NUMBER, "segments_per_second": AT_ONCE}])
    environ = {"TWILIO_NOTIFICATIONS__PACE": pace}
    async with make_connector(broker.url, environ=environ) as connector, Peer(broker.url) as peer:
        await connector.ready()
        for n in range(BACKLOG):
            await peer.publish(TEXT_TOPIC, a_text_from(SENDER_NUMBER, str(n), to=f"+1234000{n:04}"))
        before = len(twilio.ledger)
        await peer.publish(TEXT_TOPIC, a_text_from(SENDER_NUMBER, "urgent", to=URGENT, priority="urgent"))
        while "urgent" not in {status["id"] for status in peer.statuses}:
            await peer.next_message()
        recipients = [entry.to for entry in twilio.ledger]
        # What one second allows left at once, and may not have reached Twilio yet.
        assert recipients.index(URGENT) <= before + AT_ONCE


async def test_a_sender_whose_queue_is_full_keeps_no_other_waiting(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """Of the full one next to nothing is tried, however much waits, and the others leave at once."""
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, a_text_from(FULL_SENDER, "stalled", to="+12341000000"))
        await connector.wait_for_event("sender_paused")
        for n in range(BACKLOG):
            await peer.publish(TEXT_TOPIC, a_text_from(FULL_SENDER, f"waits {n}", to=f"+1234100{n + 1:04}"))
            await peer.publish(TEXT_TOPIC, a_text_from(SENDER_NUMBER, f"free {n}", to=f"+1234000{n:04}"))
        answered = {message.json()["id"] for message in await peer.collect(BACKLOG)}
        assert {f"free {n}" for n in range(BACKLOG)} == answered
    assert {SENDER_NUMBER} == {entry.sender for entry in twilio.ledger}
    assert 1 == len(connector.events("sender_paused"))
