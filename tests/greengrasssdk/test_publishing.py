"""Publishing over a broker: acknowledged, or an error; never twice."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.nucleus import FakeNucleus, Side
from tests.support.process import Program, environment
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.core.errors import NotAcknowledged, NucleusRefused, TransportError
from twilio_notifications.greengrasssdk.outlets import BrokerOutlet
from twilio_notifications.greengrasssdk.outside import Outside

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

PREFIX = "TWILIO_NOTIFICATIONS__TRANSPORT__"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@contextlib.asynccontextmanager
async def outside(**variables: str) -> AsyncIterator[Outside]:
    outside = Outside(variables)
    try:
        yield outside
    finally:
        await outside.close()


def program(source: str, **variables: str) -> Program:
    """A program that has `publish` for a V1 client's, and writes what -X dev finds wrong with it.

    But not asyncio's remark on a callback that took longer than 0.1 s, which is a remark on the machine.
    """
    head = (
        "import logging\n"
        "logging.lastResort.addFilter(lambda record: not record.getMessage().startswith('Executing '))\n"
        "from twilio_notifications import greengrasssdk\npublish = greengrasssdk.client('iot-data').publish\n"
    )
    command = (sys.executable, "-X", "dev", "-c", head + source)
    return Program(command=command, environ=environment(**variables))


def at(broker: Mosquitto | RawBroker) -> dict[str, str]:
    return {f"{PREFIX}URL": broker.url}


@pytest.mark.mosquitto
async def test_text_and_bytes_arrive_as_they_are_with_qos_1(broker: Mosquitto) -> None:
    source = "publish(topic='a/b', payload='grüße')\npublish(topic='a/b', payload=bytes(range(256)))\n"
    async with Peer(broker.url, subscribe="a/#") as peer:
        async with program(source, **at(broker)) as running:
            assert (0, []) == (await running.wait(), running.stderr)
        first, second = await peer.collect(2)
    assert ("grüße".encode(), bytes(range(256))) == (first.payload, second.payload)
    assert [("a/b", 1, False)] * 2 == [(one.topic, one.qos, one.retain) for one in (first, second)]


@pytest.mark.mosquitto
async def test_many_threads_share_one_connection_that_never_subscribes_and_says_goodbye(
    broker: Mosquitto,
) -> None:
    source = """
from concurrent.futures import ThreadPoolExecutor
with ThreadPoolExecutor(8) as pool:
    done = [pool.submit(publish, topic='a', payload=str(number)) for number in range(80)]
for one in done:
    one.result()
"""
    async with Peer(broker.url, subscribe="a") as peer:
        async with program(source, **at(broker)) as running:
            assert (0, []) == (await running.wait(), running.stderr)
        arrived = {int(one.payload) for one in await peer.collect(80)}
    assert set(range(80)) == arrived
    ours = [line for line in broker.log.splitlines() if "twilio-notifications-v1-" in line]
    assert 1 == len([line for line in ours if "New client connected" in line])
    assert [] == [line for line in ours if "SUBSCRIBE" in line]
    assert [] != [line for line in ours if "Received DISCONNECT" in line]


@pytest.mark.mosquitto
async def test_a_forked_process_has_a_connection_of_its_own(broker: Mosquitto) -> None:
    source = """
import os
publish(topic='a', payload='parent')
child = os.fork()
if child == 0:
    publish(topic='a', payload='child')
else:
    os.waitpid(child, 0)
    publish(topic='a', payload='parent again')
"""
    async with Peer(broker.url, subscribe="a") as peer:
        # Without -X dev: newer versions of Python warn of any fork in a process with threads.
        head = "from twilio_notifications import greengrasssdk\n"
        head += "publish = greengrasssdk.client('iot-data').publish\n"
        command = (sys.executable, "-c", head + source)
        async with Program(command=command, environ=environment(**at(broker))) as running:
            assert 0 == await running.wait(), running.output
        assert [b"parent", b"child", b"parent again"] == [one.payload for one in await peer.collect(3)]
    assert 2 == broker.log.count("as twilio-notifications-v1-")


@pytest.mark.mosquitto
async def test_the_prefix_stands_in_front_of_every_topic(broker: Mosquitto) -> None:
    async with Peer(broker.url, subscribe="#") as peer:
        async with outside(**at(broker), **{f"{PREFIX}TOPIC_PREFIX": "site7/"}) as out:
            await out.publish("twilio/txt", b"{}")
        assert "site7/twilio/txt" == (await peer.next_message()).topic


@pytest.mark.mosquitto
async def test_a_file_configures_it_even_one_without_the_connectors_parameters(
    broker: Mosquitto, tmp_path: Path
) -> None:
    config = tmp_path / "twilio-notifications.toml"
    config.write_text(f'[transport]\nurl = "{broker.url}"\ntopic_prefix = "site7/"\n')
    async with Peer(broker.url, subscribe="#") as peer:
        async with outside(TWILIO_NOTIFICATIONS_CONFIG=str(config)) as out:
            await out.publish("a", b"")
        assert "site7/a" == (await peer.next_message()).topic


@pytest.mark.mosquitto
async def test_a_broker_that_is_away_is_an_error_and_the_next_message_finds_it_again(
    broker: Mosquitto,
) -> None:
    async with outside(**at(broker)) as out:
        await out.publish("a", b"1")
        await asyncio.to_thread(broker.stop)
        await until_lost(out)
        with pytest.raises(TransportError, match=f"no connection to {broker.url}: nothing listens there"):
            await out.publish("a", b"2")
        await asyncio.to_thread(broker.start)
        async with Peer(broker.url, subscribe="a") as peer:
            await out.publish("a", b"3")
            assert b"3" == (await peer.next_message()).payload


async def test_what_is_not_acknowledged_is_an_error_and_is_not_sent_again() -> None:
    async def silent(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.hear(Kind.PUBLISH)
        await link.hear_the_end()

    async def working(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        published = await link.hear(Kind.PUBLISH)
        link.say(link.puback(published.packet_id))
        await link.hear_the_end()

    short = {f"{PREFIX}CONNECT_TIMEOUT_SECONDS": "0.5"}
    async with RawBroker(silent, working) as broker, outside(**at(broker), **short) as out:
        with pytest.raises(NotAcknowledged, match="did not acknowledge a message on a within"):
            await out.publish("a", b"first")
        await out.publish("b", b"second")
        published = [
            packet.topic for link in broker.links for packet in link.seen if packet.kind is Kind.PUBLISH
        ]
    assert ["a", "b"] == published


async def test_a_connection_that_ends_before_the_acknowledgement_is_an_error() -> None:
    async def breaking(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.hear(Kind.PUBLISH)
        link.hang_up()

    async with RawBroker(breaking) as broker, outside(**at(broker)) as out:
        with pytest.raises(NotAcknowledged, match=f"{broker.url} did not acknowledge a message on a: "):
            await out.publish("a", b"first")
    assert 1 == len(broker.links)


# Over a nucleus.


@pytest.mark.parametrize(
    ("pubsub", "side"), [("local", Side.LOCAL), ("iot_core", Side.IOT_CORE), ("both", Side.LOCAL)]
)
async def test_a_nucleus_that_started_the_process_is_published_to_on_one_side(
    pubsub: str, side: Side
) -> None:
    with FakeNucleus() as nucleus:
        async with outside(**nucleus.environ, **{f"{PREFIX}PUBSUB": pubsub}) as out:
            await asyncio.gather(out.publish("a", b"1"), out.publish("a", b"2"))
            published = await nucleus.until_published("a", count=2)
            assert [(side, b"1"), (side, b"2")] == [(one.side, one.payload) for one in published]
            assert 1 == nucleus.connections
            await end_of(out)


async def test_a_nucleus_that_refuses_is_an_error_and_one_that_restarted_is_connected_again() -> None:
    policies = {"p": {"operations": ["aws.greengrass#PublishToTopic"], "resources": ["a"]}}
    with FakeNucleus(access_control={"aws.greengrass.ipc.pubsub": policies}) as nucleus:
        async with outside(**nucleus.environ) as out:
            with pytest.raises(NucleusRefused, match="UnauthorizedError"):
                await out.publish("b", b"")
            nucleus.restart(keep_token=True)
            await until_ended(out)
            await out.publish("a", b"")
            assert 2 == nucleus.connections
            await end_of(out)


@pytest.mark.mosquitto
async def test_a_broker_that_is_configured_goes_before_the_nucleus(broker: Mosquitto) -> None:
    with FakeNucleus() as nucleus:
        async with Peer(broker.url, subscribe="a") as peer, outside(**nucleus.environ, **at(broker)) as out:
            await out.publish("a", b"1")
            assert b"1" == (await peer.next_message()).payload
        assert 0 == nucleus.connections


async def until_lost(out: Outside) -> None:
    """Returns when the connection to the broker has ended: before that, the outlet cannot know it."""
    assert isinstance(out._outlet, BrokerOutlet)
    assert out._outlet._session is not None
    await out._outlet._session.ended


async def until_ended(out: Outside) -> None:
    """Returns when the connection that stands has ended."""
    assert out._nucleus is not None
    await out._nucleus._nucleus.ended


async def end_of(out: Outside) -> None:
    """In production the end of the process is that of the connection; a test leaves nothing behind."""
    assert out._nucleus is not None
    await out._nucleus._nucleus.close()
