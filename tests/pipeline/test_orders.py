"""The stage that carries out what people order: the line does what was ordered, and other things go on."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.escalating import DARLA, FREEZER, OWNER, House, a_house
from tests.support.factories import accepted, refused, unauthorized
from tests.support.orders import BY, place
from twilio_notifications.adapters.sqlite.access import sqlite_desk
from twilio_notifications.core.delivery import Following, Tracking
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    PauseOrder,
    ResendOrder,
    ResumeOrder,
)
from twilio_notifications.core.policy import Limits
from twilio_notifications.pipeline.line.orders import BATCH, LOOK_SECONDS
from twilio_notifications.ports.events import PausesChanged

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import OrderResult

QUIET = replace(FREEZER, tell_others=False)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.db"


@asynccontextmanager
async def a_desk_and_a_house(path: Path, **arguments: Any) -> AsyncIterator[House]:
    async with a_house(QUIET, path=path, takes_orders=True, **arguments) as house:
        yield house


async def order(house: House, path: Path, *orders: Order) -> list[OrderResult]:
    """What became of the orders within the time between two looks."""
    numbers = place(path, *orders, at=house.line.clock.now())
    await house.line.clock.advance(LOOK_SECONDS)
    return sqlite_desk(path).results(numbers)


async def send(house: House, number: str = OWNER, **request: Any) -> None:
    await house.alarm(number, **{"escalation": None, **request})


async def test_an_order_is_carried_out_at_the_next_look_and_told_once(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await house.alarm()
        (result,) = await order(house, path, AcknowledgeOrder(request=1))
        assert ("acknowledged", None) == (result.result, result.refusal)
        assert ["queued", "acknowledged"] == await house.words()
        (told,) = house.line.events.named("order_carried_out")
        assert ("acknowledge", 1, BY) == tuple(told.fields[name] for name in ("order", "number", "by"))


async def test_a_bulk_of_more_than_one_turn_is_carried_out_at_once(path: Path) -> None:
    many = 2 * BATCH + 1
    async with a_desk_and_a_house(path, concurrency=1) as house:
        house.line.sender.hold(DARLA)
        await send(house, DARLA)
        for n in range(many):
            await send(house, f"+1234600{n:04}", request_id=str(n))
        orders = [CancelOrder(request=number) for number in range(2, many + 2)]
        results = await order(house, path, *orders)
        assert many == sum(result.refusal is None and result.done_at is not None for result in results)
        house.line.sender.release(DARLA)
        await house.line.clock.settle()
        assert [DARLA] == [number for _, number in house.went()]


async def test_an_order_on_which_the_connector_fails_is_refused_and_holds_up_no_other(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        house.line.sender.hold(OWNER)
        await send(house, OWNER)
        await send(house, DARLA)
        await house.line.clock.settle()
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("UPDATE requests SET media_urls = 'no JSON' WHERE id = 2")
        broken, sound = await order(house, path, ResendOrder(request=2), CancelOrder(request=1))
        assert "failed on this order" in (broken.refusal or "")
        assert sound.result is not None
        assert ["order_failed"] == [name for name, _ in house.line.events.defects]


# Sending again.


async def test_what_is_sent_again_leaves_at_once_and_is_answered_like_any_request(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        house.line.sender.script(OWNER, refused(), accepted())
        await send(house)
        (result,) = await order(house, path, ResendOrder(request=1))
        assert 2 == result.made
        assert ["InvalidParameter", "queued"] == await house.words()
        assert 2 == len(house.went())


# Cancelling.


async def test_a_call_that_is_cancelled_while_it_rings_is_hung_up(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await house.alarm()
        await house.line.clock.advance(301)
        assert [("SMS", OWNER), ("CALL", DARLA)] == house.went()
        await order(house, path, CancelOrder(request=1))
        await house.line.clock.advance(1)
        assert 1 == len(house.line.sender.hung_up)
        assert ["queued", "Cancelled"] == await house.words()


# Pausing.


async def test_while_paused_requests_wait_and_afterwards_they_leave(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await order(house, path, PauseOrder())
        await send(house)
        await house.line.clock.advance(3_600)
        assert ([], []) == (house.went(), await house.words())
        assert 1 == len(await house.line.waiting())
        await order(house, path, ResumeOrder())
        assert ["queued"] == await house.words()


async def test_a_pause_with_an_end_ends_by_itself(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await order(house, path, PauseOrder(until=house.line.clock.now() + 60))
        await send(house)
        await house.line.clock.advance(58)
        assert [] == house.went()
        await house.line.clock.advance(3)
        assert 1 == len(house.went())
        assert [] == await house.line.journal.lasting_pauses()
        assert 1 == house.line.events.count("operator_pause_ended")


async def test_a_pause_is_told_and_counted_once_whatever_waits(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await order(house, path, PauseOrder())
        for n in range(3):
            await send(house, f"+1234600{n:04}", request_id=str(n))
        events = house.line.events
        (began,) = events.named("operator_pause_began")
        assert BY in str(began.fields["error"])
        await order(house, path, ResumeOrder())
        counts = [each.count for each in events.told if isinstance(each, PausesChanged)]
        assert [1, 0] == counts
        assert 1 == events.count("operator_pause_ended")


async def test_a_pause_survives_a_restart_and_a_clock_that_was_set_back(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await house.line.clock.advance(1_000)
        await order(house, path, PauseOrder())
        await send(house)
    async with a_desk_and_a_house(path) as house:
        await house.line.clock.advance(10)
        assert [] == house.went()
        assert 0 == house.line.events.count("operator_pause_began")
        await order(house, path, ResumeOrder())
        await house.line.clock.advance(1_000)
        assert 1 == len(house.went())


async def test_what_was_ordered_while_no_connector_ran_is_carried_out_before_anything_is_sent(
    path: Path,
) -> None:
    async with a_house(QUIET, path=path) as house:
        house.line.sender.hold(OWNER)
        await send(house)
        await send(house)
    place(path, PauseOrder(), CancelOrder(request=2))
    async with a_house(QUIET, path=path) as house:
        await house.orders.catch_up()
        assert WaitReason.OPERATOR_PAUSE in {
            pause.reason for pause in await house.line.journal.lasting_pauses()
        }
        assert "Cancelled" in await house.words()


async def test_a_request_that_expires_in_a_pause_says_so(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        await order(house, path, PauseOrder())
        await send(house, valid_for_seconds=5)
        await house.line.clock.advance(10)
        (status,) = await house.line.statuses()
        assert Reason.EXPIRED == status["response"]["error"]
        assert "a pause that a person ordered" in status["response"]["error_message"]


async def test_refused_credentials_fail_no_request_while_paused(path: Path) -> None:
    async with a_desk_and_a_house(path) as house:
        house.line.sender.script(OWNER, unauthorized())
        await send(house)
        await send(house, DARLA)
        await order(house, path, PauseOrder())
        await house.line.clock.advance(1_000)
        assert [] == await house.words()
        await order(house, path, ResumeOrder())
        await house.line.clock.advance(10)
        assert 2 == len(await house.words())


async def test_while_paused_deliveries_are_followed_and_a_text_back_acknowledges(path: Path) -> None:
    tracking = Tracking(following=Following.POLL)
    async with a_desk_and_a_house(path, tracking=tracking) as house:
        following = asyncio.create_task(house.line.stages.tracker.run())
        await house.alarm()
        await order(house, path, PauseOrder())
        await house.line.clock.advance(tracking.initial + 1)
        assert house.line.sender.looks
        await house.comes_back(OWNER, "1")
        await house.line.clock.advance(10)
        assert ["queued", "acknowledged"] == await house.words()
        following.cancel()
        await asyncio.wait({following})


async def test_limits_paused_answers_also_what_waits_for_the_end_of_a_pause(path: Path) -> None:
    async with a_desk_and_a_house(path, limits=Limits(paused=True)) as house:
        await order(house, path, PauseOrder())
        await send(house)
        assert ["NotAllowed"] == await house.words()
