"""What was reported long ago is removed in small batches, with pauses between them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.pipeline.line import Line, a_line
from tests.support.factories import START, a_rejection
from twilio_notifications.pipeline.care.sweeper import BATCH, INTERVAL_SECONDS, PAUSE_SECONDS, Sweeper

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.ports import Unreported

RETENTION = 3600.0


def a_sweeper(line: Line) -> Sweeper:
    return Sweeper(journal=line.journal, clock=line.clock, events=line.events, retention_seconds=RETENTION)


async def fill(line: Line, count: int, *, reported: bool = True, at: float = START) -> None:
    recordings = await line.journal.record([a_rejection(accepted_at=at) for _ in range(count)])
    if reported:
        await report(line, recordings.written, at=at)


async def report(line: Line, statuses: Sequence[Unreported], *, at: float = START) -> None:
    noted = line.journal.report([status.position for status in statuses], at=at)
    await line.journal.flush()
    await noted


async def test_nothing_is_removed_before_the_retention_has_passed() -> None:
    async with a_line() as line:
        await fill(line, 3)
        await line.clock.advance(RETENTION)
        assert 0 == await a_sweeper(line).sweep()
        await line.clock.advance(1)
        assert 3 == await a_sweeper(line).sweep()


async def test_what_is_not_reported_is_kept_for_ever() -> None:
    async with a_line() as line:
        await fill(line, 3, reported=False)
        await line.clock.advance(10 * RETENTION)
        assert 0 == await a_sweeper(line).sweep()
        assert 3 == len(await line.outbox())


async def test_many_are_removed_batch_by_batch() -> None:
    """So that no request waits for more than one of them."""
    async with a_line() as line:
        await fill(line, 2 * BATCH + 1)
        await line.clock.advance(RETENTION + 1)
        sweeping = asyncio.create_task(a_sweeper(line).sweep())
        await line.clock.settle()
        assert not sweeping.done()
        await line.clock.advance(PAUSE_SECONDS)
        assert not sweeping.done()
        await line.clock.advance(PAUSE_SECONDS)
        assert 2 * BATCH + 1 == await sweeping


async def test_it_looks_at_once_and_then_at_intervals() -> None:
    async with a_line() as line:
        await fill(line, 1, at=START - RETENTION - 1)
        sweeping = asyncio.create_task(a_sweeper(line).run())
        await line.clock.settle()
        assert [1] == [told.fields["requests"] for told in line.events.named("journal_purged")]
        recordings = await line.journal.record([a_rejection(accepted_at=START - RETENTION)])
        await report(line, recordings.written)
        await line.clock.advance(INTERVAL_SECONDS)
        assert 2 == line.events.count("journal_purged")
        await line.clock.advance(INTERVAL_SECONDS)
        assert 2 == line.events.count("journal_purged")
        sweeping.cancel()
        await asyncio.wait({sweeping})
