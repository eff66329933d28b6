"""A broker that refuses the topics of cancellations and acknowledgements still serves requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.test_mqtt_probe import PROTOCOLS, told, with_access
from tests.adapters.transport_steps import CALL_TOPIC, TEXT_TOPIC
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.raw_broker import Kind, Link, RawBroker

if TYPE_CHECKING:
    from pathlib import Path

WISH_TOPICS = ("twilio/cancel", "twilio/acknowledge")


@pytest.mark.mosquitto
@PROTOCOLS
async def test_a_cancellation_arrives_like_a_request(tmp_path: Path, protocol: str) -> None:
    async with (
        Mosquitto(tmp_path) as broker,
        running(broker.url, protocol=protocol, wish_topics=WISH_TOPICS) as found,
        Peer(broker.url) as peer,
    ):
        await found.ready()
        for topic in WISH_TOPICS:
            await peer.publish(topic, b"wish")
            assert topic == (await found.next_inbound()).topic
        assert [] == found.told("wish_topics_refused")


@pytest.mark.mosquitto
@PROTOCOLS
async def test_requests_go_on_where_the_access_list_names_the_published_topics_alone(
    tmp_path: Path, protocol: str
) -> None:
    """Mosquitto grants such a subscription, and delivers nothing on it."""
    rules = [f"topic readwrite {TEXT_TOPIC}", f"topic readwrite {CALL_TOPIC}"]
    async with (
        with_access(tmp_path / "broker", rules) as broker,
        running(broker.url, protocol=protocol, wish_topics=WISH_TOPICS) as found,
        Peer(broker.url) as peer,
    ):
        await found.ready()
        await peer.publish(TEXT_TOPIC, b"request")
        assert TEXT_TOPIC == (await found.next_inbound()).topic
        assert [] == found.told("broker_lost")


@pytest.mark.parametrize(("protocol", "code"), [("5", 0x87), ("3.1.1", 0x80)])
async def test_a_refusal_is_told_once_and_the_connection_stays(protocol: str, code: int) -> None:
    async def refuse(link: Link) -> None:
        await link.accept()
        await link.grant(1, code)

    async with (
        RawBroker(refuse) as broker,
        running(broker.url, protocol=protocol, wish_topics=WISH_TOPICS) as found,
    ):
        await found.ready()
        error = str((await told(found, "wish_topics_refused"))["error"])
        assert "twilio/acknowledge" in error
        assert "twilio/cancel (" not in error
        assert "Requests are carried out all the same" in error
        assert [] == found.told("broker_lost")
        broker.links[0].hang_up()
        await found.ready()
        assert 1 == len(found.told("wish_topics_refused"))


@PROTOCOLS
async def test_a_broker_that_ends_the_connection_over_them_is_asked_twice_and_then_never(
    protocol: str,
) -> None:
    """As AWS IoT Core does over a topic that its policy does not allow."""

    async def end_over_the_topics(link: Link) -> None:
        await link.accept()
        await link.hear(Kind.SUBSCRIBE)
        link.hang_up()

    async def let_in(link: Link) -> None:
        await link.accept()

    async with (
        RawBroker(end_over_the_topics, end_over_the_topics, let_in) as broker,
        running(broker.url, protocol=protocol, wish_topics=WISH_TOPICS) as found,
    ):
        await found.ready()
        assert 3 == len(broker.links)
        (fields,) = found.told("wish_topics_refused")
        assert "twilio/cancel and twilio/acknowledge" in str(fields["error"])
    assert [Kind.CONNECT, Kind.SUBSCRIBE, Kind.DISCONNECT] == [packet.kind for packet in broker.links[2].seen]


async def test_one_end_may_be_the_networks_fault() -> None:
    async def end_once(link: Link) -> None:
        await link.accept()
        await link.hear(Kind.SUBSCRIBE)
        link.hang_up()

    async def let_in(link: Link) -> None:
        await link.accept()
        await link.grant()

    async with (
        RawBroker(end_once, let_in) as broker,
        running(broker.url, protocol="5", wish_topics=WISH_TOPICS) as found,
    ):
        await found.ready()
        assert 2 == len(broker.links)
        assert [] == found.told("wish_topics_refused")


async def test_they_are_told_again_when_they_are_refused_after_they_were_granted() -> None:
    async def refuse(link: Link) -> None:
        await link.accept()
        await link.grant(0x87, 0x87)

    async def grant(link: Link) -> None:
        await link.accept()
        await link.grant()

    async with (
        RawBroker(refuse, grant, refuse) as broker,
        running(broker.url, protocol="5", wish_topics=WISH_TOPICS) as found,
    ):
        for link in range(2):
            await found.ready()
            broker.links[link].hang_up()
        await found.ready()
        assert 2 == len(found.told("wish_topics_refused"))
