"""The metrics of the real program, confined as it is by default."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import CALL_TOPIC, RECIPIENT, SENDER, TEXT_TOPIC, call, text
from tests.support.mqtt_peer import Peer
from tests.support.process import TOKEN, environment, run_program

if TYPE_CHECKING:
    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.mosquitto


async def scrape(address: str) -> str:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    page = await reader.read()
    writer.close()
    return page.decode()


async def test_a_scrape_tells_of_a_text_a_call_and_a_rejection(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    connector = make_connector(broker.url, metrics={"listen": "127.0.0.1:0"})
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text("text"))
        await peer.publish(CALL_TOPIC, call("call"))
        await peer.publish(TEXT_TOPIC, "{}")
        await peer.collect(3)
        page = await scrape(connector.events("metrics_listening")[0]["address"])
        assert 0 == await connector.terminate()
    for line in (
        'requests_total{channel="SMS",result="accepted"} 1.0',
        'requests_total{channel="CALL",result="accepted"} 1.0',
        'requests_total{channel="SMS",result="rejected"} 1.0',
        'attempts_total{channel="CALL",outcome="ACCEPTED"} 1.0',
        'statuses_total{channel="SMS",reason="none"} 1.0',
        'statuses_total{channel="SMS",reason="InvalidParameter"} 1.0',
        'status_seconds_count{channel="CALL"} 1.0',
        'journal_requests{state="WAITING"} 0.0',
        "broker_connected 1.0",
    ):
        assert f"\ntwilio_notifications_{line}\n" in page, page
    leaks = (TOKEN, "Hello from the edge", "Darla", RECIPIENT[1:], SENDER[1:], TEXT_TOPIC, "some-public")
    assert [] == [leak for leak in leaks if leak in page]


async def test_a_confined_connector_listens_on_the_port_of_its_metrics_and_says_so(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    port = free_port()
    connector = make_connector(broker.url, metrics={"listen": f"127.0.0.1:{port}"})
    config = str(connector.config)
    async with connector:
        await connector.ready()
        (confined,) = connector.events("process_confined")
        assert str(port) == confined["listen_ports"]
        assert "broker_connected 1.0" in await scrape(f"127.0.0.1:{port}")
        assert 0 == await connector.terminate()
    program = await run_program("check", "--offline", "--config", config, environ=environment())
    (line,) = [line for line in program.stdout if line.startswith("ok    isolation")]
    assert line.endswith(f"listens on {port}")


def free_port() -> int:
    """A port on which no program listens at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_without_metrics_nothing_of_them_is_imported() -> None:
    """Memory and start of those who do not want them stay as they are."""
    script = (
        "import sys, twilio_notifications.bootstrap, twilio_notifications.commands.run; "
        "sys.exit(any(name.startswith(('prometheus', 'twilio_notifications.adapters.metrics')) "
        "for name in sys.modules))"
    )
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert 0 == await program.wait()
