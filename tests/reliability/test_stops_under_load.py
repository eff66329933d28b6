"""SIGTERM under load: attempts under way end, waiting requests stay for the next start, none is doubled."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

REQUESTS = [Request(number=number, to=recipient(number % 60)) for number in range(300)]


async def test_one_sigterm_drains_and_leaves_the_rest_for_the_next_start(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    async with Peer(broker.url) as peer:
        async with start(twilio={"concurrency": 5}) as connector:
            await connector.ready()
            twilio.set_latency(0.1)
            await publish(peer, REQUESTS)
            await until(lambda: len(twilio.ledger) >= 60)
            twilio.set_latency(1.0)  # five a second: a busy machine has most of a minute for the stop
            assert 0 == await connector.terminate()
            assert [] == connector.events("drain_cut_short")
        sent = len(twilio.ledger)
        assert sent < len(REQUESTS), "the stop came too late to show anything"
        await until(lambda: len(peer.received) == sent)
        twilio.set_latency(0.0)
        async with start() as connector:
            opened = await connector.wait_for_event("journal_opened")
            assert (0, 0) == (opened["in_doubt"], opened["unreported"])
            await answered(peer, REQUESTS)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])
        assert len(REQUESTS) == len(peer.received)


async def test_two_sigterms_end_it_at_once_and_nothing_is_lost_or_doubled(
    broker: Mosquitto, twilio: Simulator, start: Start
) -> None:
    twilio.set_latency(1.0)
    async with Peer(broker.url) as peer:
        async with start(delivery={"drain_seconds": 3600}, twilio={"timeout_seconds": 3600}) as connector:
            await connector.ready()
            await publish(peer, REQUESTS)
            await until(lambda: len(twilio.ledger) >= 50)
            twilio.set_latency(3600.0)
            await until(lambda: len(twilio.ledger) >= 100)
            connector.signal(signal.SIGTERM)
            await connector.wait_for_event("connector_draining")
            connector.signal(signal.SIGTERM)
            assert 0 == await connector.wait()
            assert 1 == len(connector.events("drain_cut_short"))
        twilio.set_latency(0.0)
        async with start() as connector:
            await answered(peer, REQUESTS)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(REQUESTS, twilio.ledger, [message.payload for message in peer.received])


async def test_a_drain_has_a_limit(broker: Mosquitto, twilio: Simulator, start: Start) -> None:
    twilio.set_latency(3600.0)
    requests = REQUESTS[:5]
    async with Peer(broker.url) as peer:
        async with start(delivery={"drain_seconds": 0.5}, twilio={"timeout_seconds": 3600}) as connector:
            await connector.ready()
            await publish(peer, requests)
            await until(lambda: len(twilio.ledger) == len(requests))
            assert 0 == await connector.terminate()
            assert 1 == len(connector.events("drain_cut_short"))
        twilio.set_latency(0.0)
        async with start() as connector:
            await answered(peer, requests)
            assert 0 == await connector.terminate()
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
