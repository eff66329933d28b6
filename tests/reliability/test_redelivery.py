"""The connector executes a redelivered request once, in either way of numbering packets.

Mosquitto repeats a packet under its old identifier, RabbitMQ numbers again on each connection.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, recipient
from tests.support.lossy_line import LossyLine
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.process import Connector, configuration

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.support.rabbitmq import RabbitMq
    from twilio_notifications.simulator.server import Simulator

BROKERS = [
    pytest.param("mosquitto", marks=pytest.mark.mosquitto),
    pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
]


@pytest.fixture(params=BROKERS)
def port(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """Where a broker of each kind listens."""
    if request.param == "rabbitmq":
        rabbitmq: RabbitMq = request.getfixturevalue("rabbitmq")
        yield rabbitmq.port
    else:
        with Mosquitto(tmp_path / "broker") as broker:
            yield broker.port


@pytest.fixture
def prefix() -> str:
    """Topics and a client of its own for each test, because the tests share one RabbitMQ."""
    return f"{uuid.uuid4().hex}/"


def a_connector(folder: Path, url: str, twilio: Simulator, prefix: str) -> Connector:
    transport = {"client_id": f"connector-{prefix[:-1]}", "topic_prefix": prefix}
    settings = configuration(broker_url=url, twilio_url=twilio.base_url, transport=transport)
    return Connector(folder, settings)


async def publish(peer: Peer, prefix: str, requests: Sequence[Request]) -> None:
    for request in requests:
        await peer.publish(prefix + request.topic, request.payload)


async def repeated(connector: Connector, count: int, twilio: Simulator, *, texts: int) -> None:
    """Returns when so many repetitions were recognised, or when there are more texts than there should be."""
    await until(
        lambda: len(connector.events("repeated_publish_ignored")) >= count or len(twilio.ledger) > texts
    )


async def test_three_acknowledged_and_five_whose_acknowledgements_are_lost_are_eight_texts(
    port: int, tmp_path: Path, twilio: Simulator, prefix: str
) -> None:
    requests = [Request(number=number, to=recipient(number)) for number in range(8)]
    last = Request(number=8, to=recipient(8))
    async with LossyLine(port) as line, a_peer(port, prefix) as peer:
        line.passes = 3
        async with a_connector(tmp_path / "connector", line.url, twilio, prefix) as connector:
            await connector.ready()
            await publish(peer, prefix, requests)
            await answered(peer, requests)
            await until(lambda: 5 == line.lost)
            line.passes = None
            await line.cut()
            await repeated(connector, 5, twilio, texts=8)
            await publish(peer, prefix, [last])
            await answered(peer, [last])
            assert 0 == await connector.terminate()
        requests.append(last)
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert 5 == len(connector.events("repeated_publish_ignored"))


async def test_of_equal_requests_each_recorded_one_accounts_for_one_repetition(
    port: int, tmp_path: Path, twilio: Simulator, prefix: str
) -> None:
    """The same bytes eight times are eight requests, also where the broker repeats five of them."""
    request = Request(number=0, to=recipient(0))
    async with LossyLine(port) as line, a_peer(port, prefix) as peer:
        line.passes = 3
        async with a_connector(tmp_path / "connector", line.url, twilio, prefix) as connector:
            await connector.ready()
            await publish(peer, prefix, [request] * 8)
            await peer.collect(8)
            await until(lambda: 5 == line.lost)
            line.passes = None
            await line.cut()
            await repeated(connector, 5, twilio, texts=8)
            await publish(peer, prefix, [request])
            await until(lambda: len(twilio.ledger) > 8)
            assert 0 == await connector.terminate()
    assert 9 == len(twilio.ledger)


async def test_acknowledgements_that_are_lost_at_a_kill_double_nothing(
    port: int, tmp_path: Path, twilio: Simulator, prefix: str
) -> None:
    requests = [Request(number=number, to=recipient(number)) for number in range(8)]
    async with LossyLine(port) as line, a_peer(port, prefix) as peer:
        line.passes = 3
        async with a_connector(tmp_path / "connector", line.url, twilio, prefix) as connector:
            await connector.ready()
            await publish(peer, prefix, requests)
            await answered(peer, requests)
            await until(lambda: 5 == line.lost)
            await connector.kill()
        line.passes = None
        async with a_connector(tmp_path / "connector", line.url, twilio, prefix) as connector:
            await repeated(connector, 5, twilio, texts=8)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])


def a_peer(port: int, prefix: str) -> Peer:
    return Peer(f"mqtt://127.0.0.1:{port}", subscribe=f"{prefix}twilio/message/status", protocol="3.1.1")
