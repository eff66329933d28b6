"""The system's clock, over a suspension of the machine."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters import clock as clocks
from twilio_notifications.adapters.clock import SystemClock, elapsed

SEVERAL = 5
"""Looks at the clock, of one sleep."""


class Machine:
    """One whose clock goes on by itself only while it is suspended."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.looked = asyncio.Event()
        self._looks = 0

    def elapsed(self) -> float:
        self._looks += 1
        if self._looks > SEVERAL:
            self.looked.set()
        return self.seconds

    def suspend(self, seconds: float) -> None:
        self.seconds += seconds


def test_the_clock_starts_with_the_wall_clock() -> None:
    before = time.time()
    assert before - 1 <= SystemClock().now() <= time.time() + 1


def test_the_time_of_a_suspension_has_elapsed() -> None:
    """A lease ends meanwhile, quiet hours begin, and what waits expires."""
    machine = Machine()
    clock = SystemClock(machine.elapsed)
    before = clock.now()
    machine.suspend(3600)
    assert before + 3600 == pytest.approx(clock.now())


@pytest.mark.skipif(not hasattr(time, "CLOCK_BOOTTIME"), reason="only Linux has this clock")
def test_the_clock_is_the_one_that_goes_on_while_a_machine_is_suspended() -> None:
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert before <= elapsed() <= time.clock_gettime(time.CLOCK_BOOTTIME)


async def test_a_sleep_ends_when_its_time_has_passed_in_a_suspension(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clocks, "LONGEST_NAP_SECONDS", 0.001)
    machine = Machine()
    sleeping = asyncio.create_task(SystemClock(machine.elapsed).sleep(8 * 3600))
    async with asyncio.timeout(WAIT_SECONDS):
        await machine.looked.wait()
        assert not sleeping.done()
        machine.suspend(8 * 3600)
        await sleeping


@pytest.mark.parametrize("seconds", [-1.0, 0.0])
async def test_a_sleep_of_no_time_lets_the_others_run(seconds: float) -> None:
    ran: list[str] = []
    asyncio.get_running_loop().call_soon(ran.append, "other")
    await SystemClock(Machine().elapsed).sleep(seconds)
    assert ["other"] == ran
