"""What the MQTT adapter receives, acknowledges and publishes, on a broker that says what the test wants."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, Any

import pytest

from tests.adapters.mqtt_steps import running
from tests.adapters.transport_steps import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, Packet, RawBroker
from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Script = Callable[[Link], Awaitable[None]]

PROTOCOLS = pytest.mark.parametrize("protocol", ["5", "3.1.1"])
LARGEST = 128 * 1024


async def let_in(link: Link) -> None:
    await link.accept()


def receive_maximum(count: int) -> bytes:
    """The property of CONNACK (MQTT 5, 3.2.2.3.3)."""
    return struct.pack("!BH", 0x21, count)


def sending(*publishes: dict[str, Any]) -> Script:
    """Lets the client in and sends it these messages, all at once."""

    async def send(link: Link) -> None:
        await link.accept()
        link.say(*(link.publish(**publish) for publish in publishes))
        await link.hear_the_end()

    return send


async def failure_of(published: asyncio.Future[None]) -> NotAcknowledged:
    with pytest.raises(NotAcknowledged) as caught:
        await asyncio.wait_for(published, WAIT_SECONDS)
    return caught.value


# Receiving


@PROTOCOLS
async def test_what_arrives_keeps_its_topic_bytes_packet_id_and_flags(protocol: str) -> None:
    first = {"topic": TEXT_TOPIC, "payload": b"\xff\x00one", "packet_id": 7}
    second = {"topic": CALL_TOPIC, "payload": b"", "packet_id": 65_535, "dup": True}
    third = {"topic": TEXT_TOPIC, "payload": b"three", "packet_id": 8, "retain": True}
    async with (
        RawBroker(sending(first, second, third)) as broker,
        running(broker.url, protocol=protocol) as found,
    ):
        inbounds = [await found.next_inbound() for _ in range(3)]
        assert [(TEXT_TOPIC, b"\xff\x00one"), (CALL_TOPIC, b""), (TEXT_TOPIC, b"three")] == [
            (inbound.topic, inbound.payload) for inbound in inbounds
        ]
        assert [7, 65_535, 8] == [inbound.packet_id for inbound in inbounds]
        assert [False, True, False] == [inbound.redelivered for inbound in inbounds]
        assert [False, False, True] == [inbound.retained for inbound in inbounds]


@PROTOCOLS
async def test_what_the_broker_kept_may_arrive_before_the_subscription_is_acknowledged(protocol: str) -> None:
    """With a session that is present it comes right behind CONNACK."""

    async def send_early(link: Link) -> None:
        await link.hear(Kind.CONNECT)
        link.say(
            link.connack(0, session_present=True),
            link.publish(TEXT_TOPIC, b"kept", packet_id=1, dup=True),
        )
        heard = {packet.kind: packet for packet in [await link.hear_any(), await link.hear_any()]}
        assert {Kind.SUBSCRIBE, Kind.PUBACK} == heard.keys()
        link.say(link.suback(heard[Kind.SUBSCRIBE].packet_id, 1, 1))

    async with RawBroker(send_early) as broker, running(broker.url, protocol=protocol) as found:
        inbound = await found.next_inbound()
        assert b"kept" == inbound.payload
        inbound.acknowledge()
        await found.ready()


@PROTOCOLS
async def test_a_message_is_acknowledged_when_its_receiver_says_so_and_not_before(protocol: str) -> None:
    acknowledged: asyncio.Queue[int] = asyncio.Queue()

    async def send_two(link: Link) -> None:
        await link.accept()
        link.say(*(link.publish(TEXT_TOPIC, b"%d" % number, packet_id=number) for number in (1, 2)))
        while True:
            acknowledged.put_nowait((await link.hear(Kind.PUBACK)).packet_id)

    async with RawBroker(send_two) as broker, running(broker.url, protocol=protocol) as found:
        first, second = [await found.next_inbound() for _ in range(2)]
        second.acknowledge()  # waits for the first: PUBACKs leave in the order of arrival (MQTT 5, 4.6)
        first.acknowledge()
        assert [1, 2] == [await asyncio.wait_for(acknowledged.get(), WAIT_SECONDS) for _ in range(2)]
        assert [Kind.CONNECT, Kind.SUBSCRIBE, Kind.PUBACK, Kind.PUBACK] == [
            packet.kind for packet in broker.links[0].seen
        ]


async def test_an_acknowledgement_that_comes_too_late_is_not_sent_on_the_next_connection() -> None:
    """There it could acknowledge another message under the same packet identifier."""
    message = {"topic": TEXT_TOPIC, "payload": b"one", "packet_id": 1}
    another = {"topic": TEXT_TOPIC, "payload": b"two", "packet_id": 1}
    async with RawBroker(sending(message), sending(another)) as broker, running(broker.url) as found:
        await found.ready()
        late = await found.next_inbound()
        broker.links[0].hang_up()
        await found.ready()
        prompt = await found.next_inbound()
        late.acknowledge()
        published = found.transport.publish(STATUS_TOPIC, b"a status, to see what was sent before it")
        await until_heard(broker.links[1], Kind.PUBLISH)
        assert [] == of_kind(broker.links[1], Kind.PUBACK)
        prompt.acknowledge()
        await until_heard(broker.links[1], Kind.PUBACK)
        broker.links[1].say(broker.links[1].puback(of_kind(broker.links[1], Kind.PUBLISH)[0].packet_id))
        await published


@PROTOCOLS
async def test_a_message_as_large_as_they_may_be_arrives_whole(protocol: str) -> None:
    payload = bytes(range(256)) * (LARGEST // 256)
    message = {"topic": TEXT_TOPIC, "payload": payload, "packet_id": 1}
    async with RawBroker(sending(message)) as broker, running(broker.url, protocol=protocol) as found:
        assert payload == (await found.next_inbound()).payload


async def test_a_message_that_comes_in_pieces_arrives_whole() -> None:
    async def trickle(link: Link) -> None:
        await link.accept()
        for byte in link.publish(TEXT_TOPIC, b"x" * 300, packet_id=1):
            link.say(bytes((byte,)))
            await link._writer.drain()
            await asyncio.sleep(0)

    async with RawBroker(trickle) as broker, running(broker.url) as found:
        assert b"x" * 300 == (await found.next_inbound()).payload


# Publishing


async def until_heard(link: Link, kind: Kind, count: int = 1) -> None:
    """Returns when the broker has so many packets of this kind; its script has to be listening."""
    async with asyncio.timeout(WAIT_SECONDS):
        while len(of_kind(link, kind)) < count:  # noqa: ASYNC110 - the link has no event for it
            await asyncio.sleep(0.001)


def of_kind(link: Link, kind: Kind) -> list[Packet]:
    return [packet for packet in link.seen if packet.kind is kind]


def answering(reason: int | None) -> Script:
    """Lets the client in and answers each of its messages so."""

    async def answer(link: Link) -> None:
        await link.accept()
        while True:
            link.say(link.puback((await link.hear(Kind.PUBLISH)).packet_id, reason))

    return answer


@PROTOCOLS
@pytest.mark.parametrize("payload", [b"{}", b"", b"x" * LARGEST], ids=["small", "empty", "large"])
async def test_a_status_is_published_with_qos_1_and_is_done_with_its_puback(
    protocol: str, payload: bytes
) -> None:
    async with RawBroker(answering(None)) as broker, running(broker.url, protocol=protocol) as found:
        await found.ready()
        await asyncio.wait_for(found.transport.publish("Küche/status", payload), WAIT_SECONDS)
        (publish,) = of_kind(broker.links[0], Kind.PUBLISH)
        assert ("Küche/status", 0b0010) == (publish.topic, publish.flags)
        assert publish.body.endswith(payload)


async def test_nobody_listening_is_no_failure() -> None:
    """Reason 0x10: "no matching subscribers" (MQTT 5, 3.4.2.1)."""
    async with RawBroker(answering(0x10)) as broker, running(broker.url) as found:
        await found.ready()
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"{}"), WAIT_SECONDS)


@pytest.mark.parametrize("reason", [0x80, 0x87, 0x97])
async def test_a_status_that_the_broker_refuses_fails_and_the_connection_stays(reason: int) -> None:
    async with RawBroker(answering(reason)) as broker, running(broker.url) as found:
        await found.ready()
        for _ in range(3):  # an identifier that is not given back would soon be missing
            failure = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
            assert failure.refused
            assert str(reason) in str(failure)
        assert 1 == len(broker.links)


async def test_packet_identifiers_are_given_back() -> None:
    """White-box, near the end of them: otherwise the connector would stop after 65,535 statuses."""
    async with RawBroker(answering(None)) as broker, running(broker.url) as found:
        await found.ready()
        assert found.transport._session is not None
        found.transport._session._conversation._last_id = 65_532
        for _ in range(6):
            await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"{}"), WAIT_SECONDS)
        published = [packet.packet_id for packet in of_kind(broker.links[0], Kind.PUBLISH)]
        assert [65_533, 65_534, 65_535, 1, 2, 3] == published


@pytest.mark.parametrize("maximum", [1, 2, 3])
async def test_never_more_than_the_brokers_receive_maximum_is_unacknowledged(maximum: int) -> None:
    """A broker ends the connection of who sends more (MQTT 5, 3.3.4)."""
    payloads = [b"%d" % number for number in range(10)]
    most = 0

    async def acknowledge_late(link: Link) -> None:
        nonlocal most
        await link.accept(properties=receive_maximum(maximum))
        open_ids: list[int] = []
        arrived = 0
        while arrived < len(payloads):
            try:
                async with asyncio.timeout(0.05):  # nothing more comes: all that may be open is open
                    publish = await link.hear(Kind.PUBLISH)
            except TimeoutError:
                link.say(*(link.puback(packet_id) for packet_id in open_ids))
                open_ids = []
                continue
            assert publish.packet_id not in open_ids
            arrived += 1
            open_ids.append(publish.packet_id)
            most = max(most, len(open_ids))
        link.say(*(link.puback(packet_id) for packet_id in open_ids))

    async with RawBroker(acknowledge_late) as broker, running(broker.url) as found:
        await found.ready()
        await asyncio.wait_for(
            asyncio.gather(*(found.transport.publish(STATUS_TOPIC, payload) for payload in payloads)),
            WAIT_SECONDS,
        )
        published = of_kind(broker.links[0], Kind.PUBLISH)
        assert payloads == [packet.body[-1:] for packet in published], "in the order of the calls"
        assert maximum == most


async def test_without_a_connection_a_status_fails_at_once() -> None:
    async with RawBroker(let_in) as broker, running(broker.url) as found:
        failure = await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
        assert not failure.refused
        await found.ready()


@pytest.mark.parametrize("maximum", [1, 100])
async def test_what_is_unacknowledged_when_the_connection_ends_fails_and_is_not_replayed(
    maximum: int,
) -> None:
    """The journal has it, and the reporter publishes it again; the adapter remembers nothing."""

    async def swallow(link: Link) -> None:
        await link.accept(properties=receive_maximum(maximum))

    async with RawBroker(swallow, answering(None)) as broker, running(broker.url) as found:
        await found.ready()
        published = [found.transport.publish(STATUS_TOPIC, b"%d" % number) for number in range(3)]
        await until_heard(broker.links[0], Kind.PUBLISH)
        broker.links[0].hang_up()
        assert [False] * 3 == [(await failure_of(future)).refused for future in published]
        await found.ready()
        await asyncio.wait_for(found.transport.publish(STATUS_TOPIC, b"new"), WAIT_SECONDS)
        assert [b"new"] == [packet.body[-3:] for packet in of_kind(broker.links[1], Kind.PUBLISH)]


async def test_a_session_that_is_taken_over_says_so() -> None:
    async with RawBroker(let_in) as broker, running(broker.url) as found:
        await found.ready()
        published = found.transport.publish(STATUS_TOPIC, b"{}")
        await until_heard(broker.links[0], Kind.PUBLISH)
        broker.links[0].say(broker.links[0].disconnect(0x8E))
        assert "client_id of its own" in str(await failure_of(published))
        await found.ready()
        (lost,) = found.told("broker_lost")
        assert "client_id of its own" in str(lost["error"])


@PROTOCOLS
async def test_closing_says_goodbye_and_fails_what_is_unacknowledged(protocol: str) -> None:
    async with RawBroker(let_in) as broker, running(broker.url, protocol=protocol) as found:
        await found.ready()
        published = found.transport.publish(STATUS_TOPIC, b"{}")
        await found.transport.close()
        await failure_of(published)
        await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))
        await until_heard(broker.links[0], Kind.DISCONNECT)


async def test_a_broker_that_no_longer_reads_is_left_in_time() -> None:
    """What cannot be written to it must not keep the connection open, as a network that is gone would."""

    async def stop_reading(link: Link) -> None:
        await link.accept()
        link.stop_reading()
        await broker.link(2)
        link.read_on()

    async with RawBroker(stop_reading, let_in) as broker, running(broker.url, keepalive_seconds=1) as found:
        await found.ready()
        published = [found.transport.publish(STATUS_TOPIC, b"x" * 2**20) for _ in range(20)]
        await found.ready()
        assert not any([(await failure_of(future)).refused for future in published])
        await asyncio.wait_for(broker.links[0].ended.wait(), WAIT_SECONDS)
    assert len(published) > len(of_kind(broker.links[0], Kind.PUBLISH)), "the rest was dropped, not kept"


async def test_a_broker_that_hangs_is_noticed_by_its_silence() -> None:
    """No answer to PINGREQ: the connection is given up after twice the keep alive."""

    async def fall_silent(link: Link) -> None:
        await link.accept()
        while True:
            await link.hear_any()

    async with (
        RawBroker(fall_silent, let_in) as broker,
        running(broker.url, keepalive_seconds=1) as found,
    ):
        await found.ready()
        await found.ready()
        assert of_kind(broker.links[0], Kind.PINGREQ)
