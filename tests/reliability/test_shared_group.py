"""All connectors take requests in, by $share: each request is sent once, whichever way a broker hands it on.

Mosquitto keeps what a member has not acknowledged for its session, and marks it when it comes back. EMQX and
HiveMQ hand it to another member at once, and mark nothing: a broker that says so by hand stands for them.
"""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import until
from tests.reliability.traffic import ALL_KEPT, Request, answered, judge, publish, recipient
from tests.support.crash_points import CrashPoint
from tests.support.mqtt_peer import Peer
from tests.support.process import Connector, configuration
from tests.support.raw_broker import Kind, Link, RawBroker

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

LEASE_SECONDS = 1.0
STATUS_TOPIC = "twilio/message/status"

pytestmark = pytest.mark.postgresql


class House:
    """Connectors of one group."""

    def __init__(self, folder: Path, *, broker_url: str, twilio: Simulator, journal_url: str) -> None:
        self._folder = folder
        self._urls: dict[str, Any] = {"broker_url": broker_url, "twilio_url": twilio.base_url}
        self._journal_url = journal_url

    def connector(self, name: str, *, crash_at: str = "", lease: float = LEASE_SECONDS) -> Connector:
        settings = configuration(
            **self._urls,
            transport={"shared_group": "site", "client_id": name, "broker_probe_seconds": 0},
            journal={"url": self._journal_url, "lease_seconds": lease},
        )
        return Connector(self._folder / name, settings, crash_at=crash_at)


async def serve(link: Link) -> None:
    """Lets a member in, and acknowledges what it publishes."""
    await link.accept()
    await link.grant()
    try:
        while True:
            packet = await link.hear_any()
            if packet.kind is Kind.PUBLISH:
                link.say(link.puback(packet.packet_id))
    except (asyncio.IncompleteReadError, ConnectionError):
        return  # the member has died


def acknowledged(link: Link) -> list[int]:
    return [packet.packet_id for packet in link.seen if packet.kind is Kind.PUBACK]


def statuses(broker: RawBroker) -> int:
    published = [packet for link in broker.links for packet in link.seen if packet.kind is Kind.PUBLISH]
    return sum(packet.topic == STATUS_TOPIC for packet in published)


async def test_what_a_killed_member_journaled_and_did_not_acknowledge_is_sent_once(
    tmp_path: Path, postgresql_url: str, twilio: Simulator
) -> None:
    """The broker hands it to the other member as soon as the connection is gone, long before a lease ends."""
    request = Request(number=1, to=recipient(1))
    async with RawBroker(serve) as broker:
        house = House(tmp_path, broker_url=broker.url, twilio=twilio, journal_url=postgresql_url)
        async with house.connector("one", crash_at=CrashPoint.REQUEST_RECORDED) as one:
            await one.ready()
            async with house.connector("two") as two:
                await two.ready()
                first, second = await broker.link(1), await broker.link(2)
                first.say(first.publish(request.topic, request.payload.encode(), packet_id=1))
                assert -signal.SIGKILL == await one.wait()
                second.say(second.publish(request.topic, request.payload.encode(), packet_id=5))
                await two.wait_for_event("repeated_publish_ignored")
                await until(lambda: 1 == statuses(broker))
                assert [] == acknowledged(first)
                assert [5] == acknowledged(second)
                assert 1 == len(twilio.ledger)
                second.say(second.publish(request.topic, request.payload.encode(), packet_id=6))
                await until(lambda: 2 == statuses(broker))
                assert 2 == len(twilio.ledger)
                assert 0 == await two.terminate()


async def test_equal_requests_of_members_that_live_are_two_requests(
    tmp_path: Path, postgresql_url: str, twilio: Simulator
) -> None:
    """The second one waits until the first one's acknowledgement has surely left."""
    request = Request(number=1, to=recipient(1))
    async with RawBroker(serve) as broker:
        house = House(tmp_path, broker_url=broker.url, twilio=twilio, journal_url=postgresql_url)
        async with house.connector("one") as one, house.connector("two") as two:
            await asyncio.gather(one.ready(), two.ready())
            for number in (1, 2):
                link = await broker.link(number)
                link.say(link.publish(request.topic, request.payload.encode(), packet_id=number))
            await until(lambda: 2 == statuses(broker))
            assert 2 == len(twilio.ledger)
            for number in (1, 2):
                assert [number] == acknowledged(await broker.link(number))
            for connector in (one, two):
                assert 0 == await connector.terminate()


async def test_each_member_subscribes_as_one_of_the_group(
    tmp_path: Path, postgresql_url: str, twilio: Simulator
) -> None:
    async with RawBroker(serve) as broker:
        house = House(tmp_path, broker_url=broker.url, twilio=twilio, journal_url=postgresql_url)
        async with house.connector("one") as one, house.connector("two") as two:
            await asyncio.gather(one.ready(), two.ready())
            for number in (1, 2):
                seen = (await broker.link(number)).seen
                filters = b"".join(packet.body for packet in seen if packet.kind is Kind.SUBSCRIBE)
                for topic in ("twilio/txt", "twilio/call", "twilio/cancel", "twilio/acknowledge"):
                    assert f"$share/site/{topic}".encode() in filters


@pytest.mark.mosquitto
async def test_members_share_the_requests_and_the_leader_reports(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    requests = [Request(number=number, to=recipient(number)) for number in range(20)]
    house = House(tmp_path, broker_url=broker.url, twilio=twilio, journal_url=postgresql_url)
    async with (
        Peer(broker.url, subscribe=STATUS_TOPIC) as peer,
        house.connector("one") as one,
        house.connector("two") as two,
    ):
        await asyncio.gather(one.ready(), two.ready())
        await publish(peer, requests)
        await answered(peer, requests)
        assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
        for connector in (one, two):
            assert 0 == await connector.terminate()


@pytest.mark.mosquitto
async def test_a_member_that_is_killed_and_comes_back_sends_its_turn_once(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    requests = [Request(number=number, to=recipient(number)) for number in range(20)]
    house = House(tmp_path, broker_url=broker.url, twilio=twilio, journal_url=postgresql_url)
    async with (
        Peer(broker.url, subscribe=STATUS_TOPIC) as peer,
        house.connector("two") as two,
    ):
        await two.ready()
        async with house.connector("one", crash_at=f"{CrashPoint.REQUEST_RECORDED}:3") as one:
            await one.ready()
            await publish(peer, requests)
            assert -signal.SIGKILL == await one.wait()
        async with house.connector("one") as one:
            await answered(peer, requests)
            assert ALL_KEPT == judge(requests, twilio.ledger, [message.payload for message in peer.received])
            for connector in (one, two):
                assert 0 == await connector.terminate()
