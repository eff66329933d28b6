"""A sender that floods: what is not recorded yet is bounded, the broker keeps the rest, nothing is lost."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mqtt_steps import Running, running
from tests.adapters.transport_steps import TEXT_TOPIC
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.adapters.mqtt.inflow import MOST_UNRECORDED_BYTES, Inflow, Receipts

if TYPE_CHECKING:
    from twilio_notifications.ports import Inbound

MOST = 100
PIECE = 65_536
"""What is read at once."""

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
QUALITIES = pytest.mark.parametrize("qos", [0, 1])


class TestInflow:
    async def test_it_stops_at_one_more_than_may_wait_and_goes_on_at_half(self) -> None:
        inflow = Inflow(most_unrecorded=10)
        all_receipts = Receipts(inflow)
        receipts = [all_receipts.new(1, nothing) for _ in range(10)]
        assert inflow.is_open
        receipts.append(all_receipts.new(1, nothing))
        assert not inflow.is_open
        for receipt in receipts[:5]:
            receipt.acknowledge()
        assert not inflow.is_open
        receipts[5].acknowledge()
        assert inflow.is_open

    async def test_few_large_payloads_count_as_many(self) -> None:
        inflow = Inflow(most_unrecorded=10)
        all_receipts = Receipts(inflow)
        receipts = [all_receipts.new(MOST_UNRECORDED_BYTES // 2, nothing) for _ in range(2)]
        assert inflow.is_open
        receipts.append(all_receipts.new(1, nothing))
        assert not inflow.is_open
        receipts[0].acknowledge()
        assert not inflow.is_open
        receipts[2].acknowledge()
        assert inflow.is_open

    async def test_a_window_of_one_opens_again(self) -> None:
        inflow = Inflow(most_unrecorded=1)
        all_receipts = Receipts(inflow)
        receipts = [all_receipts.new(1, nothing) for _ in range(2)]
        assert not inflow.is_open
        for receipt in receipts:
            receipt.acknowledge()
        assert inflow.is_open

    async def test_room_is_given_back_once(self) -> None:
        """A payload may be released because its acknowledgement failed."""
        inflow = Inflow(most_unrecorded=2)
        all_receipts = Receipts(inflow)
        first, *_ = (all_receipts.new(1, nothing) for _ in range(4))
        for _ in range(3):
            first.acknowledge()
            first.release()
        assert not inflow.is_open


def nothing() -> None:
    """What an acknowledgement does with QoS 0."""


def flood(link: Link, count: int, *, qos: int, size: int = 100) -> list[bytes]:
    """That many different payloads, all at once."""
    payloads = [b"%07d" % number + b"x" * (size - 7) for number in range(count)]
    link.say(
        *(
            link.publish(TEXT_TOPIC, payload, packet_id=number % 60_000 + 1 if qos else None)
            for number, payload in enumerate(payloads)
        )
    )
    return payloads


async def rest(found: Running, *, most: int) -> int:
    """How much has come in once the connection is no longer read, or more than `most` has."""
    session = found.transport._session
    assert session is not None
    async with asyncio.timeout(WAIT_SECONDS):
        # Nothing announces that reading ends.
        while session._connection.is_reading and found.inbound.qsize() <= most:  # noqa: ASYNC110 - see above
            await asyncio.sleep(0)
    return found.inbound.qsize()


@PROTOCOLS
@QUALITIES
async def test_a_flood_waits_at_the_broker(protocol: str, qos: int) -> None:
    """One piece may be read beyond the limit, since it holds whole packets that cannot be put back."""
    payloads: list[bytes] = []
    let_loose = asyncio.Event()

    async def broker_floods(link: Link) -> None:
        await link.accept()
        await let_loose.wait()
        payloads.extend(flood(link, 20_000, qos=qos))

    async with (
        RawBroker(broker_floods) as broker,
        running(broker.url, protocol=protocol, receive_maximum=MOST) as found,
    ):
        await found.ready()
        let_loose.set()
        first = await found.next_inbound()
        held = 1 + await rest(found, most=MOST + PIECE // 100)
        assert MOST < held <= MOST + PIECE // 100
        received = [first.payload]
        waiting: deque[Inbound] = deque([first])
        while len(received) < len(payloads):
            waiting.popleft().acknowledge()
            if not waiting:
                waiting.append(await found.next_inbound())
                received.append(waiting[0].payload)
            while not found.inbound.empty():
                waiting.append(found.inbound.get_nowait())
                received.append(waiting[-1].payload)
            assert len(waiting) <= MOST + PIECE // 100
    assert payloads == received


@pytest.mark.parametrize("how", ["acknowledge", "release"])
async def test_what_will_not_be_recorded_makes_room_too(how: str) -> None:
    async def broker_floods(link: Link) -> None:
        await link.accept()
        flood(link, 3_000, qos=0)

    async with RawBroker(broker_floods) as broker, running(broker.url, receive_maximum=1) as found:
        for _ in range(3_000):
            getattr(await found.next_inbound(), how)()


@PROTOCOLS
async def test_the_connection_outlives_a_pause_longer_than_its_keep_alive(protocol: str) -> None:
    """The broker's answers to our pings are not read meanwhile, and it hears pings all the same."""
    pings = asyncio.Queue[None]()

    async def broker_floods(link: Link) -> None:
        await link.accept()
        flood(link, 5_000, qos=0)
        while (await link.hear_any()).kind is Kind.PINGREQ:
            pings.put_nowait(None)

    async with (
        RawBroker(broker_floods) as broker,
        running(broker.url, protocol=protocol, receive_maximum=1, keepalive_seconds=1) as found,
    ):
        for _ in range(4):  # one a second; given up after two without a sign of life
            await asyncio.wait_for(pings.get(), WAIT_SECONDS)
        assert not found.told("broker_lost")
        for _ in range(5_000):
            (await found.next_inbound()).acknowledge()
        assert 1 == len(broker.links)


@pytest.mark.parametrize("size", [300_000, 10_000_000])
@PROTOCOLS
@QUALITIES
async def test_a_giant_comes_in_as_its_size_alone(protocol: str, qos: int, size: int) -> None:
    async def broker_sends(link: Link) -> None:
        await link.accept()
        link.say(link.publish(TEXT_TOPIC, b"x" * size, packet_id=9 if qos else None, dup=bool(qos)))
        link.say(link.publish(TEXT_TOPIC, b"small", packet_id=10))
        if qos:
            assert 9 == (await link.hear(Kind.PUBACK)).packet_id
        assert 10 == (await link.hear(Kind.PUBACK)).packet_id

    async with RawBroker(broker_sends) as broker, running(broker.url, protocol=protocol) as found:
        giant, small = await found.next_inbound(), await found.next_inbound()
        assert (TEXT_TOPIC, b"", size) == (giant.topic, giant.payload, giant.passed_over)
        assert (bool(qos), 9 if qos else None) == (giant.redelivered, giant.packet_id)
        assert (b"small", 0) == (small.payload, small.passed_over)
        giant.acknowledge()
        small.acknowledge()
