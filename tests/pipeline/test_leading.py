"""When a connector beats, and how long it leads by its own clock."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from tests.pipeline.line import Line, a_line
from twilio_notifications.core.errors import NotLeading
from twilio_notifications.pipeline.care.leading import BEATS_IN_A_LEASE, Leading
from twilio_notifications.pipeline.line.slots import Slots
from twilio_notifications.ports import Beat

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.clock import HandClock
    from twilio_notifications.ports.journal import Members

PERIOD = 1.0
LEASE = PERIOD * BEATS_IN_A_LEASE


@dataclass(slots=True)
class Database:
    """The members of a journal, in a database that is slow."""

    clock: HandClock
    takes: float = 0.0
    """The next beat."""
    began: list[float] = field(default_factory=list)
    is_shared: bool = True

    async def beat(self, *, places: int, in_use: int, at: float) -> Beat:  # noqa: ARG002 - as the port has it
        self.began.append(at)
        takes, self.takes = self.takes, 0.0
        await self.clock.sleep(takes)
        return Beat(leads=True, members=1, share=places)


@asynccontextmanager
async def a_leader() -> AsyncIterator[tuple[Line, Database, Leading]]:
    async with a_line() as line:
        database, places = Database(line.clock), line.pacing.pace.maximum

        async def look_around(leads: bool) -> None:  # noqa: FBT001 - as Leading calls it
            """There is nothing to see."""

        leading = Leading(
            journal=cast("Members", database),
            clock=line.clock,
            events=line.surroundings.events,
            name="one",
            places=places,
            lease_seconds=LEASE,
            slots=Slots(places),
            pacing=line.pacing,
            work=line.bells.work,
            look_around=look_around,
        )
        await leading.beat()
        beating = asyncio.create_task(leading.run())
        try:
            yield line, database, leading
        finally:
            beating.cancel()
            await asyncio.wait([beating])


async def test_a_beat_that_takes_long_is_followed_by_the_next_one_at_once() -> None:
    """Its lease has run since it began: after a standstill, little of it may be left."""
    async with a_leader() as (line, database, leading):
        start = line.clock.now()
        database.takes = LEASE - PERIOD / 2
        await line.clock.advance(PERIOD + LEASE - PERIOD / 2)
        assert [start, start + PERIOD, start + PERIOD + LEASE - PERIOD / 2] == database.began
        lost = asyncio.create_task(leading.lost())
        await line.clock.advance(LEASE)
        assert not lost.done()
        lost.cancel()


async def test_a_leader_that_hears_nothing_for_as_long_as_its_lease_leads_no_more() -> None:
    async with a_leader() as (line, database, leading):
        database.takes = 2 * LEASE
        lost = asyncio.create_task(leading.lost())
        await line.clock.advance(LEASE - 0.1)
        assert not lost.done()
        await line.clock.advance(0.1)
        with pytest.raises(NotLeading):
            await lost
        assert not leading.leads
