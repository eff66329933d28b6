"""The connector knows before the first request whether Twilio takes the login, and logs each change."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.factories import START, refused, too_many, unauthorized
from tests.support.fakes import RecordingEvents, ScriptedSender
from twilio_notifications.core.model import Answered, NotSent, Unanswered
from twilio_notifications.pipeline.login_check import (
    DELAY_SECONDS,
    LONGEST_PAUSE_SECONDS,
    START_SECONDS,
    LoginCheck,
)
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.core.model import Answer

ACCEPTED = Answered(http_status=200)


@dataclass(frozen=True, slots=True)
class Scene:
    clock: HandClock
    sender: ScriptedSender
    events: RecordingEvents
    check: LoginCheck

    def told(self) -> list[tuple[str, Level]]:
        return [(event.name, event.level) for event in self.events.lines]

    def instants(self) -> list[float]:
        return [sent.at - START - START_SECONDS for sent in self.sender.verified]


@asynccontextmanager
async def a_scene(*answers: Answer) -> AsyncIterator[Scene]:
    """The stage runs; Twilio gives these answers, the last one for good."""
    clock, events = HandClock(START), RecordingEvents()
    sender = ScriptedSender(clock)
    sender.verdicts.clear()
    sender.verdicts.extend(answers)
    check = LoginCheck(sender=sender, clock=clock, events=events)
    running = asyncio.create_task(check.run())
    try:
        await clock.settle()
        assert [] == sender.verified, "requests go first"
        await clock.advance(START_SECONDS)
        yield Scene(clock, sender, events, check)
        assert not running.done(), running
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_login_that_works_is_told_once_and_asked_about_at_each_wake() -> None:
    async with a_scene(ACCEPTED) as scene:
        for _ in range(3):
            scene.check.wake()
            await scene.clock.advance(DELAY_SECONDS)
        await scene.clock.advance(100_000)
        assert 4 == len(scene.sender.verified)
        assert [("login_accepted", Level.INFO)] == scene.told()


async def test_a_wrong_token_is_an_error_at_the_start() -> None:
    async with a_scene(unauthorized()) as scene:
        assert [("login_refused", Level.ERROR)] == scene.told()


async def test_a_token_that_expires_is_told_at_the_refresh_and_so_is_its_successor() -> None:
    async with a_scene(ACCEPTED, unauthorized(), unauthorized(), ACCEPTED) as scene:
        scene.check.wake()
        await scene.clock.advance(60)
        assert [
            ("login_accepted", Level.INFO),
            ("login_refused", Level.ERROR),
            ("login_accepted", Level.INFO),
        ] == scene.told()


@pytest.mark.parametrize("answer", [NotSent(detail="no route"), Unanswered(detail="a log-in page")])
async def test_without_a_network_it_is_asked_again_with_growing_pauses(answer: Answer) -> None:
    async with a_scene(*[answer] * 4, ACCEPTED) as scene:
        await scene.clock.advance(1000)
        assert [0, 5, 15, 35, 75] == scene.instants()
        assert [("login_unchecked", Level.WARNING), ("login_accepted", Level.INFO)] == scene.told()


async def test_a_refused_login_is_asked_about_again_until_it_is_taken() -> None:
    """A rotation is over some moments later; the log must not say that it failed for an hour."""
    async with a_scene(*[unauthorized()] * 3, ACCEPTED) as scene:
        await scene.clock.advance(1000)
        assert [0, 5, 15, 35] == scene.instants()
        assert [("login_refused", Level.ERROR), ("login_accepted", Level.INFO)] == scene.told()


async def test_a_new_secret_is_asked_about_some_seconds_after_it_was_read() -> None:
    async with a_scene(ACCEPTED) as scene:
        scene.check.wake()
        await scene.clock.advance(DELAY_SECONDS - 1)
        assert 1 == len(scene.sender.verified)
        await scene.clock.advance(1)
        assert 2 == len(scene.sender.verified)


async def test_the_pauses_have_an_end() -> None:
    async with a_scene(NotSent(detail="no route")) as scene:
        await scene.clock.advance(3600)
        gaps = [
            later - earlier for earlier, later in zip(scene.instants(), scene.instants()[1:], strict=False)
        ]
        assert LONGEST_PAUSE_SECONDS == max(gaps)


@pytest.mark.parametrize("answer", [too_many(), refused(20_503, http_status=503)])
async def test_what_says_nothing_of_the_login_is_no_line(answer: Answer) -> None:
    async with a_scene(answer, ACCEPTED) as scene:
        assert [] == scene.told()
        await scene.clock.advance(5)
        assert [("login_accepted", Level.INFO)] == scene.told()


async def test_test_credentials_are_named() -> None:
    async with a_scene(refused(20_008, http_status=403)) as scene:
        assert [("login_for_tests", Level.WARNING)] == scene.told()


async def test_a_key_that_may_not_read_is_no_wrong_one() -> None:
    async with a_scene(refused(20_403, http_status=403)) as scene:
        await scene.clock.advance(3600)
        assert [("login_unchecked", Level.WARNING)] == scene.told()
        assert 1 == len(scene.sender.verified)
