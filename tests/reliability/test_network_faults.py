"""The broker and the network go away and come back: acknowledged requests are sent, and sent once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_SUCCESS, TEXT_TOPIC, text, until
from tests.adapters.mqtt_steps import transport_settings
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.fakes import RecordingEvents
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.proxy import Proxy
from twilio_notifications.adapters.mqtt.opening import connector_client, open_session
from twilio_notifications.adapters.mqtt.session import FORGET_SECONDS
from twilio_notifications.pipeline.line.reporting_limits import WINDOW
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reliability.conftest import Start
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

REQUESTS = [Request(number=number, to=recipient(number % 20)) for number in range(200)]


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def sent(twilio: Simulator, count: int) -> None:
    await until(lambda: len(twilio.ledger) >= count)


# The broker


async def test_a_broker_that_is_killed_and_keeps_its_word_loses_nothing(
    tmp_path: Path, twilio: Simulator, start: Start
) -> None:
    """Half of the requests are unanswered when it is killed; more wait in its file than were delivered."""
    twilio.set_latency(0.05)
    with Mosquitto(tmp_path / "keeping", persistence=True) as broker:
        async with start(transport={"url": broker.url}) as connector:
            await connector.ready()
            async with Peer(broker.url) as peer:
                await publish(peer, REQUESTS)
                await sent(twilio, len(REQUESTS) // 4)
                await asyncio.to_thread(broker.kill)
                before = [message.payload for message in peer.received]
            await connector.wait_for_event("broker_lost")
            # No client listens for a status while it is down: the reporter must hold them back.
            await asyncio.to_thread(broker.start)
            async with Peer(broker.url) as peer:
                last = Request(number=len(REQUESTS), to=recipient(99))
                await publish(peer, [last])
                await answered(peer, [last])
                await until(lambda: len(twilio.ledger) == len(REQUESTS) + 1)
                assert 0 == await connector.terminate()
                statuses = before + [message.payload for message in peer.received]
    verdict = judge(REQUESTS, twilio.ledger, statuses)
    assert ((), (), ()) == (verdict.lost, verdict.doubled, verdict.out_of_order)


async def test_a_broker_that_forgets_everything_is_subscribed_to_again(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Without persistence the session is gone with it; what was acknowledged before stands in the journal."""
    twilio.set_latency(0.3)
    async with start() as connector:
        await connector.ready()
        async with Peer(broker.url) as peer:
            await publish(peer, REQUESTS[:20])
            await until(lambda: len(twilio.ledger) == 20)
            await asyncio.to_thread(broker.kill)
        await connector.wait_for_event("broker_lost")
        await asyncio.to_thread(broker.start)
        async with Peer(broker.url) as peer:
            await connector.wait_for_event("broker_connected", 2)
            await publish(peer, REQUESTS[20:40])
            await answered(peer, REQUESTS[20:40])
            assert 0 == await connector.terminate()
    verdict = judge(REQUESTS[:40], twilio.ledger, [])
    assert ((), ()) == (verdict.doubled, verdict.out_of_order)
    assert 40 == len(twilio.ledger)


async def test_a_status_waits_for_a_broker_that_is_away(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """The last answer comes while no client is connected; its status follows at the next connection."""
    armed = twilio.add_fault(Fault(effect=faults.Slow(seconds=1.0), times=1))
    async with (
        Proxy(broker.port) as proxy,
        Peer(broker.url) as peer,
        start(transport={"url": f"mqtt://127.0.0.1:{proxy.port}"}) as connector,
    ):
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        await until(lambda: armed.fired == 1)
        await proxy.refuse()
        await connector.wait_for_event("request_finished")
        assert [] == peer.received
        await proxy.restore()
        assert TEXT_SUCCESS == (await peer.next_message()).payload
        assert 0 == await connector.terminate()
    assert 1 == len(twilio.ledger)


async def test_a_new_session_subscribes_only_when_the_packets_of_the_last_one_are_forgotten(
    broker: Mosquitto,
) -> None:
    """Otherwise a crash in between would leave new requests to be taken for old ones."""
    settings = transport_settings(broker.url)
    forgotten: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    client = connector_client(
        settings,
        on_inbound=lambda _inbound: None,
        on_new_session=lambda: forgotten,
        events=RecordingEvents(),
    )
    opening = asyncio.create_task(open_session(settings, client, topics=[TEXT_TOPIC]))
    await until(lambda: "CONNACK" in broker.log)
    await asyncio.wait({opening}, timeout=FORGET_SECONDS / 4)
    assert "SUBSCRIBE" not in broker.log
    forgotten.set_result(None)
    session = await opening
    assert "SUBSCRIBE" in broker.log
    await session.close()


# The network between connector and broker


async def test_a_connection_to_the_broker_that_breaks_again_and_again(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """The broker repeats what it has no acknowledgement for; the journal knows it again."""
    async with Proxy(broker.port) as proxy, Peer(broker.url) as peer:
        async with start(transport={"url": f"mqtt://127.0.0.1:{proxy.port}"}) as connector:
            await connector.ready()
            publishing = asyncio.create_task(publish(peer, REQUESTS))
            for share in range(1, 9):
                await sent(twilio, share * len(REQUESTS) // 10)
                await proxy.cut()
            await publishing
            await answered(peer, REQUESTS)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])
        assert proxy.connections > 1


async def test_a_broker_that_falls_silent_is_left_after_the_keepalive(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Neither side resets the connection: only the missing answers show that it is dead."""
    async with Proxy(broker.port) as proxy, Peer(broker.url) as peer:
        transport = {"url": f"mqtt://127.0.0.1:{proxy.port}", "keepalive_seconds": 1}
        async with start(transport=transport) as connector:
            await connector.ready()
            proxy.black_hole()
            await publish(peer, REQUESTS[:20])
            await connector.wait_for_event("broker_lost")
            assert [] == list(twilio.ledger)
            await proxy.cut()
            await proxy.restore()
            await answered(peer, REQUESTS[:20])
            assert 0 == await connector.terminate()
        statuses = [message.payload for message in peer.received]
        assert ALL_KEPT == judge(REQUESTS[:20], twilio.ledger, statuses)


async def test_a_silent_broker_is_left_even_with_statuses_on_the_way_to_it(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """What cannot be written any more must not keep the dead connection open."""
    # A window of these statuses, 12 KB each, is more than the buffers of the sockets hold.
    long = "\x01" * 1000
    requests = [
        Request(number=number, to=recipient(number), name=long, id_tail=long) for number in range(WINDOW)
    ]
    twilio.set_latency(0.5)
    async with Proxy(broker.port) as proxy, Peer(broker.url) as peer:
        # In version 3.1.1 the broker sets no limit to what may be on the way to it.
        line = {"url": f"mqtt://127.0.0.1:{proxy.port}", "keepalive_seconds": 1, "protocol": "3.1.1"}
        async with start(transport=line, twilio={"concurrency": len(requests)}) as connector:
            await connector.ready()
            await publish(peer, requests)
            await sent(twilio, len(requests))
            proxy.black_hole()
            await connector.wait_for_event("broker_lost")
            await proxy.cut()
            await proxy.restore()
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])


# The network between connector and Twilio


async def test_while_twilio_cannot_be_reached_requests_wait_and_no_retry_is_spent(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Connection refused: certainly not sent, so `retries: 0` has nothing to do with it."""
    requests = [Request(number=number, to=recipient(number % 5), retries=0) for number in range(50)]
    async with Proxy(port_of(twilio.base_url)) as proxy, Peer(broker.url) as peer:
        await proxy.refuse()
        async with start(twilio={"base_url": f"http://127.0.0.1:{proxy.port}"}) as connector:
            await connector.ready()
            await publish(peer, requests)
            await connector.wait_for_event("twilio_unreachable")
            assert [] == peer.received
            await proxy.restore()
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}


async def test_a_line_to_twilio_that_breaks_again_and_again_sends_nothing_twice(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """Each break leaves attempts in doubt, of which Twilio carried some out and others not."""
    twilio.set_latency(0.05)
    requests = [Request(number=number, to=recipient(number % 20), retries=20) for number in range(200)]
    async with Proxy(port_of(twilio.base_url)) as proxy, Peer(broker.url) as peer:
        async with start(twilio={"base_url": f"http://127.0.0.1:{proxy.port}"}) as connector:
            await connector.ready()
            publishing = asyncio.create_task(publish(peer, requests))
            for share in range(1, 7):
                await sent(twilio, share * len(requests) // 10)
                await proxy.cut()
            await publishing
            await answered(peer, requests)
            assert connector.events("attempt_in_doubt"), "no break fell on an attempt"
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}


async def test_a_black_hole_on_the_way_to_twilio_is_doubt_and_is_settled(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    """What was sent into it arrives when it opens, as TCP repeats it: settling must outlast that."""
    requests = [Request(number=number, to=recipient(number % 3), retries=3) for number in range(6)]
    async with Proxy(port_of(twilio.base_url)) as proxy, Peer(broker.url) as peer:
        base_url = f"http://127.0.0.1:{proxy.port}"
        async with start(
            twilio={"base_url": base_url, "timeout_seconds": 1}, delivery={"settle_seconds": 3}
        ) as connector:
            await connector.ready()
            proxy.black_hole()
            await publish(peer, requests)
            await connector.wait_for_event("attempt_in_doubt")
            await proxy.restore()
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        assert {"success"} == {status["response"]["status"] for status in peer.statuses}
