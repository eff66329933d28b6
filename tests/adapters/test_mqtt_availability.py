"""Whether the connector is connected stands at the broker, retained: also when it is gone without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.test_mqtt_probe import PROTOCOLS, told
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_packets import properties
from tests.support.mqtt_peer import Peer
from tests.support.raw_broker import Kind, Link, RawBroker

if TYPE_CHECKING:
    from pathlib import Path

TOPIC = "twilio/connector/availability"
SETTING: dict[str, Any] = {"availability_topic": TOPIC}


@pytest.mark.mosquitto
@PROTOCOLS
async def test_it_is_online_while_connected_and_offline_after_a_stop(tmp_path: Path, protocol: str) -> None:
    async with Mosquitto(tmp_path) as broker:
        async with running(broker.url, protocol=protocol, **SETTING) as found:
            await found.ready()
            async with Peer(broker.url, subscribe=TOPIC) as late:
                message = await late.next_message()
                assert (b"online", True) == (message.payload, message.retain)
        async with Peer(broker.url, subscribe=TOPIC) as later:
            message = await later.next_message()
            assert (b"offline", True) == (message.payload, message.retain)


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_connection_that_is_lost_leaves_its_will_and_the_next_one_takes_it_back(
    tmp_path: Path, protocol: str
) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        running(broker.url, protocol=protocol, **SETTING) as found,
        Peer(broker.url, subscribe=TOPIC) as watcher,
    ):
        await found.ready()
        session = found.transport._session
        assert session is not None
        assert session._connection._transport is not None
        session._connection._transport.abort()
        await found.ready()
        said = [message.payload for message in await watcher.collect(3)]
    assert [b"online", b"offline", b"online"] == said


@pytest.mark.mosquitto
async def test_the_prefix_of_the_topics_stands_before_it(tmp_path: Path) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        running(broker.url, topic_prefix="site7/", **SETTING) as found,
        Peer(broker.url, subscribe=f"site7/{TOPIC}") as watcher,
    ):
        await found.ready()
        assert b"online" == (await watcher.next_message()).payload


async def test_without_the_setting_nothing_is_published_and_there_is_no_will() -> None:
    async with RawBroker(admit) as broker, running(broker.url) as found:
        await found.ready()
        (link,) = broker.links
        assert not link.seen[0].body[7] & 0x04
        assert [] == [packet for packet in link.seen if packet.kind is Kind.PUBLISH]


async def admit(link: Link) -> None:
    await link.accept()


async def test_a_broker_without_retained_messages_is_told_once() -> None:
    async def admit_without(link: Link) -> None:
        await link.accept(properties=properties(Kind.CONNACK, RetainAvailable=0)[1:])

    async with RawBroker(admit_without) as broker, running(broker.url, **SETTING) as found:
        await found.ready()
        fields = await told(found, "availability_refused")
        assert "the broker keeps no retained messages" in str(fields["error"])
        broker.links[0].hang_up()
        await found.ready()
        assert 1 == len(found.told("availability_refused"))


async def test_a_broker_that_ends_the_connection_over_it_gets_it_three_times_and_then_never() -> None:
    async def end(link: Link) -> None:
        await link.accept()
        await link.hear(Kind.PUBLISH)
        link.hang_up()

    async with RawBroker(end, end, end, admit) as broker:
        async with running(broker.url, **SETTING) as found:
            fields = await told(found, "availability_refused")
            assert "3 connections in a row ended over it" in str(fields["error"])
            link = await broker.link(4)
            for _ in range(4):
                await found.ready()
        await link.ended.wait()
    assert [] == [packet for packet in link.seen if packet.kind is Kind.PUBLISH]
