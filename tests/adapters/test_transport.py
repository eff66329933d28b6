"""The port `Transport`, and every adapter of it by the same claims.

What only one of them promises stands in its own tests: the windows of MQTT, the sides of a nucleus.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.adapters import greengrass_steps, mqtt_steps
from tests.adapters.transport_steps import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC
from tests.support.nucleus import FakeNucleus
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_broker import Kind, Link, RawBroker
from twilio_notifications.core.errors import NotAcknowledged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

    from twilio_notifications.ports import Inbound, Transport

QUOTA_EXCEEDED = 0x97


class Found(Protocol):
    """A transport that runs, and what it brought."""

    @property
    def transport(self) -> Transport: ...

    async def ready(self) -> None: ...

    async def next_inbound(self) -> Inbound: ...


class Peer(Protocol):
    """What stands on the other side of a transport."""

    def running(self) -> AbstractAsyncContextManager[Found]: ...

    def send(self, topic: str, payload: bytes) -> None:
        """A client asks for something."""

    def taken(self) -> list[tuple[str, bytes]]:
        """The statuses it acknowledged."""

    def refuse(self) -> None:
        """From now on it says no to statuses."""

    def be_silent(self) -> None:
        """From now on it answers no status."""

    async def asked(self) -> None:
        """Returns when a status has come that it does not answer."""

    def hang_up(self) -> None:
        """Ends the connection; the next one is let in."""


class Broker:
    """An MQTT 5 broker."""

    def __init__(self, server: RawBroker, behaviour: _Behaviour) -> None:
        self._server = server
        self._behaviour = behaviour
        self._packet_ids = iter(range(1, 65_536))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Found]:
        async with mqtt_steps.running(self._server.url, protocol="5") as found:
            yield found

    def send(self, topic: str, payload: bytes) -> None:
        link = self._server.links[-1]
        link.say(link.publish(topic, payload, packet_id=next(self._packet_ids)))

    def taken(self) -> list[tuple[str, bytes]]:
        return self._behaviour.taken

    def refuse(self) -> None:
        self._behaviour.reason = QUOTA_EXCEEDED

    def be_silent(self) -> None:
        self._behaviour.reason = None

    async def asked(self) -> None:
        await asyncio.wait_for(self._behaviour.unanswered.wait(), WAIT_SECONDS)

    def hang_up(self) -> None:
        self._behaviour.reason = 0
        self._server.links[-1].hang_up()


class _Behaviour:
    """How every connection is served."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, bytes]] = []
        self.reason: int | None = 0
        self.unanswered = asyncio.Event()

    async def serve(self, link: Link) -> None:
        await link.accept()
        while True:
            packet = await link.hear_any()
            if packet.kind is Kind.PUBLISH:
                self._answer(link, packet.packet_id, (packet.topic, packet.body))

    def _answer(self, link: Link, packet_id: int, status: tuple[str, bytes]) -> None:
        if self.reason is None:
            self.unanswered.set()
            return
        link.say(link.puback(packet_id, self.reason))
        if self.reason == 0:
            topic, body = status
            self.taken.append((topic, body[2 + len(topic) + 2 + 1 :]))


class Nucleus:
    """A Greengrass V2 nucleus, by its local messages."""

    def __init__(self, nucleus: FakeNucleus) -> None:
        self._nucleus = nucleus

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Found]:
        async with greengrass_steps.running(self._nucleus) as found:
            yield found

    def send(self, topic: str, payload: bytes) -> None:
        assert 1 == self._nucleus.publish(topic, payload)

    def taken(self) -> list[tuple[str, bytes]]:
        return [(one.topic, one.payload) for one in self._nucleus.published(count=0)]

    def refuse(self) -> None:
        self._nucleus.faults.refused.add("PublishToTopic")

    def be_silent(self) -> None:
        self._nucleus.faults.silent.add("PublishToTopic")

    async def asked(self) -> None:
        await asyncio.to_thread(
            self._nucleus.wait_until, lambda: "PublishToTopic" in self._nucleus.operations, "a status"
        )

    def hang_up(self) -> None:
        self._nucleus.faults.silent.clear()
        self._nucleus.close_connections()


@asynccontextmanager
async def an_mqtt_broker() -> AsyncIterator[Peer]:
    behaviour = _Behaviour()
    async with RawBroker(behaviour.serve) as server:
        yield Broker(server, behaviour)


@asynccontextmanager
async def a_nucleus() -> AsyncIterator[Peer]:
    with FakeNucleus() as nucleus:
        yield Nucleus(nucleus)


PEERS: dict[str, Callable[[], AbstractAsyncContextManager[Peer]]] = {
    "mqtt": an_mqtt_broker,
    "greengrass": a_nucleus,
}
TRANSPORTS = pytest.mark.parametrize("transport", PEERS)


@asynccontextmanager
async def connected(transport: str) -> AsyncIterator[tuple[Peer, Found]]:
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(PEERS[transport]())
        found = await stack.enter_async_context(peer.running())
        await found.ready()
        yield peer, found


async def failure_of(published: asyncio.Future[None]) -> NotAcknowledged:
    with pytest.raises(NotAcknowledged) as caught:
        await asyncio.wait_for(published, WAIT_SECONDS)
    return caught.value


@TRANSPORTS
async def test_what_arrives_keeps_its_topic_its_bytes_and_its_order(transport: str) -> None:
    sent = [(TEXT_TOPIC, b"\xff\x00"), (CALL_TOPIC, b""), *((TEXT_TOPIC, b"%d" % n) for n in range(20))]
    async with connected(transport) as (peer, found):
        for topic, payload in sent:
            peer.send(topic, payload)
        arrived = [await found.next_inbound() for _ in sent]
        assert sent == [(inbound.topic, inbound.payload) for inbound in arrived]
        assert not any(inbound.retained for inbound in arrived)


@TRANSPORTS
async def test_an_inbound_may_be_acknowledged_or_released(transport: str) -> None:
    async with connected(transport) as (peer, found):
        for _ in range(2):
            peer.send(TEXT_TOPIC, b"x")
        (await found.next_inbound()).acknowledge()
        (await found.next_inbound()).release()
        peer.send(TEXT_TOPIC, b"y")
        assert b"y" == (await found.next_inbound()).payload


@TRANSPORTS
async def test_an_inbound_does_not_show_its_payload(transport: str) -> None:
    async with connected(transport) as (peer, found):
        peer.send(TEXT_TOPIC, b"The freezer")
        assert "freezer" not in repr(await found.next_inbound())


@TRANSPORTS
async def test_a_status_is_done_when_the_other_side_has_taken_it(transport: str) -> None:
    async with connected(transport) as (peer, found):
        statuses = [b"%d" % number for number in range(20)]
        await asyncio.gather(*(found.transport.publish(STATUS_TOPIC, status) for status in statuses))
        assert [(STATUS_TOPIC, status) for status in statuses] == peer.taken()


@TRANSPORTS
async def test_a_status_that_is_refused_says_so_and_the_connection_stands(transport: str) -> None:
    async with connected(transport) as (peer, found):
        peer.refuse()
        assert (await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))).refused
        peer.send(TEXT_TOPIC, b"x")
        assert b"x" == (await found.next_inbound()).payload


@TRANSPORTS
async def test_a_status_that_is_under_way_when_the_connection_ends_is_not_acknowledged(
    transport: str,
) -> None:
    async with connected(transport) as (peer, found):
        peer.be_silent()
        published = found.transport.publish(STATUS_TOPIC, b"{}")
        await peer.asked()
        peer.hang_up()
        assert not (await failure_of(published)).refused


@TRANSPORTS
async def test_a_connection_that_ends_is_followed_by_another_that_is_ready_too(transport: str) -> None:
    async with connected(transport) as (peer, found):
        peer.hang_up()
        await found.ready()
        peer.send(CALL_TOPIC, b"again")
        assert b"again" == (await found.next_inbound()).payload
        await found.transport.publish(STATUS_TOPIC, b"{}")


@TRANSPORTS
async def test_after_it_is_closed_a_status_is_not_acknowledged(transport: str) -> None:
    async with connected(transport) as (_, found):
        await found.transport.close()
        assert not (await failure_of(found.transport.publish(STATUS_TOPIC, b"{}"))).refused


@TRANSPORTS
async def test_closing_it_twice_is_closing_it(transport: str) -> None:
    async with connected(transport) as (_, found):
        await found.transport.close()
        await found.transport.close()
