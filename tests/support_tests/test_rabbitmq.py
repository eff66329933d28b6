"""The real RabbitMQ that other tests rely on: it carries MQTT 3.1.1, and leaves no process behind."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.support.rabbitmq import RabbitMq

pytestmark = pytest.mark.rabbitmq

TOPIC = "support/txt"


async def test_what_one_peer_publishes_another_receives_through_rabbitmq(rabbitmq: RabbitMq) -> None:
    async with (
        Peer(rabbitmq.url, subscribe=TOPIC, protocol="3.1.1") as listener,
        Peer(rabbitmq.url, subscribe="", protocol="3.1.1") as speaker,
    ):
        await speaker.publish(TOPIC, '{"id": "one"}')
        message = await listener.next_message()
        assert (TOPIC, b'{"id": "one"}', 1) == (message.topic, message.payload, message.qos)
