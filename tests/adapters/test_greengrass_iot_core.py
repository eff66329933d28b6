"""Publishing to AWS IoT Core where the nucleus has no room for a moment, and where it has none for good."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.adapters.greengrass_steps import running
from tests.adapters.transport_steps import STATUS_TOPIC
from tests.support.clock import HandClock
from tests.support.nucleus import LITE_UNACKNOWLEDGED, FakeNucleus, Side, Style
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.greengrass.iot_core import ROOM, SHORTEST_SECONDS, TRIES
from twilio_notifications.core.errors import NotAcknowledged
from twilio_notifications.ports import Origin

if TYPE_CHECKING:
    from tests.adapters.greengrass_steps import Running

PUBLISH = "PublishToIoTCore"


def publish(found: Running, count: int, *, origin: Origin = Origin.IOT_CORE) -> list[asyncio.Future[None]]:
    return [found.transport.publish(STATUS_TOPIC, b"%d" % number, origin=origin) for number in range(count)]


async def until_asked(nucleus: FakeNucleus, count: int) -> None:
    await asyncio.to_thread(
        nucleus.wait_until, lambda: nucleus.operations.count(PUBLISH) >= count, f"{count} publishes"
    )


async def test_the_eleventh_message_waits_a_moment_for_its_room_and_is_no_refusal() -> None:
    """Nucleus lite holds ten that are not acknowledged. The clock is turned by hand to the next try."""
    clock = HandClock()
    with FakeNucleus(style=Style.LITE) as nucleus:
        async with running(nucleus, clock=clock, pubsub="iot_core") as found:
            await found.ready()
            nucleus.faults.holds_acknowledgements = True
            await until(lambda: bool(clock.sleeping))  # the next look at the configuration
            asleep = clock.sleeping
            published = publish(found, LITE_UNACKNOWLEDGED + 1)
            await until_asked(nucleus, LITE_UNACKNOWLEDGED + 1)
            await asyncio.wait_for(asyncio.gather(*published[:-1]), WAIT_SECONDS)
            assert not published[-1].done()
            nucleus.acknowledge()
            await until(lambda: clock.sleeping > asleep)
            await clock.advance(SHORTEST_SECONDS)
            await asyncio.wait_for(published[-1], WAIT_SECONDS)
            assert LITE_UNACKNOWLEDGED + 1 == len(nucleus.published(STATUS_TOPIC, side=Side.IOT_CORE))


async def test_many_statuses_get_through_a_nucleus_that_holds_ten() -> None:
    with FakeNucleus(style=Style.LITE) as nucleus:
        async with running(nucleus, pubsub="iot_core") as found:
            await found.ready()
            nucleus.faults.holds_acknowledgements = True
            published = publish(found, 40)
            for _ in range(4):
                await until_asked(nucleus, nucleus.operations.count(PUBLISH) + 1)
                nucleus.acknowledge()
            while not all(each.done() for each in published):
                nucleus.acknowledge()
                await asyncio.wait(published, timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.gather(*published)
            assert {b"%d" % number for number in range(40)} == {
                one.payload for one in nucleus.published(STATUS_TOPIC, count=40)
            }


async def test_no_room_for_long_is_a_refusal_and_the_others_are_not_tried_that_long() -> None:
    """Without a network it is the same answer; local statuses must not wait behind those."""
    clock = HandClock()
    with FakeNucleus(style=Style.LITE) as nucleus:
        async with running(nucleus, clock=clock, pubsub="both") as found:
            await found.ready()
            nucleus.faults.refused.add(PUBLISH)
            await until(lambda: bool(clock.sleeping))
            asleep = clock.sleeping
            (first,) = publish(found, 1)
            while not first.done():
                await until(lambda: first.done() or clock.sleeping > asleep)
                await clock.advance(SHORTEST_SECONDS)
            for each in (first, *publish(found, 2 * ROOM)):
                with pytest.raises(NotAcknowledged) as caught:
                    await asyncio.wait_for(each, WAIT_SECONDS)
                assert caught.value.refused
            assert TRIES + 2 * ROOM == nucleus.operations.count(PUBLISH)
            (local,) = publish(found, 1, origin=Origin.LOCAL)
            await asyncio.wait_for(local, WAIT_SECONDS)
            nucleus.faults.refused.clear()
            await asyncio.wait_for(asyncio.gather(*publish(found, 2)), WAIT_SECONDS)


async def test_what_the_component_may_not_do_is_refused_at_once() -> None:
    clock = HandClock()
    policy = {"id": {"operations": ["aws.greengrass#SubscribeToIoTCore"], "resources": ["*"]}}
    with FakeNucleus(access_control={"aws.greengrass.ipc.mqttproxy": policy}) as nucleus:
        async with running(nucleus, clock=clock, pubsub="iot_core") as found:
            await found.ready()
            (refused,) = publish(found, 1)
            with pytest.raises(NotAcknowledged):
                await asyncio.wait_for(refused, WAIT_SECONDS)
            assert 1 == nucleus.operations.count(PUBLISH)
