"""The MQTT adapter on brokers that others wrote: Mosquitto, and the embedded one of the demo."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.transport_steps import STATUS_TOPIC, TEXT_TOPIC
from tests.support.certificates import make_certificates
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.demo.broker import EmbeddedBroker

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

LARGEST = 128 * 1024


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


BROKERS = pytest.mark.parametrize(
    ("kind", "protocol", "spoken"),
    [
        pytest.param("mosquitto", "5", "MQTT 5", marks=pytest.mark.mosquitto),
        pytest.param("mosquitto", "3.1.1", "MQTT 3.1.1", marks=pytest.mark.mosquitto),
        pytest.param("mosquitto", "auto", "MQTT 5", marks=pytest.mark.mosquitto),
        pytest.param("embedded", "3.1.1", "MQTT 3.1.1"),
        pytest.param("embedded", "auto", "MQTT 3.1.1"),
    ],
)


@asynccontextmanager
async def a_broker(kind: str, folder: Path) -> AsyncIterator[str]:
    if kind == "mosquitto":
        async with Mosquitto(folder) as mosquitto:
            yield mosquitto.url
    else:
        async with EmbeddedBroker() as embedded:
            yield embedded.url


@BROKERS
async def test_a_request_comes_in_and_a_status_goes_out(
    tmp_path: Path, kind: str, protocol: str, spoken: str
) -> None:
    async with a_broker(kind, tmp_path) as url, running(url, protocol=protocol) as found:
        await found.ready()
        assert spoken == found.told("broker_connected")[0]["protocol"]
        async with Peer(url, protocol="3.1.1") as peer:
            await peer.publish(TEXT_TOPIC, b'{"id": "one"}')
            inbound = await found.next_inbound()
            inbound.acknowledge()
            assert (TEXT_TOPIC, b'{"id": "one"}') == (inbound.topic, inbound.payload)
            assert (False, False) == (inbound.retained, inbound.redelivered)
            await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b'{"status": 1}'), WAIT_SECONDS)
            status = await peer.next_message()
            assert (b'{"status": 1}', 1, False) == (status.payload, status.qos, status.retain)


@BROKERS
async def test_large_messages_pass_both_ways(tmp_path: Path, kind: str, protocol: str, spoken: str) -> None:
    payload = bytes(range(256)) * (LARGEST // 256)
    async with (
        a_broker(kind, tmp_path) as url,
        running(url, protocol=protocol) as found,
        Peer(url, protocol="3.1.1") as peer,
    ):
        await found.ready()
        await peer.publish(TEXT_TOPIC, payload)
        inbound = await found.next_inbound()
        inbound.acknowledge()
        assert payload == inbound.payload
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, payload), WAIT_SECONDS)
        assert payload == (await peer.next_message()).payload


@pytest.mark.mosquitto
async def test_large_messages_pass_both_ways_through_tls(tmp_path: Path) -> None:
    """They come in many records, of which several are read at once."""
    certificates = make_certificates(tmp_path / "certificates")
    payload = bytes(range(256)) * (LARGEST // 256)
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates) as broker,
        running(broker.url, ca_file=certificates.ca_file) as found,
        Peer(broker.url, context=certificates.client_context()) as peer,
    ):
        await found.ready()
        for _ in range(5):
            await peer.publish(TEXT_TOPIC, payload)
        for _ in range(5):
            inbound = await found.next_inbound()
            inbound.acknowledge()
            assert payload == inbound.payload
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, payload), WAIT_SECONDS)
        assert payload == (await peer.next_message()).payload


@BROKERS
async def test_many_statuses_at_once_arrive_in_their_order(
    tmp_path: Path, kind: str, protocol: str, spoken: str
) -> None:
    payloads = [b"%d" % number for number in range(256)]
    async with (
        a_broker(kind, tmp_path) as url,
        running(url, protocol=protocol) as found,
        Peer(url, protocol="3.1.1") as peer,
    ):
        await found.ready()
        published = [found.transport.publish(STATUS_TOPIC, payload) for payload in payloads]
        await asyncio.wait_for(asyncio.gather(*published), WAIT_SECONDS)
        assert payloads == [message.payload for message in await peer.collect(len(payloads))]


@pytest.mark.mosquitto
async def test_a_broker_that_takes_one_message_at_a_time_gets_one_at_a_time(tmp_path: Path) -> None:
    """Its receive maximum is 1, and it ends the connection of who sends two."""
    async with Mosquitto(tmp_path, max_inflight_messages=1) as broker, running(broker.url) as found:
        await found.ready()
        published = [found.transport.publish(STATUS_TOPIC, b"%d" % number) for number in range(50)]
        await asyncio.wait_for(asyncio.gather(*published), WAIT_SECONDS)
        assert [] == found.told("broker_lost")


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_was_not_acknowledged_comes_again_with_its_mark(broker: Mosquitto, protocol: str) -> None:
    """The same packet identifier, and DUP: by these the intake knows it again (contract, section 5)."""
    async with Peer(broker.url) as peer:
        async with running(broker.url, protocol=protocol) as found:
            await found.ready()
            await peer.publish(TEXT_TOPIC, b"acknowledged")
            await peer.publish(TEXT_TOPIC, b"not acknowledged")
            (await found.next_inbound()).acknowledge()
            first = await found.next_inbound()
            # What was published after the acknowledgement proves that the broker has had it.
            await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"{}"), WAIT_SECONDS)
        async with running(broker.url, protocol=protocol) as found:
            again = await found.next_inbound()
            assert b"not acknowledged" == again.payload == first.payload
            assert (first.packet_id, False, True) == (again.packet_id, first.redelivered, again.redelivered)


@pytest.mark.mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
async def test_the_broker_keeps_what_comes_while_we_are_away_as_long_as_it_is_told(
    broker: Mosquitto, protocol: str, *, kept: bool
) -> None:
    settings: dict[str, Any] = {"protocol": protocol, "session_expiry_seconds": 3600 if kept else 0}
    async with Peer(broker.url) as peer:
        async with running(broker.url, **settings) as found:
            await found.ready()
        await peer.publish(TEXT_TOPIC, b"while away")
        async with running(broker.url, **settings) as found:
            await found.ready()
            await peer.publish(TEXT_TOPIC, b"after return")
            first = await found.next_inbound()
            assert (b"while away" if kept else b"after return") == first.payload


@pytest.mark.mosquitto
async def test_names_outside_ascii_reach_the_broker_whole(tmp_path: Path) -> None:
    async with (
        Mosquitto(tmp_path, users={"Jörg": "pässwörd: / @"}) as broker,
        running(broker.url_as("Jörg"), client_id="küche-🔔") as found,
    ):
        await found.ready()
        await asyncio.wait_for(found.transport.publish("Küche/7/status", b"{}"), WAIT_SECONDS)
