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


def from_paced(request_id: str, *, to: str, priority: str = "normal") -> str:
    request = json.loads(text(request_id, to=to))
    request["request"] |= {"from_number": SENDER_NUMBER, "priority": priority}
    return json.dumps(request)


async def test_an_urgent_text_is_the_next_to_leave_its_sender(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    pace = json.dumps([{"sender": SENDER_NUMBER, "segments_per_second": AT_ONCE}])
    environ = {"TWILIO_NOTIFICATIONS__PACE": pace}
    async with make_connector(broker.url, environ=environ) as connector, Peer(broker.url) as peer:
        await connector.ready()
        for n in range(BACKLOG):
            await peer.publish(TEXT_TOPIC, from_paced(str(n), to=f"+1234000{n:04}"))
        before = len(twilio.ledger)
        await peer.publish(TEXT_TOPIC, from_paced("urgent", to=URGENT, priority="urgent"))
        while "urgent" not in {status["id"] for status in peer.statuses}:
            await peer.next_message()
        recipients = [entry.to for entry in twilio.ledger]
        # What one second allows left at once, and may not have reached Twilio yet.
        assert recipients.index(URGENT) <= before + AT_ONCE
