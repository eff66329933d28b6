"""A call that the connector itself has Twilio end is Cancelled, and no failure of the notification."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.escalating import DARLA, FREEZER, OWNER, House, a_house
from tests.pipeline.test_tracker import the_delivery, twilio_of
from tests.support.deliveries import DELIVERED, Course, DeliveringTwilio
from twilio_notifications.core.delivery import Following, FollowUp, Tracking
from twilio_notifications.core.model import Channel

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

RINGS = Course(words=((0.2, "ringing"), (7.0, "canceled")))
"""As Twilio shows a call that the connector ended while it rang."""


@asynccontextmanager
async def a_followed_house() -> AsyncIterator[House]:
    tracking = Tracking(following=Following.POLL, follow_up=FollowUp.ALL)
    quiet = replace(FREEZER, tell_others=False)
    async with a_house(quiet, twilio=DeliveringTwilio, tracking=tracking, looks_per_minute=6000) as house:
        twilio_of(house.line).course = lambda notification: (
            RINGS if notification.channel is Channel.CALL else DELIVERED
        )
        following = asyncio.create_task(house.line.stages.tracker.run())
        try:
            yield house
            assert not following.done()
        finally:
            following.cancel()
            await asyncio.wait({following})


async def call(house: House) -> None:
    recipient = {"name": "Owner", "phone_number": OWNER, "voice_message": "It thaws"}
    request = {"recipient": recipient, "from_number": "+19999999999"}
    await house.publish("twilio/call", json.dumps({"request": request, "id": "thaw"}).encode())
    await house.line.clock.advance(5.5)


async def test_a_text_that_arrives_one_second_before_the_next_step_holds_up_no_step() -> None:
    """Delivered is not acknowledged."""
    async with a_followed_house() as house:
        twilio_of(house.line).course = lambda _: Course(words=((0.5, "sent"), (299.0, "delivered")))
        await house.alarm()
        await house.line.clock.advance(299.5)
        assert [("SMS", OWNER)] == house.went()
        await house.line.clock.advance(1)
        assert [("SMS", OWNER), ("CALL", DARLA)] == house.went()


async def test_a_call_that_an_order_ends_is_cancelled_and_no_warning() -> None:
    async with a_followed_house() as house:
        await call(house)
        await house.cancel(id="thaw")
        assert (await the_delivery(house.line)).delivery.cancelled_by_us
        await house.line.clock.advance(60)
        assert ["queued", "ringing", "Cancelled"] == await house.words()
        assert 1 == len(house.line.sender.hung_up)
        assert 0 == house.line.events.count("delivery_failed")


async def test_a_call_that_another_program_ends_is_not_reached_and_a_warning() -> None:
    async with a_followed_house() as house:
        await call(house)
        await house.line.clock.advance(60)
        assert ["queued", "ringing", "NotReached"] == await house.words()
        assert 1 == house.line.events.count("delivery_failed")


async def test_a_call_that_an_acknowledgement_ends_is_cancelled_and_no_warning() -> None:
    async with a_followed_house() as house:
        await house.alarm()
        await house.line.clock.advance(305.5)
        assert [DARLA] == [one.notification.recipient.phone_number for one in house.line.sender.to(DARLA)]
        await house.acknowledge()
        assert (await the_delivery(house.line, 2)).delivery.cancelled_by_us
        await house.line.clock.advance(60)
        assert "canceled" == (await the_delivery(house.line, 2)).delivery.state
        assert 0 == house.line.events.count("delivery_failed")


@pytest.mark.parametrize("answer_comes_after_the_end", [False, True])
async def test_a_look_that_was_made_before_the_order_does_not_undo_it(
    *, answer_comes_after_the_end: bool
) -> None:
    """The order makes what was concluded from an older row stale."""
    async with a_followed_house() as house:
        await call(house)
        followed = await the_delivery(house.line)
        await house.cancel(id="thaw")
        await house.line.clock.advance(2 if answer_comes_after_the_end else 0.1)
        seen = twilio_of(house.line).receipt(next(iter(twilio_of(house.line).taken.values())))
        tracker = house.line.stages.tracker
        await tracker.sightings.take([(followed, lambda now: tracker._seen(seen, now))])
        await house.line.clock.advance(60)
        assert "Cancelled" == (await house.words())[-1]
