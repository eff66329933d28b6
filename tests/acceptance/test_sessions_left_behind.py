"""An earlier program under the same client identifier left a session behind: each text is sent once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest

from tests.acceptance.house import TEXT_SUCCESS, TEXT_TOPIC, MakeConnector, text, until
from tests.support.earlier_client import leave_session
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

CLIENT_ID = "twilio-notifications"


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_request_with_qos_2_is_executed_at_one_of_three_starts(
    broker: Mosquitto,
    twilio: Simulator,
    make_connector: MakeConnector,
    protocol: Literal["5", "3.1.1"],
) -> None:
    await leave_session(broker.url, CLIENT_ID, [TEXT_TOPIC], qos=2, protocol=protocol)
    async with Peer(broker.url) as peer:
        await peer.publish(TEXT_TOPIC, text(), qos=2)
        for _ in range(3):
            async with make_connector(broker.url, transport={"protocol": protocol}) as connector:
                await connector.ready()
                await until(lambda: len(twilio.ledger) >= 1)
                assert 0 == await connector.terminate()
        assert TEXT_SUCCESS == (await peer.next_message()).payload
    assert 1 == len(twilio.ledger)


async def test_old_subscriptions_send_nothing_twice_and_are_told(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    await leave_session(broker.url, CLIENT_ID, ["twilio/#", "+/txt"])
    async with Peer(broker.url) as peer, make_connector(broker.url) as connector:
        await connector.ready()
        for number in range(3):
            await peer.publish(TEXT_TOPIC, text(f"request{number}"))
        statuses = [message.json()["id"] for message in await peer.collect(3)]
        await connector.wait_for_event("copy_dropped")
        assert 0 == await connector.terminate()
    assert ["request0", "request1", "request2"] == sorted(statuses)
    assert 3 == len(twilio.ledger)
