"""How an attempt ended has one word: what the core says is what events, journal and metrics hold."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.line import Line, a_line, an_intake, running
from tests.support.crash_points import CrashPoint
from tests.support.factories import START, a_payload, accepted, refused, too_many
from tests.support.fakes import nothing
from tests.support.reading import of_kind
from twilio_notifications.adapters.metrics import Counters
from twilio_notifications.core.model import Answered, NotSent, Unanswered
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import Inbound
from twilio_notifications.ports.events import AttemptInDoubt, RequestFinished, RequestPostponed
from twilio_notifications.ports.journal.timeline import AttemptClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from twilio_notifications.core.model import Answer

A = "+12345000001"


@asynccontextmanager
async def a_counted_line(path: Path, counters: Counters) -> AsyncIterator[Line]:
    async with a_line(path=path, subscribers=[counters], jitter=lambda: 1.0) as line, running(line):
        yield line


async def arrive(line: Line) -> None:
    """A request that may leave at once, and lives for 100 seconds."""
    payload = a_payload(A, valid_for_seconds=100)
    inbound = Inbound(topic="twilio/txt", payload=payload, acknowledge=nothing)
    an_intake(line.surroundings, line.stages).receive(inbound)
    await line.clock.settle()


def told(line: Line) -> list[AttemptOutcome | None]:
    """The outcomes of the events about attempts."""
    return [
        event.step.outcome
        for event in line.events.told
        if isinstance(event, RequestFinished | RequestPostponed | AttemptInDoubt)
    ]


def counted(counters: Counters) -> list[str]:
    """The outcomes that the metrics have counted, each as often as it was."""
    prefix = 'twilio_notifications_attempts_total{channel="SMS",outcome="'
    lines = [line for line in counters.page().decode().splitlines() if line.startswith(prefix)]
    found: list[str] = []
    for line in lines:
        outcome, count = line.removeprefix(prefix).split('"} ')
        found += [outcome] * int(float(count))
    return found


def kept(path: Path) -> list[str]:
    """The outcomes of the attempts of the first request, as the journal shows them to people."""
    return [str(attempt.outcome) for attempt in of_kind(path, 1, AttemptClosed)]


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (accepted(), AttemptOutcome.ACCEPTED),
        (refused(21_211), AttemptOutcome.REFUSED),
        (Answered(http_status=302), AttemptOutcome.DEFERRED),
        (Answered(http_status=302, is_twilios=False), AttemptOutcome.DEFERRED),
        (too_many(retry_after=60), AttemptOutcome.DEFERRED),
        (NotSent(detail="no route to host"), AttemptOutcome.DEFERRED),
    ],
)
async def test_an_answer_is_told_kept_and_counted_by_one_word(
    tmp_path: Path, answer: Answer, word: AttemptOutcome
) -> None:
    path, counters = tmp_path / "journal.db", Counters()
    async with a_counted_line(path, counters) as line:
        line.sender.online = False
        line.sender.script(A, answer)
        await arrive(line)
        assert [word] == told(line)
        assert [word] == kept(path)
        assert [word] == counted(counters)


async def test_a_request_that_expires_between_the_opening_and_the_post_is_unsent_everywhere(
    tmp_path: Path,
) -> None:
    path, counters = tmp_path / "journal.db", Counters()
    async with a_counted_line(path, counters) as line:
        line.events.on(CrashPoint.REQUEST_RECORDED, lambda: line.clock.set(START + 1000))
        await arrive(line)
        assert [] == line.sender.sent
        assert ["Expired"] == [error for _, error in await line.results()]
        assert [AttemptOutcome.UNSENT] == told(line)
        assert [AttemptOutcome.UNSENT] == kept(path)
        assert [AttemptOutcome.UNSENT] == counted(counters)


async def test_an_attempt_in_doubt_is_told_and_counted_so_and_kept_open(tmp_path: Path) -> None:
    path, counters = tmp_path / "journal.db", Counters()
    async with a_counted_line(path, counters) as line:
        line.sender.script(A, Unanswered(detail="timed out"))
        await arrive(line)
        assert [AttemptOutcome.IN_DOUBT] == told(line)
        assert [AttemptOutcome.IN_DOUBT] == counted(counters)
        assert 1 == len(await line.journal.doubtful(now=START + 60, limit=9))
