"""A sign of life means that event loop and journal work: without either there is none."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from tests.support.clock import HandClock
from twilio_notifications.pipeline.supervision import Supervision

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

LIMIT = 30.0


class RecordingSupervisor:
    """Remembers what it hears, in order."""

    def __init__(self, watchdog_seconds: float | None = LIMIT) -> None:
        self.watchdog_seconds = watchdog_seconds
        self.told: list[str] = []

    def ready(self) -> None:
        self.told.append("ready")

    def reloading(self) -> None:
        self.told.append("reloading")

    def stopping(self) -> None:
        self.told.append("stopping")

    def alive(self) -> None:
        self.told.append("alive")


class Heart:
    """A journal that comes round, or does not."""

    def __init__(self) -> None:
        self.beating = asyncio.Event()
        self.beating.set()

    async def pulse(self) -> None:
        await self.beating.wait()


@asynccontextmanager
async def running(supervisor: RecordingSupervisor, heart: Heart, clock: HandClock) -> AsyncIterator[None]:
    supervision = Supervision(supervisor=supervisor, journal=heart, clock=clock)
    signs = asyncio.ensure_future(supervision.run())
    await clock.settle()
    yield
    signs.cancel()
    await asyncio.wait([signs])


async def test_there_is_a_sign_of_life_twice_within_the_limit() -> None:
    supervisor, clock = RecordingSupervisor(), HandClock()
    async with running(supervisor, Heart(), clock):
        assert ["alive"] == supervisor.told
        await clock.advance(LIMIT)
        assert ["alive"] * 3 == supervisor.told


async def test_there_is_none_while_the_journal_does_not_come_round() -> None:
    supervisor, heart, clock = RecordingSupervisor(), Heart(), HandClock()
    async with running(supervisor, heart, clock):
        heart.beating.clear()
        await clock.advance(LIMIT * 10)
        assert ["alive"] == supervisor.told
        heart.beating.set()
        await clock.settle()
        assert ["alive", "alive"] == supervisor.told


async def test_a_supervisor_that_does_not_mind_hears_none() -> None:
    supervisor, clock = RecordingSupervisor(watchdog_seconds=None), HandClock()
    async with running(supervisor, Heart(), clock):
        await clock.advance(LIMIT * 10)
        assert [] == supervisor.told
