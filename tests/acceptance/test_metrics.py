"""The metrics of the real program, confined as it is by default."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import CALL_TOPIC, RECIPIENT, SENDER, TEXT_TOPIC, call, text
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.process import TOKEN, environment, run_program

if TYPE_CHECKING:
    from tests.acceptance.house import MakeConnector
    from tests.support.mosquitto import Mosquitto

pytestmark = pytest.mark.mosquitto


async def scrape(address: str, path: str = "/metrics") -> str:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
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
        'attempts_total{channel="CALL",outcome="ACCEPTED",reason="none"} 1.0',
        'statuses_total{channel="SMS",reason="none"} 1.0',
        'statuses_total{channel="SMS",reason="InvalidParameter"} 1.0',
        'status_seconds_count{channel="CALL"} 1.0',
        'step_seconds_count{step="record"} 3.0',
        'step_seconds_count{step="send"} 2.0',
        'step_seconds_count{step="report"} 3.0',
        'journal_requests{state="WAITING"} 0.0',
        'waiting_requests{reason="none"} 0.0',
        "oldest_waiting_seconds 0.0",
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


async def test_what_waits_for_a_quota_is_counted_with_its_reason_its_age_and_the_quota(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    connector = make_connector(broker.url, metrics={"listen": "127.0.0.1:0"}, limits={"texts_per_day": 1})
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        for number in range(3):
            await peer.publish(TEXT_TOPIC, text(str(number), to=f"+1234500000{number}"))
        await peer.collect(1)
        address = connector.events("metrics_listening")[0]["address"]
        page = ""
        async with asyncio.timeout(WAIT_SECONDS):
            while 'waiting_requests{reason="quota_used_up"} 2.0' not in page:
                await asyncio.sleep(0.1)
                page = await scrape(address)
        assert 0 == await connector.terminate()
    for line in (
        'quota_used{period="day",unit="texts"} 1.0',
        'quota_most{period="day",unit="texts"} 1.0',
        'quota_most{period="hour",unit="texts"} 0.0',
    ):
        assert f"\ntwilio_notifications_{line}\n" in page, page
    assert "\ntwilio_notifications_oldest_waiting_seconds 0.0\n" not in page


async def test_the_health_says_what_is_amiss_and_is_served_without_the_metrics(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    connector = make_connector(broker.url, health={"listen": "127.0.0.1:0"})
    async with connector:
        await connector.ready()
        address = connector.events("health_listening")[0]["address"]
        live, ready = await scrape(address, "/health/live"), await scrape(address, "/health/ready")
        assert "404 Not Found" in await scrape(address, "/metrics")
        broker.stop()
        unready = ""
        async with asyncio.timeout(WAIT_SECONDS):
            while "503" not in unready:
                await asyncio.sleep(0.05)
                unready = await scrape(address, "/health/ready")
        assert "200 OK" in await scrape(address, "/health/live")
        assert 0 == await connector.terminate()
    assert ("200 OK" in live, live.endswith("\r\n\r\nalive\n")) == (True, True)
    assert ("200 OK" in ready, ready.endswith("\r\n\r\nready\n")) == (True, True)
    assert unready.endswith("\r\n\r\nthere is no session with the broker or the nucleus\n")


async def test_a_confined_connector_sends_its_heartbeat_while_it_is_well(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    calls: asyncio.Queue[str] = asyncio.Queue()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        calls.put_nowait(head.decode().partition("\r\n")[0])
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK")
        writer.close()

    service = await asyncio.start_server(take, "127.0.0.1", 0)
    port = service.sockets[0].getsockname()[1]
    heartbeat = {"url": f"http://127.0.0.1:{port}/ping/the-secret-part?x=1", "every_seconds": 1}
    connector = make_connector(broker.url, heartbeat=heartbeat)
    async with service, connector:
        await connector.ready()
        async with asyncio.timeout(WAIT_SECONDS):
            lines = [await calls.get(), await calls.get()]
        broker.stop()
        await connector.wait_for_event("heartbeat_withheld")
        assert 0 == await connector.terminate()
    assert ["GET /ping/the-secret-part?x=1 HTTP/1.1"] * 2 == lines
    assert "127.0.0.1" == connector.events("heartbeat_taken")[0]["host"]
    assert "the-secret-part" not in "\n".join(connector.stderr)


async def test_without_metrics_nothing_of_them_is_imported() -> None:
    """Memory and start of those who do not want them stay as they are."""
    script = (
        "import sys, twilio_notifications.bootstrap, twilio_notifications.commands.run; "
        "ours = 'twilio_notifications.adapters.metrics', 'twilio_notifications.bootstrap.watched'; "
        "sys.exit(any(name.startswith(('prometheus', *ours)) for name in sys.modules))"
    )
    program = await asyncio.create_subprocess_exec(sys.executable, "-c", script)
    assert 0 == await program.wait()
