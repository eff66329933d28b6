"""The broker and the peer that other tests rely on: what these promise, shown on a real Mosquitto."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
from typing import TYPE_CHECKING, Literal

import pytest
from gmqtt.mqtt.handler import MQTTConnectError

from tests.support.certificates import make_certificates
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.mosquitto

TOPIC = "twilio/txt"


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_what_one_peer_publishes_another_receives(
    broker: Mosquitto, protocol: Literal["5", "3.1.1"]
) -> None:
    async with Peer(broker.url, subscribe=TOPIC, protocol=protocol) as listener, Peer(broker.url) as speaker:
        await speaker.publish(TOPIC, '{"id": "one"}')
        await speaker.publish(TOPIC, b'{"id": "two"}', qos=0)
        first, second = await listener.collect(2)
        assert (TOPIC, b'{"id": "one"}', 1) == (first.topic, first.payload, first.qos)
        assert (False, False, 0) == (first.retain, first.dup, second.qos)
        assert [{"id": "one"}, {"id": "two"}] == listener.statuses


async def test_a_message_that_was_waited_for_is_not_returned_again(broker: Mosquitto) -> None:
    async with Peer(broker.url, subscribe=TOPIC) as peer:
        await peer.publish(TOPIC, "one")
        await peer.publish(TOPIC, "two")
        assert b"one" == (await peer.next_message()).payload
        assert [b"two"] == [message.payload for message in await peer.collect(1)]
        assert [b"one", b"two"] == [message.payload for message in peer.received]


async def test_a_retained_message_meets_later_subscribers(broker: Mosquitto) -> None:
    async with Peer(broker.url) as speaker:
        await speaker.publish(TOPIC, "kept", retain=True)
    async with Peer(broker.url, subscribe=TOPIC) as listener:
        assert (await listener.next_message()).retain


async def test_waiting_in_vain_says_what_was_missing(broker: Mosquitto) -> None:
    async with Peer(broker.url, subscribe=TOPIC) as peer:
        with pytest.raises(AssertionError, match="no message within"):
            await peer.next_message(timeout=0.01)
        with pytest.raises(AssertionError, match="0 of 3 messages"):
            await peer.collect(3, timeout=0.01)


async def test_a_publish_fails_when_its_acknowledgement_cannot_come(broker: Mosquitto) -> None:
    async with Peer(broker.url) as peer:
        broker.kill()
        with pytest.raises(ConnectionError):
            await peer.publish(TOPIC, "lost")


async def test_a_peer_leaves_no_task_behind(broker: Mosquitto) -> None:
    before = asyncio.all_tasks()
    async with Peer(broker.url, subscribe=TOPIC) as peer:
        await peer.publish(TOPIC, "one")
    assert before == asyncio.all_tasks()


async def test_a_peer_that_lost_its_broker_does_not_try_again(broker: Mosquitto) -> None:
    async with Peer(broker.url) as peer:
        broker.kill()
        with pytest.raises(ConnectionError):
            await peer.publish(TOPIC, "lost")
    assert {asyncio.current_task()} == asyncio.all_tasks()


async def test_a_peer_that_cannot_connect_leaves_no_task_behind(broker: Mosquitto) -> None:
    before = asyncio.all_tasks()
    broker.stop()
    with pytest.raises(OSError, match="onnect"):
        await Peer(broker.url).__aenter__()
    assert before == asyncio.all_tasks()


async def test_a_restarted_broker_keeps_its_address(broker: Mosquitto) -> None:
    address = broker.url
    broker.restart()
    broker.kill()
    assert not broker.running
    broker.start()
    assert address == broker.url
    async with Peer(broker.url, subscribe=TOPIC) as peer:
        await peer.publish(TOPIC, "still here")
        await peer.next_message()


def test_nobody_listens_while_the_broker_is_down(broker: Mosquitto) -> None:
    """The seat that keeps the port must look to clients like a closed port."""
    broker.stop()
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(asyncio.open_connection("127.0.0.1", broker.port))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the port is only remembered")
def test_nobody_else_gets_the_port_while_the_broker_is_down(broker: Mosquitto) -> None:
    broker.stop()
    with socket.socket() as intruder, pytest.raises(OSError, match="in use"):
        intruder.bind(("127.0.0.1", broker.port))


@pytest.mark.parametrize("persistence", [True, False])
async def test_retained_messages_survive_a_kill_with_persistence_only(
    tmp_path: Path, *, persistence: bool
) -> None:
    async with Mosquitto(tmp_path, persistence=persistence) as broker:
        async with Peer(broker.url) as speaker:
            await speaker.publish(TOPIC, "kept", retain=True)
        broker.kill()
        broker.start()
        async with Peer(broker.url) as speaker, Peer(broker.url, subscribe="#") as listener:
            await speaker.publish("after", "the restart")
            topics = [(await listener.next_message()).topic]
            if persistence:
                topics.append((await listener.next_message()).topic)
        assert ({TOPIC, "after"} if persistence else {"after"}) == set(topics)


async def test_without_the_right_password_nobody_gets_in(tmp_path: Path) -> None:
    with Mosquitto(tmp_path, users={"sensor": "s3cret/@:"}) as broker:
        async with Peer(broker.url_as("sensor"), subscribe=TOPIC) as peer:
            await peer.publish(TOPIC, "one")
            await peer.next_message()
        with pytest.raises(MQTTConnectError):
            await Peer(broker.url).__aenter__()


async def test_certificates_make_the_broker_speak_tls(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    with Mosquitto(tmp_path, certificates=certificates) as broker:
        assert broker.url.startswith("mqtts://")
        async with Peer(broker.url, subscribe=TOPIC, context=certificates.client_context()) as peer:
            await peer.publish(TOPIC, "one")
            await peer.next_message()
        with pytest.raises(ssl.SSLCertVerificationError):
            await Peer(broker.url, context=ssl.create_default_context()).__aenter__()


async def test_a_broker_may_require_the_clients_certificate(tmp_path: Path) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    with Mosquitto(tmp_path, certificates=certificates, require_client_certificate=True) as broker:
        context = certificates.client_context(with_certificate=True)
        async with Peer(broker.url, subscribe=TOPIC, context=context) as peer:
            await peer.publish(TOPIC, "one")
            await peer.next_message()
        with pytest.raises(ConnectionError):
            await Peer(broker.url, context=certificates.client_context()).__aenter__()


async def test_further_settings_reach_the_broker(tmp_path: Path) -> None:
    settings = ["message_size_limit 3"]
    with Mosquitto(tmp_path, max_inflight_messages=1, settings=settings) as broker:
        async with Peer(broker.url, subscribe=TOPIC) as peer:
            await peer.publish(TOPIC, "one")
            assert b"one" == (await peer.next_message()).payload
        configuration = (tmp_path / "mosquitto.conf").read_text().splitlines()
    assert {"max_inflight_messages 1", *settings} <= set(configuration)


def test_a_broker_that_cannot_start_says_why(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="no_such_setting"),
        Mosquitto(tmp_path, settings=["no_such_setting 1"]),
    ):
        pass


def test_leaving_the_broker_ends_its_process_only(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "one") as one, Mosquitto(tmp_path / "two") as two:
        one.stop()
        assert (False, True) == (one.running, two.running)
    assert not two.running
