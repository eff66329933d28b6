"""The connector's own end, good and bad: what is acknowledged is sent and answered, nothing is sent twice."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_SUCCESS, TEXT_TOPIC, MakeConnector, text, until
from tests.support.crash_points import OFF_THE_LINE, CrashPoint
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

REQUESTS = 1_000


def recipient(number: int) -> str:
    return f"+1234500{number:04}"


async def publish_all(peer: Peer, numbers: range) -> None:
    for number in numbers:
        await peer.publish(TEXT_TOPIC, text(f"id-{number}", to=recipient(number)))


async def test_a_restart_half_way_loses_nothing_and_sends_nothing_twice(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """Requests go on arriving while no connector runs; the broker keeps them."""
    twilio.set_latency(0.02)
    async with Peer(broker.url) as peer:
        async with make_connector(broker.url) as connector:
            await connector.ready()
            publishing = asyncio.create_task(publish_all(peer, range(REQUESTS)))
            await until(lambda: len(twilio.ledger) >= REQUESTS // 4)
            assert 0 == await connector.terminate()
        answered_before = len(peer.received)
        assert answered_before < REQUESTS, "the stop came too late to show anything"
        await publishing
        async with make_connector(broker.url) as connector:
            statuses = await peer.collect(REQUESTS)
            assert 0 == await connector.terminate()
    assert {f"id-{number}": 1 for number in range(REQUESTS)} == Counter(
        status.json()["id"] for status in statuses
    )
    assert {"success"} == {status.json()["response"]["status"] for status in statuses}
    assert {recipient(number): 1 for number in range(REQUESTS)} == Counter(
        entry.to for entry in twilio.ledger
    )


async def test_what_was_acknowledged_before_a_crash_is_sent_after_it(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """The broker has forgotten the request: only the journal knows it."""
    async with Peer(broker.url) as peer:
        async with make_connector(broker.url, crash_at=CrashPoint.REQUEST_ACKNOWLEDGED) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text())
            assert -signal.SIGKILL == await connector.wait()
        assert [] == list(twilio.ledger)
        async with make_connector(broker.url) as connector:
            assert TEXT_SUCCESS == (await peer.next_message()).payload
            assert 0 == await connector.terminate()
    assert 1 == len(twilio.ledger)


@pytest.mark.parametrize("point", sorted(set(CrashPoint) - OFF_THE_LINE - {CrashPoint.JOURNAL_OPENED}))
async def test_a_crash_anywhere_sends_once_and_answers(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, point: CrashPoint
) -> None:
    """At each step of the line (contract, section 5): sent exactly once, answered at least once."""
    async with Peer(broker.url) as peer:
        async with make_connector(broker.url, crash_at=point) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text())
            if point in PERHAPS_PASSED:
                await until(lambda: connector.ended or bool(peer.received))
            if point in NEVER_PASSED or (point in PERHAPS_PASSED and not connector.ended):
                assert TEXT_SUCCESS == (await peer.next_message()).payload
                assert 0 == await connector.terminate()
            else:
                assert -signal.SIGKILL == await connector.wait()
        async with make_connector(broker.url) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, text("afterwards"))
            statuses = [(await peer.next_message()).json()]
            while statuses[-1]["id"] != "afterwards":  # the same recipient: it comes last
                statuses.append((await peer.next_message()).json())
            assert 0 == await connector.terminate()
    assert {"success"} == {status["response"]["status"] for status in statuses}
    assert 2 == len(twilio.ledger)
    if point not in NEVER_PASSED | PERHAPS_PASSED | ANSWERED_ALREADY:
        assert "request123" in [status["id"] for status in statuses]


NEVER_PASSED = {
    CrashPoint.REQUEST_POSTPONED,
    CrashPoint.ATTEMPT_IN_DOUBT,
    CrashPoint.RECORDS_LOOKED_UP,
    CrashPoint.DOUBT_SETTLED,
}
"""By a request that waits for nothing, and of which nothing is ever in doubt."""

PERHAPS_PASSED = {CrashPoint.REQUESTS_CLAIMED}
"""By a request that comes while the start still looks through what waits; later ones leave as they arrive."""

ANSWERED_ALREADY = {CrashPoint.STATUS_ACKNOWLEDGED, CrashPoint.STATUSES_REPORTED, CrashPoint.STATUS_PUBLISHED}
"""The status has left before the crash; whether it is published again is the journal's business."""


async def test_a_stop_ends_what_is_under_way_first(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    twilio.set_latency(1.0)
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await publish_all(peer, range(5))
        await until(lambda: len(twilio.ledger) == 5)
        assert 0 == await connector.terminate()
        statuses = await peer.collect(5)
    assert {"success"} == {status.json()["response"]["status"] for status in statuses}
    assert [] == connector.events("drain_cut_short")
    assert "connector_stopped" == connector.log[-1]["event"]


async def test_a_second_signal_does_not_wait(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """The attempt under way is then in doubt, and is settled at the next start."""
    twilio.set_latency(60.0)
    async with make_connector(broker.url, twilio={"timeout_seconds": 90}) as connector:
        await connector.ready()
        async with Peer(broker.url) as peer:
            await peer.publish(TEXT_TOPIC, text())
            await until(lambda: len(twilio.ledger) == 1)
            connector.signal(signal.SIGINT)
            await connector.wait_for_event("connector_draining")
            connector.signal(signal.SIGINT)
            assert 0 == await connector.wait()
            assert 1 == len(connector.events("drain_cut_short"))
            twilio.set_latency(0.0)
            async with make_connector(broker.url) as successor:
                status = (await peer.next_message()).json()
                assert 0 == await successor.terminate()
    assert json.loads(TEXT_SUCCESS) == status
    assert 1 == len(twilio.ledger)


async def test_a_stop_without_anything_to_do_does_not_wait_for_a_broker_that_is_away(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    await asyncio.to_thread(broker.stop)
    async with make_connector(broker.url, delivery={"drain_seconds": 3600}) as connector:
        await connector.wait_for_event("broker_unreachable")
        assert 0 == await connector.terminate()


async def test_a_second_connector_on_one_journal_is_turned_away(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as first:
        await first.ready()
        async with make_connector(broker.url, transport={"client_id": "second"}) as second:
            assert 1 == await second.wait()
        sentence = second.stderr[-1]
        assert "in use by another connector" in sentence
        assert "[journal] url" in sentence
        assert not first.ended
        assert 0 == await first.terminate()
