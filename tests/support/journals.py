"""Words of the journal's tests: one arrival, one step or one status at a time, and the adapters.

Requests are numbered from 1 in the order of their acceptance.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.engines import lasting
from tests.support.factories import START, a_request
from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.ports import Journal, Opening, Recording

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable
    from pathlib import Path

    from twilio_notifications.core.steps import Claimed, Doubtful, Step
    from twilio_notifications.ports import (
        Arrival,
        Arrivals,
        Doubts,
        Outbox,
        Recorded,
        Recordings,
        Recovery,
        Taken,
        Unreported,
        Work,
    )

A, B, C, D = (f"+1234500000{n}" for n in range(1, 5))

OpenJournal = Callable[..., AbstractAsyncContextManager[Journal]]
"""Opens the journal; the same one each time, where the adapter keeps one. Arguments: its settings."""

LASTING = ("sqlite file", pytest.param("postgresql", marks=pytest.mark.postgresql))
"""Adapters whose journal can be closed and opened again."""
EVERY = ("sqlite memory", *LASTING)


def store_of(request: pytest.FixtureRequest, folder: Path) -> OpenJournal:
    """The journal of the adapter that is the parameter of a fixture."""
    if request.param == "postgresql":
        return lasting(request.getfixturevalue("postgresql_url"))
    return store(request.param, folder)


def store(adapter: str, folder: Path) -> OpenJournal:
    """The journal of an adapter; a report waits for no other call, unless the test says how long it may."""
    path = {"sqlite memory": None, "sqlite file": folder / "journal.db"}[adapter]

    def opened(**settings: Any) -> AbstractAsyncContextManager[Journal]:
        journal = SqliteJournal(path, events=RecordingEvents(), **{"report_seconds": 0.0} | settings)
        return cast("AbstractAsyncContextManager[Journal]", journal)

    return opened


def connection_of(journal: SqliteJournal) -> sqlite3.Connection:
    """The one that writes."""
    return cast("sqlite3.Connection", journal._store.writer._engine.connection)


async def record(journal: Arrivals, arrival: Arrival) -> Recording:
    """What became of one arrival; raises the defect by which it failed."""
    (recorded,) = (await journal.record([arrival])).recorded
    if recorded.error is not None:
        raise recorded.error
    return recorded.recording


async def became(futures: Iterable[asyncio.Future[Recordings]]) -> list[Recording]:
    """What became of the arrivals of several calls, in their order."""
    done = await asyncio.gather(*futures)
    return [recorded.recording for recordings in done for recorded in recordings.recorded]


async def leave(
    journal: Arrivals, *phone_numbers: str, places: int = 100, at: float = START
) -> list[Recorded]:
    """What became of requests that may leave at once."""
    arrivals = [a_request(phone_number, accepted_at=at, may_leave=True) for phone_number in phone_numbers]
    opening = Opening(at=at, clock_offset=None, places=places)
    return list((await journal.record(arrivals, opening=opening)).recorded)


async def accept(journal: Arrivals, *phone_numbers: str, **arguments: Any) -> None:
    """Records requests that wait."""
    for phone_number in phone_numbers:
        assert Recording.NEW == await record(journal, a_request(phone_number, **arguments))


async def due(journal: Work, *, at: float = START, limit: int = 100) -> list[int]:
    ids = [request.id for request in await journal.claim(due_before=at, limit=limit)]
    await journal.release(ids)
    return ids


async def begin(
    journal: Work, *ids: int, at: float = START, clock_offset: float | None = None, **charged: Any
) -> list[int]:
    """Claims these requests, where they may be claimed, and opens their attempts; those that have one."""
    claimed = [request.id for request in await journal.claim(due_before=math.inf, limit=1000)]
    await journal.release([id_ for id_ in claimed if id_ not in ids])
    return await journal.open_attempts(ids, at=at, clock_offset=clock_offset, **charged)


async def end(journal: Work, *steps: Step) -> list[Taken]:
    """Takes the steps one after the other; raises the defect by which one fails."""
    taken = [await journal.take([step]) for step in steps]
    for one in taken:
        for error in one.failed.values():
            raise error
        if one.lapsed:
            raise ForbiddenTransition(f"the leases of {set(one.lapsed)} had ended")
    return taken


async def recover(journal: Journal, *, now: float = START) -> Recovery:
    """As at the start of a connector, after the end of an earlier one that used this journal."""
    if journal.is_shared:
        await journal.leave(at=now)
        await journal.beat(places=1000, in_use=0, at=now)
    return await journal.recover(now=now)


async def waiting(journal: Work) -> list[Claimed]:
    return await journal.overdue(now=float("inf"), limit=1000)


async def in_doubt(journal: Doubts, *, at: float = START + 1e6) -> list[Doubtful]:
    return await journal.doubtful(now=at, limit=100)


async def statuses(journal: Outbox, *, after: int = 0) -> list[Unreported]:
    """What is in the outbox, without the suspects."""
    return await journal.unreported(after=after, limit=1000)


async def outbox(journal: Outbox, *, after: int = 0) -> list[int]:
    """The requests whose statuses are in the outbox."""
    return [status.request for status in await statuses(journal, after=after)]


async def report(journal: Outbox, requests: Iterable[int], *, at: float = START) -> None:
    """Reports the statuses of these requests that are in the outbox."""
    wanted = set(requests)
    found = await statuses(journal) + await journal.suspects(limit=1000)
    await journal.report([status.position for status in found if status.request in wanted], at=at)


async def picture(journal: Journal) -> tuple[Any, ...]:
    """What waits, what is in doubt and what is unreported: a refused change leaves all of it as it was."""
    return await waiting(journal), await in_doubt(journal), await outbox(journal), await journal.agenda()
