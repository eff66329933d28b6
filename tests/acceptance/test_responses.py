"""MQTT 5 as clients of today use it, with the real program: response topics, availability, and a restart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC, text
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.mosquitto

ANSWERS = "clients/7/answers"


async def test_a_status_comes_back_on_the_response_topic_with_its_correlation_also_after_a_restart(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    """What waits keeps its way back: here it waits for a limit that the next start takes away."""
    limited = make_connector(broker.url, limits={"texts_per_day": 1})
    async with Peer(broker.url) as peer, Peer(broker.url, subscribe=ANSWERS) as client:
        async with limited:
            await limited.ready()
            for number in (1, 2):
                await client.publish(
                    TEXT_TOPIC,
                    text(str(number), to=f"+1234500000{number}"),
                    response_topic=ANSWERS,
                    correlation_data=str(number).encode(),
                )
            answers, statuses = [await client.next_message()], [await peer.next_message()]
            await limited.wait_for_event("limit_used_up")
            assert 0 == await limited.terminate()
        async with make_connector(broker.url) as free:
            await free.ready()
            answers.append(await client.next_message())
            statuses.append(await peer.next_message())
            assert 0 == await free.terminate()
    assert [b"1", b"2"] == [answer.correlation for answer in answers]
    assert ["1", "2"] == [answer.json()["id"] for answer in answers]
    assert [answer.payload for answer in answers] == [status.payload for status in statuses]


async def test_a_rejection_comes_back_on_the_response_topic(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    connector = make_connector(broker.url)
    async with connector, Peer(broker.url, subscribe=ANSWERS) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, '{"id": "x"}', response_topic=ANSWERS, correlation_data=b"c")
        answer = await peer.next_message()
        assert 0 == await connector.terminate()
    assert (b"c", "InvalidParameter") == (answer.correlation, answer.json()["response"]["error"])


async def test_the_availability_outlives_a_kill(broker: Mosquitto, make_connector: MakeConnector) -> None:
    topic = "twilio/availability"
    connector = make_connector(broker.url, transport={"availability_topic": topic})
    async with Peer(broker.url, subscribe=topic) as watcher:
        async with connector:
            await connector.ready()
            assert b"online" == (await watcher.next_message()).payload
            await connector.kill()
        assert b"offline" == (await watcher.next_message()).payload
    async with Peer(broker.url, subscribe=topic) as late:
        message = await late.next_message()
        assert (b"offline", True) == (message.payload, message.retain)
