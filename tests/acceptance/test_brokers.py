"""Brokers that are late, gone, restarted, locked or encrypted: the connector waits, and says what to do."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_SUCCESS, TEXT_TOPIC, MakeConnector, text, until
from tests.support.certificates import Certificates, make_certificates
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.process import Connector, Section
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def certificates(tmp_path: Path) -> Certificates:
    return make_certificates(tmp_path / "certificates")


async def tries(broker: Mosquitto, count: int) -> None:
    """Returns after the broker has refused or seen so many connections; its log tells."""
    seen = broker.log.count("New connection from")
    await until(lambda: broker.log.count("New connection from") >= seen + count)


def only_complaint(connector: Connector) -> str:
    (complaint,) = connector.events("broker_unreachable")
    return str(complaint["error"])


# TLS


def trusting(certificates: Certificates) -> Section:
    return {"ca_file": str(certificates.ca_file)}


def own(certificates: Certificates) -> Section:
    """With which the connector identifies itself."""
    return {
        "certificate_file": str(certificates.client_certificate_file),
        "key_file": str(certificates.client_key_file),
    }


async def test_tls_with_an_authority_of_ones_own(
    tmp_path: Path, certificates: Certificates, make_connector: MakeConnector
) -> None:
    context = certificates.client_context()
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates) as broker,
        make_connector(broker.url, transport=trusting(certificates)) as connector,
        Peer(broker.url, context=context) as peer,
    ):
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        assert TEXT_SUCCESS == (await peer.next_message()).payload


async def test_a_broker_with_a_certificate_of_a_stranger_is_refused_in_one_line(
    tmp_path: Path, certificates: Certificates, make_connector: MakeConnector
) -> None:
    """And nothing falls back to a connection without TLS."""
    stranger = make_certificates(tmp_path / "stranger")
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates) as broker,
        make_connector(broker.url, transport=trusting(stranger)) as connector,
    ):
        await connector.wait_for_event("broker_unreachable")
        await tries(broker, 4)
        assert "certificate" in only_complaint(connector)
        assert "[transport] ca_file" in only_complaint(connector)
        assert "New client connected" not in broker.log
        assert 0 == await connector.terminate()


async def test_a_broker_that_asks_for_a_certificate_gets_ours(
    tmp_path: Path, certificates: Certificates, make_connector: MakeConnector
) -> None:
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates, require_client_certificate=True) as broker,
        make_connector(broker.url, transport=trusting(certificates) | own(certificates)) as connector,
    ):
        await connector.ready()
        assert 0 == await connector.terminate()


async def test_a_missing_client_certificate_is_named(
    tmp_path: Path, certificates: Certificates, make_connector: MakeConnector
) -> None:
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates, require_client_certificate=True) as broker,
        make_connector(broker.url, transport=trusting(certificates)) as connector,
    ):
        await connector.wait_for_event("broker_unreachable")
        await tries(broker, 4)
        assert "certificate" in only_complaint(connector)
        assert 0 == await connector.terminate()


async def test_a_broker_whose_certificate_has_expired_is_refused_and_it_is_said(
    tmp_path: Path, make_connector: MakeConnector
) -> None:
    expired = make_certificates(tmp_path / "expired", expired=True)
    async with (
        Mosquitto(tmp_path / "broker", certificates=expired) as broker,
        make_connector(broker.url, transport=trusting(expired)) as connector,
    ):
        await connector.wait_for_event("broker_unreachable")
        await tries(broker, 4)
        assert "the broker's certificate is not accepted: certificate has expired" in only_complaint(
            connector
        )
        assert "New client connected" not in broker.log
        assert 0 == await connector.terminate()


async def test_an_own_certificate_that_has_expired_is_said_to_be_what_the_broker_refuses(
    tmp_path: Path, make_connector: MakeConnector
) -> None:
    expired, good = (
        make_certificates(tmp_path / "expired", expired=True),
        make_certificates(tmp_path / "good"),
    )
    trusted = replace(good, ca_file=both(expired.ca_file, good.ca_file))
    async with (
        Mosquitto(tmp_path / "broker", certificates=trusted, require_client_certificate=True) as broker,
        make_connector(broker.url, transport=trusting(good) | own(expired)) as connector,
    ):
        await connector.wait_for_event("broker_unreachable")
        await tries(broker, 4)
        assert "certificate_file" in only_complaint(connector)
        assert 0 == await connector.terminate()


def both(one: Path, another: Path) -> Path:
    """The authorities of two files in one."""
    together = one.with_name("both.pem")
    together.write_bytes(one.read_bytes() + another.read_bytes())
    return together


async def test_certificates_that_are_replaced_on_disk_are_used_at_the_next_connection(
    tmp_path: Path, make_connector: MakeConnector
) -> None:
    """All three of them, while the connector runs, confined: the broker comes back with a new authority."""
    used, new = make_certificates(tmp_path / "used"), make_certificates(tmp_path / "new")
    broker = Mosquitto(tmp_path / "broker", certificates=used, require_client_certificate=True)
    async with broker, make_connector(broker.url, transport=trusting(used) | own(used)) as connector:
        await connector.ready()
        await asyncio.to_thread(broker.stop)
        for file in ("ca_file", "client_certificate_file", "client_key_file"):
            getattr(new, file).replace(getattr(used, file))
        for file in ("server_certificate_file", "server_key_file"):  # the broker's own
            getattr(new, file).replace(getattr(used, file))
        await asyncio.to_thread(broker.start)
        await connector.wait_for_event("broker_connected", 2)
        assert 0 == await connector.terminate()


async def test_a_broker_without_tls_is_not_taken_for_one_with(
    broker: Mosquitto, certificates: Certificates, make_connector: MakeConnector
) -> None:
    url = broker.url.replace("mqtt://", "mqtts://")
    async with make_connector(url, transport=trusting(certificates)) as connector:
        await connector.wait_for_event("broker_unreachable")
        await tries(broker, 4)
        complaint = only_complaint(connector)
        assert "TLS" in complaint or "mqtts://" in complaint
        assert "New client connected" not in broker.log
        assert 0 == await connector.terminate()


async def test_a_connection_without_tls_to_a_broker_with_it_says_what_may_be_wrong(
    tmp_path: Path, certificates: Certificates, make_connector: MakeConnector
) -> None:
    async with Mosquitto(tmp_path / "broker", certificates=certificates) as broker:
        url = broker.url.replace("mqtts://", "mqtt://")
        async with make_connector(url) as connector:
            await connector.wait_for_event("broker_unreachable")
            await tries(broker, 4)
            assert "mqtts://" in only_complaint(connector)
            assert 0 == await connector.terminate()


# Users


@pytest.mark.parametrize("protocol", ["auto", "5", "3.1.1"])
async def test_a_wrong_password_is_one_line_and_it_works_once_it_is_mended(
    tmp_path: Path, make_connector: MakeConnector, protocol: str
) -> None:
    folder = tmp_path / "broker"
    async with Mosquitto(folder, users={"connector": "old", "peer": "p"}) as broker:
        url = f"mqtt://connector:n%3Aw@127.0.0.1:{broker.port}"
        async with make_connector(url, transport={"protocol": protocol}) as connector:
            await connector.wait_for_event("broker_unreachable")
            await tries(broker, 4)
            assert "check user name and password in [transport] url" in only_complaint(connector)
            broker._users["connector"] = "n:w"
            await asyncio.to_thread(broker.restart)
            await connector.ready()
            async with Peer(broker.url_as("peer")) as peer:
                await peer.publish(TEXT_TOPIC, text())
                assert TEXT_SUCCESS == (await peer.next_message()).payload
            assert 0 == await connector.terminate()
    assert "n:w" not in "\n".join(connector.stderr)
    assert "n%3Aw" not in "\n".join(connector.stderr)


# Absent and restarted


async def test_an_absent_broker_is_waited_for_with_one_line(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    await asyncio.to_thread(broker.stop)
    async with make_connector(broker.url) as connector:
        await connector.wait_for_event("broker_unreachable")
        assert [] == connector.events("connector_ready")
        await asyncio.to_thread(broker.start)
        await connector.ready()
        assert 1 == len(connector.events("broker_unreachable"))
        assert 1 == len(connector.events("broker_connected"))
        assert 0 == await connector.terminate()


async def test_a_connector_that_waits_for_its_broker_can_be_stopped(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    await asyncio.to_thread(broker.stop)
    async with make_connector(broker.url) as connector:
        await connector.wait_for_event("broker_unreachable")
        assert 0 == await connector.terminate()


async def _answered(broker: Mosquitto, peer_ids: Sequence[str]) -> list[str]:
    async with Peer(broker.url) as peer:
        for request_id in peer_ids:
            await peer.publish(TEXT_TOPIC, text(request_id))
        return sorted([message.json()["id"] for message in await peer.collect(len(peer_ids))])


@pytest.mark.parametrize("persistence", [True, False], ids=["with persistence", "without persistence"])
async def test_a_broker_that_restarts_is_found_again(
    tmp_path: Path, twilio: Simulator, make_connector: MakeConnector, *, persistence: bool
) -> None:
    async with (
        Mosquitto(tmp_path / "broker", persistence=persistence) as broker,
        make_connector(broker.url) as connector,
    ):
        await connector.ready()
        assert ["before"] == await _answered(broker, ["before"])
        await asyncio.to_thread(broker.restart)
        await connector.wait_for_event("broker_connected", 2)
        assert ["after", "again"] == await _answered(broker, ["after", "again"])
        assert 1 == len(connector.events("broker_lost"))
        assert 1 == len(connector.events("connector_ready")), "it is announced once"
        assert 0 == await connector.terminate()
    assert 3 == len(twilio.ledger)


async def test_a_status_that_cannot_be_published_waits_for_the_broker(
    tmp_path: Path, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """The broker goes away between the request and its status, and comes back."""
    twilio.set_latency(0.5)
    async with (
        Mosquitto(tmp_path / "broker", persistence=True) as broker,
        make_connector(broker.url) as connector,
    ):
        await connector.ready()
        async with Peer(broker.url) as peer:
            await peer.publish(TEXT_TOPIC, text())
        await until(lambda: len(twilio.ledger) == 1)
        await asyncio.to_thread(broker.stop)
        await connector.wait_for_event("request_finished")
        connector.signal(
            signal.SIGSTOP
        )  # so that the test subscribes before the connector finds the broker again
        await asyncio.to_thread(broker.start)
        async with Peer(broker.url) as peer:
            connector.signal(signal.SIGCONT)
            assert TEXT_SUCCESS == (await peer.next_message()).payload
        assert 0 == await connector.terminate()
    assert 1 == len(twilio.ledger)
