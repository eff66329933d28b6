"""The hand-turned clock wakes its sleepers at their instants, in order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.ports import Clock


def test_the_pipeline_takes_it_for_its_clock() -> None:
    port: Clock = HandClock(now=1.0)  # the type checker proves it
    assert 1.0 == port.now()


async def test_sleepers_wake_in_the_order_of_their_instants() -> None:
    clock, woken = HandClock(now=100.0), list[tuple[str, float]]()
    async with asyncio.TaskGroup() as group:
        group.create_task(_sleep(clock, [5], lambda: woken.append(("late", clock.now()))))
        group.create_task(_sleep(clock, [1], lambda: woken.append(("early", clock.now()))))
        group.create_task(_sleep(clock, [5], lambda: woken.append(("late, but second", clock.now()))))
        await clock.advance(5)
    assert [("early", 101.0), ("late", 105.0), ("late, but second", 105.0)] == woken


async def test_nobody_wakes_too_early() -> None:
    clock = HandClock()
    sleeper = asyncio.create_task(clock.sleep(1.0))
    await clock.advance(0.99)
    assert (False, 1) == (sleeper.done(), clock.sleeping)
    await clock.advance(0.02)
    assert (True, 0) == (sleeper.done(), clock.sleeping)


async def test_one_advance_covers_several_naps_of_one_sleeper() -> None:
    clock, instants = HandClock(now=0.0), list[float]()
    async with asyncio.TaskGroup() as group:
        group.create_task(_sleep(clock, [1, 2, 3], lambda: instants.append(clock.now())))
        await clock.advance(6)
    assert [1.0, 3.0, 6.0] == instants
    assert 6.0 == clock.now()


async def test_setting_the_clock_wakes_nobody() -> None:
    """A time server corrects the clock; a nap of ten seconds still takes ten seconds."""
    clock = HandClock(now=0.0)
    sleeper = asyncio.create_task(clock.sleep(10))
    await clock.settle()
    clock.set(1_000.0)
    await clock.advance(9)
    assert (False, 1_009.0) == (sleeper.done(), clock.now())
    await clock.advance(1)
    assert sleeper.done()


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = HandClock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await clock.settle()
    sleeper.cancel()
    await clock.advance(20)
    assert (True, 0) == (sleeper.cancelled(), clock.sleeping)


@pytest.mark.parametrize("seconds", [0, -1])
async def test_sleeping_for_no_time_only_gives_way(seconds: float) -> None:
    await asyncio.wait_for(HandClock().sleep(seconds), WAIT_SECONDS)


async def _sleep(clock: HandClock, naps: list[float], wake: Callable[[], None]) -> None:
    for seconds in naps:
        await clock.sleep(seconds)
        wake()
