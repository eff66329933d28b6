"""Whatever a broker may deliver goes one way: with its mark, and acknowledged when it is recorded."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.transport_steps import STATUS_TOPIC, TEXT_TOPIC
from tests.support.earlier_client import leave_session
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, RawBroker

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Literal

    from tests.support.rabbitmq import RabbitMq

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
LATIN_1 = b"\x09\x26\0\4caf\xe9\0\0"
"""A user property that is not UTF-8, with its length in front."""


def answers(link: Link) -> list[tuple[Kind, int]]:
    """What the broker heard about its messages, in order."""
    about = {Kind.PUBACK, Kind.PUBREC, Kind.PUBCOMP}
    return [(packet.kind, packet.packet_id) for packet in link.seen if packet.kind in about]


@PROTOCOLS
async def test_a_message_of_qos_2_is_answered_when_it_is_recorded(protocol: str) -> None:
    heard = asyncio.Queue[Kind]()

    async def deliver(link: Link) -> None:
        await link.accept()
        link.say(link.publish(TEXT_TOPIC, b"one", packet_id=7, qos=2))
        heard.put_nowait((await link.hear_any()).kind)
        link.say(link.publish(TEXT_TOPIC, b"one", packet_id=7, qos=2, dup=True), link.pubrel(7))
        for _ in range(2):
            heard.put_nowait((await link.hear_any()).kind)

    async with RawBroker(deliver) as broker, running(broker.url, protocol=protocol) as found:
        inbound = await found.next_inbound()
        assert (b"one", 7, False) == (inbound.payload, inbound.packet_id, inbound.redelivered)
        assert heard.empty()
        inbound.acknowledge()
        answered = [await asyncio.wait_for(heard.get(), WAIT_SECONDS) for _ in range(3)]
        assert [Kind.PUBREC, Kind.PUBREC, Kind.PUBCOMP] == answered
        assert found.inbound.empty(), "it came up once"


@PROTOCOLS
async def test_answers_leave_in_the_order_of_arrival_whatever_the_qos(protocol: str) -> None:
    async def deliver(link: Link) -> None:
        await link.accept()
        for number, qos in enumerate((1, 2, 1, 2), start=1):
            link.say(link.publish(TEXT_TOPIC, b"x", packet_id=number, qos=qos))
        for _ in range(3):
            await link.hear_any()
        everything.set()

    everything = asyncio.Event()
    async with RawBroker(deliver) as broker, running(broker.url, protocol=protocol) as found:
        inbounds = [await found.next_inbound() for _ in range(4)]
        for index in (3, 1, 0):
            inbounds[index].acknowledge()
        inbounds[2].release()  # the broker keeps it, and the others do not wait for it
        await asyncio.wait_for(everything.wait(), WAIT_SECONDS)
        assert [(Kind.PUBACK, 1), (Kind.PUBREC, 2), (Kind.PUBREC, 4)] == answers(broker.links[0])


@pytest.mark.mosquitto
@PROTOCOLS
async def test_what_an_old_session_holds_with_qos_2_comes_once(
    tmp_path: Path, protocol: Literal["5", "3.1.1"]
) -> None:
    async with Mosquitto(tmp_path) as broker, Peer(broker.url) as peer:
        await leave_session(broker.url, "connector", [TEXT_TOPIC], qos=2, protocol=protocol)
        await peer.publish(TEXT_TOPIC, b"kept", qos=2)
        async with running(broker.url, protocol=protocol) as found:
            first = await found.next_inbound()
            assert (b"kept", False) == (first.payload, first.redelivered)
        async with running(broker.url, protocol=protocol) as found:
            again = await found.next_inbound()
            await found.ready()
            assert (b"kept", first.packet_id, True) == (again.payload, again.packet_id, again.redelivered)
            again.acknowledge()
            # What was published after the acknowledgement proves that the broker has had it.
            await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"{}"), WAIT_SECONDS)
        async with running(broker.url, protocol=protocol) as found:
            await found.ready()
            await peer.publish(TEXT_TOPIC, b"new")
            assert b"new" == (await found.next_inbound()).payload


async def test_a_message_whose_properties_cannot_be_read_is_executed_and_acknowledged() -> None:
    async def deliver(link: Link) -> None:
        await link.accept()
        link.say(link.publish(TEXT_TOPIC, b"one", packet_id=1, properties=LATIN_1))
        link.say(link.publish(TEXT_TOPIC, b"two", packet_id=2))
        assert [1, 2] == [(await link.hear(Kind.PUBACK)).packet_id for _ in range(2)]
        everything.set()

    everything = asyncio.Event()
    async with RawBroker(deliver) as broker, running(broker.url, protocol="5") as found:
        for payload in (b"one", b"two"):
            inbound = await found.next_inbound()
            assert payload == inbound.payload
            inbound.acknowledge()
        await asyncio.wait_for(everything.wait(), WAIT_SECONDS)


async def test_what_cannot_be_read_at_all_ends_the_connection_with_a_reason_and_a_line() -> None:
    goodbye: list[bytes] = []

    async def deliver_nonsense(link: Link) -> None:
        await link.accept()
        link.say(bytes((0x32, 2, 0, 9)))
        goodbye.append((await link.hear(Kind.DISCONNECT)).body)

    async def let_in(link: Link) -> None:
        await link.accept()

    async with RawBroker(deliver_nonsense, let_in) as broker, running(broker.url, protocol="5") as found:
        await found.ready()
        await found.ready()
        assert [b"\x81"] == goodbye
        (lost,) = found.told("broker_lost")
        assert "the topic of a PUBLISH is longer than its packet" in str(lost["error"])


async def test_a_connack_whose_reason_cannot_be_read_is_understood() -> None:
    async def refuse(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0x87, properties=b"\x1f\0\5caf\xe9\x1b"))

    async def let_in(link: Link) -> None:
        await link.accept()

    async with RawBroker(refuse, let_in) as broker, running(broker.url, protocol="5") as found:
        await found.ready()
        (complaint,) = found.told("broker_unreachable")
        assert "not authorized (code 135); it says 'caf" in str(complaint["error"])
        assert "\x1b" not in str(complaint["error"])


@pytest.mark.rabbitmq
async def test_with_rabbitmq_requests_come_and_statuses_go(rabbitmq: RabbitMq) -> None:
    own: dict[str, Any] = {"client_id": "delivery", "topic_prefix": "delivery/"}
    async with Peer(rabbitmq.url, subscribe="answers", protocol="3.1.1") as peer:
        async with running(rabbitmq.url, **own) as found:
            await found.ready()
            assert "MQTT 3.1.1" == found.told("broker_connected")[0]["protocol"]
            await asyncio.wait_for(found.transport.publish("answers", b"status"), WAIT_SECONDS)
            assert b"status" == (await peer.next_message()).payload
            for number in range(3):
                await peer.publish("delivery/twilio/txt", b"%d" % number)
            inbounds = [await found.next_inbound() for _ in range(3)]
            assert [b"0", b"1", b"2"] == [inbound.payload for inbound in inbounds]
            inbounds[0].acknowledge()
            await asyncio.wait_for(found.transport.publish("answers", b"{}"), WAIT_SECONDS)
        async with running(rabbitmq.url, **own) as found:
            await found.ready()
            again = [await found.next_inbound() for _ in range(2)]
            assert [(b"1", True), (b"2", True)] == [(each.payload, each.redelivered) for each in again]
            for inbound in again:
                inbound.acknowledge()
