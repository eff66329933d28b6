"""The connector distinguishes requests from the copies that old subscriptions of its session make."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.transport_steps import CALL_TOPIC, TEXT_TOPIC
from tests.support.earlier_client import leave_session
from tests.support.lossy_line import LossyLine
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_packets import properties
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.adapters.mqtt.copies import OURS, Copies, filters_with_wildcards
from twilio_notifications.adapters.mqtt.protocol import Publish

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.mqtt_steps import Running
    from twilio_notifications.ports import Inbound

MINE, NOBODYS, UNREADABLE = (OURS,), (), None
"""Identifiers that a message may carry."""


def message(
    payload: bytes, identifiers: tuple[int, ...] | None, *, topic: str = TEXT_TOPIC, dup: bool = False
) -> Publish:
    return Publish(
        topic=topic,
        payload=payload,
        qos=1,
        packet_id=1,
        redelivered=dup,
        retained=False,
        identifiers=identifiers,
    )


def executed(*messages: Publish) -> list[bytes]:
    copies = Copies()
    return [each.payload for each in messages if not copies.is_copy(each)]


def test_a_copy_behind_its_original_is_told() -> None:
    assert [b"one", b"two"] == executed(
        message(b"one", MINE), message(b"one", NOBODYS), message(b"two", NOBODYS), message(b"two", MINE)
    )


def test_what_is_delivered_again_is_never_taken_for_a_copy() -> None:
    """Mosquitto repeats it without the identifier; the journal knows whether it holds it."""
    assert [b"one", b"two"] == executed(message(b"one", MINE), message(b"two", NOBODYS, dup=True))


def test_a_copy_before_its_original_is_told() -> None:
    assert [b"one", b"two"] == executed(
        message(b"one", NOBODYS), message(b"one", MINE), message(b"two", NOBODYS), message(b"two", MINE)
    )


def test_what_the_session_kept_from_an_earlier_time_is_executed() -> None:
    """By a connection of MQTT 3.1.1, or by another program: it carries no identifier, and has no twin."""
    assert [b"kept", b"kept too", b"new"] == executed(
        message(b"kept", NOBODYS), message(b"kept too", NOBODYS), message(b"new", MINE)
    )


def test_each_topic_is_proven_by_itself() -> None:
    """Only messages of one topic come in the order in which they were published."""
    assert [b"new", b"kept"] == executed(message(b"new", MINE), message(b"kept", NOBODYS, topic=CALL_TOPIC))


def test_several_identifiers_are_ours_where_ours_is_among_them() -> None:
    assert [b"one", b"two"] == executed(message(b"one", MINE), message(b"two", (7, OURS)))


def test_another_identifier_is_not_ours() -> None:
    assert [b"one"] == executed(message(b"one", MINE), message(b"one", (7,)))


def test_what_cannot_be_read_is_no_copy() -> None:
    assert [b"one", b"two"] == executed(message(b"one", MINE), message(b"two", UNREADABLE))


def test_a_repetition_of_the_broker_is_not_taken_for_a_twin() -> None:
    """It may be the last that was kept, sent again next to a new one with equal bytes."""
    assert [b"one", b"one"] == executed(message(b"one", NOBODYS), message(b"one", MINE, dup=True))


def test_each_filter_with_wildcards_that_matches_is_named_once() -> None:
    found = [each for some in filters_with_wildcards("a/b") for each in some]
    assert sorted(["#", "a/#", "a/b/#", "+/b", "+/#", "+/b/#", "a/+", "a/+/#", "+/+", "+/+/#"]) == sorted(
        found
    )


@pytest.mark.parametrize("topic", ["a/b/c/d/e/f/g/h", "/" * 1000, "x" * 70_000])
def test_the_filters_of_a_long_topic_are_bounded(topic: str) -> None:
    packets = list(filters_with_wildcards(topic))
    assert sum(map(len, packets)) <= 64
    assert all(len(some) <= 8 for some in packets)


@pytest.mark.mosquitto
async def test_copies_whose_acknowledgements_are_lost_are_not_executed(tmp_path: Path) -> None:
    """Delivered again, a copy looks like a request: so the first one ends the subscription that made it."""
    async with (
        Mosquitto(tmp_path) as broker,
        Peer(broker.url, subscribe="") as peer,
        LossyLine(broker.port) as line,
    ):
        await leave_session(broker.url, "connector", ["twilio/#", "+/txt"])
        async with running(line.url, protocol="5") as found:
            await found.ready()
            line.passes = 3  # of the first request and its copies; the others are lost
            await peer.publish(TEXT_TOPIC, b"first")
            (await found.next_inbound()).acknowledge()
            async with asyncio.timeout(WAIT_SECONDS):
                while line.passes:  # noqa: ASYNC110 - the line announces nothing
                    await asyncio.sleep(0.01)
            await peer.publish(TEXT_TOPIC, b"second")
            (await found.next_inbound()).acknowledge()
            await line.cut()
            line.passes = None
            await next_status_says(found, peer, [b"second"])


async def next_status_says(found: Running, peer: Peer, expected: list[bytes]) -> None:
    """Exactly these requests come, then nothing but the last one, which is published now."""
    await peer.publish(TEXT_TOPIC, b"last")
    inbounds: list[Inbound] = []
    while not inbounds or inbounds[-1].payload != b"last":
        inbounds.append(await found.next_inbound())
        inbounds[-1].acknowledge()
    assert [*expected, b"last"] == [inbound.payload for inbound in inbounds]


@pytest.mark.mosquitto
async def test_old_subscriptions_of_the_session_execute_nothing_twice(tmp_path: Path) -> None:
    async with Mosquitto(tmp_path) as broker, Peer(broker.url, subscribe="") as peer:
        await leave_session(broker.url, "connector", ["twilio/#", "+/txt"])
        async with running(broker.url, protocol="5") as found:
            await found.ready()
            for payload in (b"one", b"two", b"two"):
                await peer.publish(TEXT_TOPIC, payload)
            await next_status_says(found, peer, [b"one", b"two", b"two"])
            assert {TEXT_TOPIC} == {event["topic"] for event in found.told("copy_dropped")}


async def test_copies_are_acknowledged_and_told_once_for_each_connection() -> None:
    async def send(link: Link) -> None:
        await link.accept()
        ours = properties(Kind.PUBLISH, SubscriptionIdentifier=OURS)
        for number in range(3):
            link.say(link.publish(TEXT_TOPIC, b"%d" % number, packet_id=2 * number + 1, properties=ours))
            link.say(link.publish(TEXT_TOPIC, b"%d" % number, packet_id=2 * number + 2))
        acknowledged = 0
        while acknowledged < 6:
            acknowledged += (await link.hear_any()).kind is Kind.PUBACK
        await link.hear_the_end()

    async with RawBroker(send) as broker, running(broker.url, protocol="5") as found:
        for _ in range(3):
            (await found.next_inbound()).acknowledge()
        await asyncio.wait_for(heard(broker, 6), WAIT_SECONDS)
        assert ["WARNING", "DEBUG", "DEBUG"] == [event.level for event in found.events.named("copy_dropped")]


async def test_without_identifiers_equal_messages_that_come_together_are_executed_and_told() -> None:
    async def send_twice(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(link.connack(0, session_present=True))
        await link.grant()
        link.say(*(link.publish(TEXT_TOPIC, b"one", packet_id=number) for number in (1, 2, 3)))
        await link.hear_the_end()

    async with RawBroker(send_twice) as broker, running(broker.url, protocol="3.1.1") as found:
        for _ in range(3):
            assert b"one" == (await found.next_inbound()).payload
        assert [{"topic": TEXT_TOPIC}] == found.told("copy_suspected")


async def heard(broker: RawBroker, count: int) -> None:
    """Returns when so many acknowledgements have come to the broker."""
    async with asyncio.timeout(WAIT_SECONDS):
        while count > sum(packet.kind is Kind.PUBACK for packet in broker.links[0].seen):  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.001)
