"""Requests that wait for a network: they cost little, keep their order, and leave at once when it is back.

RELIABILITY_BACKLOG=200000 RELIABILITY_SECONDS=1200 shows the same with a backlog that would not fit in memory
if it stood there (2,000 without it); it takes some minutes and wants `--timeout 1500`.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.proxy import Proxy

if TYPE_CHECKING:
    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

BACKLOG = int(os.environ.get("RELIABILITY_BACKLOG", "2000"))
LIMIT_SECONDS = float(os.environ.get("RELIABILITY_SECONDS", str(WAIT_SECONDS)))
GROWTH_KB = 24 * 1024
"""What a backlog of any length may add to the memory: some batches of it, and the pages that SQLite keeps."""
QUIET = {"level": "INFO", "format": "json"}


def peak_memory_kb(connector: Connector) -> int:
    """The most memory it ever had (VmHWM)."""
    lines = Path(f"/proc/{connector.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
async def test_a_backlog_waits_on_disk_and_leaves_at_once_when_the_network_is_back(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """The connector starts without a network, as after a power cut; an urgent request comes last of all."""
    requests = [Request(number=number, to=recipient(number % 500)) for number in range(BACKLOG)]
    urgent = Request(number=BACKLOG, to=recipient(99_999), extensions={"priority": "urgent"})
    async with Proxy(int(twilio.base_url.rpartition(":")[2])) as proxy, Peer(broker.url) as peer:
        await proxy.refuse()
        async with start(log=QUIET, twilio={"base_url": f"http://127.0.0.1:{proxy.port}"}) as connector:
            await connector.ready()
            await publish(peer, requests[:100])
            await connector.wait_for_event("twilio_unreachable")
            before = peak_memory_kb(connector)
            await publish(peer, [*requests[100:], urgent])
            await proxy.restore()
            await until(lambda: len(twilio.ledger) > 0)  # without a lifetime's end or a word from anybody
            await answered(peer, [*requests, urgent], limit_seconds=LIMIT_SECONDS)
            assert GROWTH_KB > peak_memory_kb(connector) - before
            assert 1 == len(connector.events("twilio_unreachable"))
            assert 0 == await connector.terminate()
    everything = [*requests, urgent]
    assert ALL_KEPT == judge(everything, twilio.ledger, [message.payload for message in peer.received])
    place = [entry.body for entry in twilio.ledger].index(urgent.content)
    assert place < 100, "it was accepted last and is urgent: only what was under way may stand before it"


async def test_a_lifetime_that_ends_while_there_is_no_network_is_answered_there_and_then(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """The status that it was too late does not wait for the network; the recipient's next one is sent."""
    short = [
        Request(number=number, to=recipient(number % 3), extensions={"valid_for_seconds": 1})
        for number in range(30)
    ]
    lasting = [Request(number=100 + number, to=recipient(number % 3)) for number in range(6)]
    async with Proxy(int(twilio.base_url.rpartition(":")[2])) as proxy, Peer(broker.url) as peer:
        await proxy.refuse()
        async with start(twilio={"base_url": f"http://127.0.0.1:{proxy.port}"}) as connector:
            await connector.ready()
            await publish(peer, [*short, *lasting])
            await answered(peer, short)
            assert {"Expired"} == {status["response"]["error"] for status in peer.statuses}
            assert len(short) == len(peer.received)
            await proxy.restore()
            await answered(peer, lasting)
            assert 0 == await connector.terminate()
        statuses = [message.payload for message in peer.received]
        assert ALL_KEPT == judge([*short, *lasting], twilio.ledger, statuses)
    assert len(lasting) == len(twilio.ledger)


async def test_a_lifetime_that_ends_while_no_connector_runs_is_answered_at_the_next_start(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """What waits at the broker meanwhile has its lifetime from its acceptance on."""
    short = [Request(number=0, to=recipient(1), extensions={"valid_for_seconds": 1})]
    at_the_broker = [Request(number=1, to=recipient(1), extensions={"valid_for_seconds": 60})]
    async with Peer(broker.url) as peer:
        async with start(twilio={"base_url": "http://127.0.0.1:9"}) as connector:
            await connector.ready()
            await publish(peer, short)
            await connector.wait_for_event("twilio_unreachable")
            accepted = time.monotonic()
            await connector.kill()
        await publish(peer, at_the_broker)
        await until(lambda: time.monotonic() > accepted + 1.0)
        async with start() as connector:
            await answered(peer, [*short, *at_the_broker])
            assert 0 == await connector.terminate()
        assert {"id-0": "Expired", "id-1": "success"} == {
            status["id"]: status["response"].get("error", "success") for status in peer.statuses
        }
    assert 1 == len(twilio.ledger)
