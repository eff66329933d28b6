"""One budget for everything that asks Twilio what became of messages, and what came in."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from tests.pipeline.escalating import FREEZER, OWNER, House, a_house
from tests.pipeline.test_tracker import most_within_a_minute, twilio_of
from tests.support.deliveries import DELIVERED, NEVER_RECEIPTED, UNDELIVERED, DeliveringTwilio
from tests.support.factories import START
from twilio_notifications.core.delivery import Following, FollowUp, Tracking
from twilio_notifications.core.model import Channel, Unreadable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SLOW = replace(FREEZER, steps=(replace(FREEZER.steps[0], after_seconds=100_000),))
"""Waits for an acknowledgement for a day, and goes on with nothing meanwhile."""


@asynccontextmanager
async def a_watching_house(*, per_minute: int = 30) -> AsyncIterator[House]:
    """A chain waits, so that Twilio's lists of what came in are read every five seconds."""
    tracking = Tracking(following=Following.POLL, follow_up=FollowUp.NONE)
    async with a_house(
        SLOW, twilio=DeliveringTwilio, tracking=tracking, looks_per_minute=per_minute
    ) as house:
        following = asyncio.create_task(house.line.stages.tracker.run())
        try:
            await house.alarm()
            yield house
            assert not following.done()
        finally:
            following.cancel()
            await asyncio.wait({following})


async def test_an_hour_at_one_request_a_second_with_inbound_reading_costs_thirty_requests_a_minute() -> None:
    courses = (DELIVERED, UNDELIVERED, NEVER_RECEIPTED)
    async with a_watching_house() as house:
        line, twilio = house.line, twilio_of(house.line)
        twilio.course = lambda notification: courses[int(notification.recipient.phone_number) % 3]
        await line.clock.advance(1)
        for n in range(3600):
            await line.accept(f"+1234{n:07}")
            await line.clock.advance(1)
        assert most_within_a_minute(twilio.asked_at) <= 30
        assert [START, *(START + 1 + n for n in range(3600))] == line.sender.instants()
        of_the_lists = len(line.sender.inbox_looks)
        assert 600 < of_the_lists < len(twilio.asked_at) - 600, "neither takes all of the budget"
        await house.acknowledge()
        await line.clock.advance(7200)
        assert most_within_a_minute(twilio.asked_at) <= 30
        states = [await line.journal.delivery(request) for request in range(2, 3602)]
        assert all(followed is not None for followed in states)
        assert {"delivered", "undelivered", "sent"} == {
            followed.delivery.state for followed in states if followed is not None
        }


async def test_a_reply_is_read_while_attempts_wait_for_places() -> None:
    """In a storm of alarms, the person who acknowledges is heard."""
    async with a_watching_house() as house:
        await house.line.clock.advance(1)
        for n in range(60):
            house.line.sender.hold(f"+1234{n:07}")
        await house.line.accept(*(f"+1234{n:07}" for n in range(60)))
        await house.comes_back(OWNER, "ok")
        await house.line.clock.advance(12)
        assert "acknowledged" in await house.words()


async def test_lists_that_hang_delay_no_step_of_a_chain() -> None:
    async with a_house(replace(FREEZER, tell_others=False), twilio=DeliveringTwilio) as house:
        await house.alarm()
        twilio_of(house.line).inbox_stalled = asyncio.Event()
        await house.line.clock.advance(301)
        assert ["SMS", "CALL"] == [channel for channel, _ in house.went()]


async def test_lists_that_cannot_be_read_are_asked_for_ever_less_and_within_a_minute_again() -> None:
    async with a_watching_house(per_minute=6000) as house:
        house.line.sender.inbox[Channel.SMS] = Unreadable(detail="HTTP 401", unauthorized=True)
        await house.line.clock.advance(300)
        looks = sorted({at - START for _, _, at in house.line.sender.inbox_looks})
        pauses = [round(later - earlier) for earlier, later in pairwise(looks)]
        assert 60 == max(pauses)
        assert sorted(pauses) == pauses
        assert 1 == house.line.events.count("inbound_unreadable")
        house.line.sender.inbox[Channel.SMS] = []
        await house.comes_back(OWNER, "ok")
        await house.line.clock.advance(61)
        assert "acknowledged" in await house.words()
