"""A look at what waits: on demand, within what it may cost, also while the journal cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from twilio_notifications.core.errors import JournalError, WaitReason
from twilio_notifications.core.policy import Limits, Period, Quota, Tally, Unit
from twilio_notifications.pipeline.care.survey import LEAST_SECONDS, MOST_SHARE, Survey
from twilio_notifications.ports.figures import Backlog, QuotaUse

if TYPE_CHECKING:
    from collections.abc import Sequence

TEXTS = Quota(unit=Unit.TEXTS, period=Period.DAY, most=100)
DAY = 86_400.0


class FakeJournal:
    """Has a backlog and a usage; reading takes as long as a test says."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.seconds = 0.0
        self.looks = 0
        self.fails = False
        self.asked: tuple[tuple[str, ...], float] | None = None

    async def backlog(self, *, now: float) -> Backlog:
        self.looks += 1
        if self.fails:
            raise JournalError("the disk fails")
        self._clock.set(now + self.seconds)
        return Backlog(waiting={WaitReason.RETRY: self.looks}, oldest_at=now)

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        self.asked = (tuple(scopes), since)
        return Tally({(scope, since): 7 for scope in scopes})

    async def forget_usage(self, *, now: float) -> None:
        raise AssertionError(f"a look at {now} changes nothing")


def a_survey(clock: HandClock, journal: FakeJournal, limits: Limits | None = None) -> Survey:
    return Survey(backlog=journal, usage=journal, limits=lambda: limits or Limits(), clock=clock)


async def test_a_look_has_what_waits_and_what_is_used_of_each_quota() -> None:
    clock = HandClock()
    journal = FakeJournal(clock)
    figures = await a_survey(clock, journal, Limits(quotas=(TEXTS,))).look()
    assert figures is not None
    assert {WaitReason.RETRY: 1} == figures.backlog.waiting
    assert (QuotaUse(quota=TEXTS, used=7),) == figures.quotas
    assert (("texts/day",), clock.now() // DAY * DAY) == journal.asked


async def test_looks_that_are_asked_for_at_once_are_one() -> None:
    clock = HandClock()
    journal = FakeJournal(clock)
    survey = a_survey(clock, journal)
    first, second = await survey.look(), await survey.look()
    assert (first, 1) == (second, journal.looks)
    clock.set(clock.now() + LEAST_SECONDS)
    await survey.look()
    assert 2 == journal.looks


@pytest.mark.parametrize("seconds", [0.5, 3.0])
async def test_a_slow_look_is_taken_the_more_rarely(seconds: float) -> None:
    clock = HandClock()
    journal = FakeJournal(clock)
    journal.seconds = seconds
    survey = a_survey(clock, journal)
    await survey.look()
    clock.set(clock.now() + seconds * MOST_SHARE - 0.1)
    await survey.look()
    assert 1 == journal.looks
    clock.set(clock.now() + 0.1)
    await survey.look()
    assert 2 == journal.looks


async def test_while_the_journal_cannot_be_read_the_last_look_is_shown() -> None:
    clock = HandClock()
    journal = FakeJournal(clock)
    survey = a_survey(clock, journal)
    journal.fails = True
    assert await survey.look() is None
    journal.fails = False
    clock.set(clock.now() + LEAST_SECONDS)
    seen = await survey.look()
    journal.fails = True
    clock.set(clock.now() + LEAST_SECONDS)
    assert seen is not None
    assert seen is await survey.look()
