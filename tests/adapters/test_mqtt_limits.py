"""What a broker grants is known and kept: the size of packets, the QoS, the time for an acknowledgement."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.transport_steps import STATUS_TOPIC, TEXT_TOPIC
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_packets import properties
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, Packet, RawBroker
from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    from pathlib import Path

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
SOON = 0.2
"""Seconds within which a broker of these tests would have to acknowledge."""


async def failure_of(published: asyncio.Future[None]) -> NotAcknowledged:
    with pytest.raises(NotAcknowledged) as caught:
        await asyncio.wait_for(published, WAIT_SECONDS)
    return caught.value


# The size of packets


async def test_a_status_that_is_too_large_for_the_broker_is_refused_at_once() -> None:
    async def take_small(link: Link) -> None:
        await link.accept(properties=properties(Kind.CONNACK, MaximumPacketSize=1_000)[1:])
        link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id))

    async with RawBroker(take_small) as broker, running(broker.url, protocol="5") as found:
        await found.ready()
        failure = await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * 1_000))
        assert failure.refused
        assert failure.largest is not None
        largest = found.transport.publish(STATUS_TOPIC, b"x" * failure.largest)
        await asyncio.wait_for(largest, WAIT_SECONDS)
        (publish,) = (packet for packet in broker.links[0].seen if packet.kind is Kind.PUBLISH)
        assert 1_000 == 1 + 2 + len(publish.body), "first byte, length, the rest"
        assert (await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * (failure.largest + 1)))).refused


@pytest.mark.mosquitto
async def test_a_status_too_large_for_a_real_broker_does_not_end_the_connection(tmp_path: Path) -> None:
    async with (
        Mosquitto(tmp_path, settings=["max_packet_size 10000"]) as broker,
        running(broker.url, protocol="5") as found,
        Peer(broker.url) as peer,
    ):
        await found.ready()
        failure = await failure_of(found.transport.publish(STATUS_TOPIC, b"x" * 20_000))
        assert failure.largest is not None
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"y" * failure.largest), WAIT_SECONDS)
        assert b"y" * failure.largest == (await peer.next_message()).payload
        assert [] == found.told("broker_lost")


# QoS


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_broker_without_qos_1_is_told_and_works_as_well_as_it_can(
    tmp_path: Path, protocol: str
) -> None:
    async with (
        Mosquitto(tmp_path, settings=["max_qos 0"]) as broker,
        running(broker.url, protocol=protocol) as found,
        Peer(broker.url) as peer,
    ):
        await found.ready()
        first = found.transport.publish(STATUS_TOPIC, b"first")
        if protocol == "3.1.1":  # there the broker cannot say it before it ends the connection
            assert not (await failure_of(first)).refused
            await found.ready()
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"second"), WAIT_SECONDS)
        while (await peer.next_message()).payload != b"second":
            pass
        await peer.publish(TEXT_TOPIC, b"request", qos=0)
        assert b"request" == (await found.next_inbound()).payload
        told = [str(event["error"]) for event in found.told("broker_grants_less")]
        assert 2 == len(told)
        assert all("allow QoS 1 at the broker" in sentence for sentence in told)
        assert (0 if protocol == "5" else 1) == len(found.told("broker_lost"))


async def test_a_subscription_that_is_granted_qos_0_alone_is_told() -> None:
    async def grant_less(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0))
        await link.grant(1, 0)

    async with RawBroker(grant_less) as broker, running(broker.url) as found:
        await found.ready()
        (told,) = found.told("broker_grants_less")
        assert "requests only with QoS 0" in str(told["error"])


# The time for an acknowledgement


@PROTOCOLS
async def test_a_message_that_is_never_acknowledged_ends_the_connection(protocol: str) -> None:
    async def swallow(link: Link) -> None:
        await link.accept()
        await link.hear_the_end()

    async def acknowledge(link: Link) -> None:
        await link.accept()
        link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id))

    async with (
        RawBroker(swallow, acknowledge) as broker,
        running(broker.url, protocol=protocol, acknowledge_seconds=SOON) as found,
    ):
        await found.ready()
        failure = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
        assert not failure.refused
        await found.ready()
        (lost,) = found.told("broker_lost")
        assert "acknowledge_seconds" in str(lost["error"])
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"{}"), WAIT_SECONDS)


async def test_a_message_that_was_overtaken_ends_the_connection_although_others_are_acknowledged() -> None:
    async def drop_the_first(link: Link) -> None:
        await link.accept()
        await link.hear(Kind.PUBLISH)
        while True:
            link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id))

    async with (
        RawBroker(drop_the_first) as broker,
        running(broker.url, acknowledge_seconds=SOON) as found,
    ):
        await found.ready()
        dropped = found.transport.publish(STATUS_TOPIC, b"dropped")
        while not dropped.done():
            await asyncio.wait({found.transport.publish(STATUS_TOPIC, b"later")})
        assert not (await failure_of(dropped)).refused


async def test_a_slow_link_that_acknowledges_one_by_one_is_left_in_peace() -> None:
    count = 8

    async def acknowledge_slowly(link: Link) -> None:
        await link.accept(properties=properties(Kind.CONNACK, ReceiveMaximum=count)[1:])
        heard: list[Packet] = [await link.hear(Kind.PUBLISH) for _ in range(count)]
        for packet in heard:
            await asyncio.sleep(SOON / 2)  # so slow is this link
            link.say(link.puback(packet.packet_id))

    async with (
        RawBroker(acknowledge_slowly) as broker,
        running(broker.url, acknowledge_seconds=4 * SOON) as found,
    ):
        await found.ready()
        published = [found.transport.publish(STATUS_TOPIC, b"%d" % number) for number in range(count)]
        await asyncio.wait_for(asyncio.gather(*published), WAIT_SECONDS)


async def test_acknowledgements_that_we_do_not_read_are_not_missed() -> None:
    """While requests wait for the disk the connection is not read, for as long as that takes."""

    async def flood_and_acknowledge(link: Link) -> None:
        await link.accept()
        publish = await link.hear(Kind.PUBLISH)
        link.say(*(link.publish(TEXT_TOPIC, b"%d" % number, packet_id=number) for number in range(1, 4)))
        link.say(link.puback(publish.packet_id))

    async with (
        RawBroker(flood_and_acknowledge) as broker,
        running(broker.url, acknowledge_seconds=SOON, receive_maximum=1) as found,
    ):
        await found.ready()
        published = found.transport.publish(STATUS_TOPIC, b"{}")
        inbounds = [await found.next_inbound() for _ in range(2)]
        await asyncio.wait({published}, timeout=4 * SOON)  # there is no event for what does not happen
        assert not published.done()
        for inbound in inbounds:
            inbound.acknowledge()
        (await found.next_inbound()).acknowledge()
        await asyncio.wait_for(published, WAIT_SECONDS)
        assert [] == found.told("broker_lost")
