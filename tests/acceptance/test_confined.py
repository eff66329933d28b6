"""A confined connector does its whole work: Landlock and the filter of system calls take nothing it needs."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from tests.acceptance.house import TEXT_TOPIC, text
from tests.support.certificates import make_certificates
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.process import Connector, configuration
from tests.support.proxy import Proxy
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.simulator.server import Simulator


@pytest.mark.landlock
@pytest.mark.mosquitto
async def test_with_tls_on_both_sides_names_doubt_and_a_rotation_everything_is_answered(
    tmp_path: Path, twilio: Simulator
) -> None:
    certificates = make_certificates(tmp_path / "certificates")
    token = tmp_path / "secrets" / "token"
    token.parent.mkdir()
    token.write_text("first")
    token.chmod(0o600)
    twilio.set_auth_tokens(["first"])
    async with (
        Mosquitto(tmp_path / "broker", certificates=certificates) as broker,
        Proxy(port_of(twilio), tls=certificates.server_context()) as line,
        Peer(broker.url, context=certificates.client_context(with_certificate=True)) as peer,
    ):
        settings = configuration(
            broker_url=broker.url.replace("127.0.0.1", "localhost"),
            twilio_url=f"https://localhost:{line.port}",
            transport={
                "ca_file": str(certificates.ca_file),
                "certificate_file": str(certificates.client_certificate_file),
                "key_file": str(certificates.client_key_file),
            },
            secrets={"source": "file", "path": str(token)},
        )
        settings["twilio"]["ca_file"] = str(certificates.ca_file)
        settings["twilio"]["timeout_seconds"] = 1
        async with Connector(tmp_path / "connector", settings) as connector:
            await connector.ready()
            confined = await connector.wait_for_event("process_confined")
            assert "seccomp" not in confined["not_confined"]
            assert "success" == await answer(peer, "in the usual way")
            twilio.add_fault(Fault(effect=faults.Hang(executed=True), times=1))
            assert "success" == await answer(peer, "in doubt")
            assert connector.events("attempt_in_doubt")
            twilio.set_auth_tokens(["second"])
            new = token.with_name("new")
            new.write_text("second")
            new.chmod(0o600)
            new.replace(token)
            assert "success" == await answer(peer, "after a rotation")
            assert 0 == await connector.terminate()
    assert ["in the usual way", "in doubt", "after a rotation"] == [entry.body for entry in twilio.ledger]


@pytest.mark.landlock
@pytest.mark.mosquitto
async def test_callbacks_and_the_metrics_reach_a_confined_connector(
    tmp_path: Path, twilio: Simulator
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    twilio.set_age(None)
    async with Mosquitto(tmp_path / "broker") as broker, Peer(broker.url) as peer:
        settings = configuration(
            broker_url=broker.url,
            twilio_url=twilio.base_url,
            tracking={"mode": "callback", "listen": address, "public_url": f"http://{address}/twilio"},
            status={"follow_up": "final"},
            metrics={"listen": "127.0.0.1:0"},
        )
        settings["connector.parameters"]["IsolationMode"] = "GreengrassContainer"
        async with Connector(tmp_path / "connector", settings) as connector:
            await connector.ready()
            assert connector.events("process_confined")
            await peer.publish(TEXT_TOPIC, text())
            told = await peer.collect(2)
            words = [one.json()["response"]["payload"]["messages"]["message_status"] for one in told]
            assert ["queued", "delivered"] == words
            assert {204} == {entry.status for entry in twilio.callbacks if entry.status is not None}
            page = (await connector.wait_for_event("metrics_listening"))["address"]
            found = await asyncio.to_thread(counted, f"http://{page}/metrics")
            assert "twilio_notifications_deliveries_total" in found
            assert 0 == await connector.terminate()


def counted(url: str) -> str:
    with urlopen(url) as answer:  # noqa: S310 - the connector's
        return str(answer.read(), "utf-8")


def port_of(twilio: Simulator) -> int:
    return int(twilio.base_url.rpartition(":")[2])


async def answer(peer: Peer, content: str) -> str:
    """What a text with this content is answered with, in one word."""
    await peer.publish(TEXT_TOPIC, text(body=content))
    status = (await peer.next_message()).json()
    return str(status["response"].get("error", status["response"]["status"]))
