"""The broker of the demo, as far as the demo relies on it."""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from gmqtt.mqtt.handler import MQTTConnectError

from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.demo.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TOPIC = "twilio/txt"


@pytest.fixture
async def broker() -> AsyncIterator[EmbeddedBroker]:
    async with EmbeddedBroker() as broker:
        yield broker


def peer(broker: EmbeddedBroker, topic: str = TOPIC) -> Peer:
    return Peer(broker.url, subscribe=topic, protocol="3.1.1")


async def open_socket(broker: EmbeddedBroker) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = urlsplit(broker.url)
    return await asyncio.open_connection(address.hostname, address.port)


async def test_what_one_publishes_the_other_receives(broker: EmbeddedBroker) -> None:
    async with peer(broker) as listener, peer(broker, "") as speaker:
        for n in range(20):
            await speaker.publish(TOPIC, f'{{"id": "{n}"}}')
        received = await listener.collect(20)
    assert [f'{{"id": "{n}"}}'.encode() for n in range(20)] == [message.payload for message in received]


async def test_one_client_may_hear_itself(broker: EmbeddedBroker) -> None:
    async with peer(broker) as client:
        await client.publish(TOPIC, "hello")
        assert b"hello" == (await client.next_message()).payload


async def test_two_brokers_do_not_hear_each_other(broker: EmbeddedBroker) -> None:
    async with EmbeddedBroker() as other, peer(broker) as here, peer(other) as there:
        await there.publish(TOPIC, "there")
        await here.publish(TOPIC, "here")
        assert b"here" == (await here.next_message()).payload
        assert b"there" == (await there.next_message()).payload


@pytest.mark.parametrize("client_id", ["x", "x" * 200])  # from 128 bytes on, the length takes more than one
async def test_a_client_of_mqtt_5_is_told_at_once_that_it_is_not_understood(
    broker: EmbeddedBroker, client_id: str
) -> None:
    """Left to itself amqtt does not answer, and a client that tries 5 first waits for its time limit."""
    with pytest.raises(MQTTConnectError) as raised:
        async with Peer(broker.url, protocol="5", client_id=client_id):
            pass
    assert 0x84 == raised.value._code


async def test_a_connect_with_a_long_length_is_understood(broker: EmbeddedBroker) -> None:
    async with Peer(broker.url, subscribe="", protocol="3.1.1", client_id="x" * 200) as client:
        await client.publish(TOPIC, "hello")


@pytest.mark.parametrize(
    "content",
    [
        b"",  # says nothing
        b"\x10\x80",  # ends in its length
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x20ab",  # ends in its client id
    ],
)
async def test_a_connection_that_is_none_ends_with_the_broker(content: bytes) -> None:
    async with EmbeddedBroker() as broker:
        reader, writer = await open_socket(broker)
        writer.write(content)
        async with peer(broker) as client:  # the broker has read what came before
            await client.publish(TOPIC, "hello")
    assert b"" == await asyncio.wait_for(reader.read(), WAIT_SECONDS)
    writer.close()


async def test_a_client_that_leaves_without_a_word_disturbs_nobody(
    broker: EmbeddedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await open_socket(broker)
    writer.transport.abort()
    async with peer(broker) as client:
        await client.publish(TOPIC, "hello")
        assert b"hello" == (await client.next_message()).payload
    assert [] == [record.getMessage() for record in caplog.records if record.name == "asyncio"]


async def test_closing_the_broker_leaves_nothing_running() -> None:
    before = asyncio.all_tasks()
    async with EmbeddedBroker() as broker:
        _, silent = await open_socket(broker)
        async with peer(broker) as client:
            await client.publish(TOPIC, "hello")
            await client.next_message()
    silent.close()
    await silent.wait_closed()
    assert before == asyncio.all_tasks()


async def test_the_broker_can_be_closed_before_its_clients() -> None:
    async with EmbeddedBroker() as broker:
        client = peer(broker)
        await client.__aenter__()
    await asyncio.wait_for(client._lost.wait(), WAIT_SECONDS)
    await client.__aexit__(None, None, None)


async def test_the_broker_keeps_quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with EmbeddedBroker() as broker:
        async with peer(broker) as client:
            await client.publish(TOPIC, "hello")
        reader, writer = await open_socket(broker)
        writer.write(b"nonsense, and more of it")
        await asyncio.wait_for(reader.read(), WAIT_SECONDS)
        writer.close()
    assert [] == [
        record.name for record in caplog.records if record.name.startswith(("amqtt", "transitions"))
    ]


def test_amqtt_is_imported_only_when_a_broker_is_opened() -> None:
    """It takes 0.15 s, which `run` and `send` must not pay."""
    code = "import sys, twilio_notifications.demo.broker; print('amqtt' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "False" == done.stdout.strip()
