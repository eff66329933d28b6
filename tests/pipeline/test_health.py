"""Alive and ready are two questions; a heartbeat leaves only while both answers are yes."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.fakes import RecordingEvents
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.pipeline.care.health import Health
from twilio_notifications.pipeline.care.heartbeat import Heartbeat
from twilio_notifications.pipeline.events import EventStream
from twilio_notifications.ports import Level, events

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from twilio_notifications.ports import Event

CONNECTED = events.BrokerConnected(level=Level.INFO, broker="", protocol="")
EVERY = 60.0


class Heart:
    """A journal that comes round, or does not."""

    def __init__(self) -> None:
        self.beating = asyncio.Event()
        self.beating.set()

    async def pulse(self) -> None:
        await self.beating.wait()


class FakeBeacon:
    """Takes signs of life, unless it has a trouble."""

    host = "hc.example"

    def __init__(self) -> None:
        self.calls = 0
        self.trouble: str | None = None

    async def call(self) -> str | None:
        self.calls += 1
        return self.trouble


def ready() -> Health:
    health = Health()
    health.tell(CONNECTED)
    return health


def test_a_connector_is_ready_from_its_first_subscription_on() -> None:
    health = Health()
    assert ("there is no session with the broker or the nucleus",) == health.hindrances()
    health.tell(CONNECTED)
    assert () == health.hindrances()


@pytest.mark.parametrize(
    ("begins", "ends", "sentence"),
    [
        (
            events.BrokerLost(level=Level.INFO, broker="", error=""),
            CONNECTED,
            "there is no session with the broker or the nucleus",
        ),
        (
            events.JournalUnavailable(journal="", error=""),
            events.JournalAvailable(journal=""),
            "the journal's disk is full or fails, or its server is away",
        ),
        (
            events.CredentialsRefused(until="", error=""),
            events.CredentialsAccepted(),
            "Twilio refuses the credentials",
        ),
        (events.TwilioUnreachable(error=""), events.TwilioReachable(), "Twilio cannot be reached"),
    ],
)
def test_what_keeps_requests_from_going_through_makes_it_unready_until_it_is_over(
    begins: Event, ends: Event, sentence: str
) -> None:
    health = ready()
    health.tell(begins)
    assert (sentence,) == health.hindrances()
    health.tell(ends)
    assert () == health.hindrances()


def test_a_connector_that_drains_is_not_ready_any_more() -> None:
    health = ready()
    health.tell(events.ConnectorDraining())
    assert ("the connector is ending",) == health.hindrances()


async def test_a_connector_lives_while_the_journals_writer_answers() -> None:
    heart, health = Heart(), Health(pulse_seconds=0.01)
    assert await health.stall() is None, "before the journal is open, the event loop alone counts"
    health.watch(heart)
    assert await health.stall() is None
    heart.beating.clear()
    assert "the journal's writer has not answered within 0.01 s" == await health.stall()


async def test_a_connector_whose_database_says_nothing_lives_for_as_long_as_its_writer_may_wait() -> None:
    """A new start would wait for the same server."""
    heart, health = Heart(), Health(pulse_seconds=0.01)
    heart.beating.clear()
    health.watch(heart, patience_seconds=3_600.0)
    assert [None, None] == [await health.stall(), await health.stall()]
    health.watch(heart, patience_seconds=0.02)
    async with asyncio.timeout(WAIT_SECONDS):
        while await health.stall() is None:
            pass
    heart.beating.set()
    async with asyncio.timeout(WAIT_SECONDS):
        while await health.stall() is not None:
            pass


@asynccontextmanager
async def beating(beacon: FakeBeacon, health: Health, clock: HandClock) -> AsyncIterator[RecordingEvents]:
    recorded = RecordingEvents()
    heartbeat = Heartbeat(
        beacon=beacon,
        health=health,
        clock=clock,
        events=EventStream([recorded, health]),
        every_seconds=EVERY,
    )
    running = asyncio.ensure_future(heartbeat.run())
    await clock.settle()
    yield recorded
    running.cancel()
    await asyncio.wait([running])


async def test_a_heartbeat_leaves_as_soon_as_the_connector_is_ready_and_then_on_its_period() -> None:
    beacon, health, clock = FakeBeacon(), Health(), HandClock()
    async with beating(beacon, health, clock) as recorded:
        await clock.advance(10.0)
        assert (0, []) == (beacon.calls, recorded.told)
        health.tell(CONNECTED)
        await clock.advance(1.0)
        assert 1 == beacon.calls
        await clock.advance(3 * EVERY)
        assert 4 == beacon.calls
    assert ["INFO", "DEBUG", "DEBUG", "DEBUG"] == [each.level for each in recorded.named("heartbeat_taken")]


async def test_a_connector_that_is_not_well_sends_none_and_says_why_once() -> None:
    beacon, health, clock = FakeBeacon(), ready(), HandClock()
    async with beating(beacon, health, clock) as recorded:
        health.tell(events.TwilioUnreachable(error=""))
        await clock.advance(2 * EVERY)
        assert 1 == beacon.calls
        withheld = recorded.named("heartbeat_withheld")
        assert ["WARNING", "DEBUG"] == [each.level for each in withheld]
        assert {"host": "hc.example", "error": "Twilio cannot be reached"} == withheld[0].fields
        health.tell(events.TwilioReachable())
        await clock.advance(EVERY)
        assert 2 == beacon.calls
        assert "INFO" == recorded.named("heartbeat_taken")[-1].level


async def test_a_heartbeat_that_is_not_taken_has_one_warning_for_each_reason() -> None:
    beacon, health, clock = FakeBeacon(), ready(), HandClock()
    beacon.trouble = "no network"
    async with beating(beacon, health, clock) as recorded:
        await clock.advance(EVERY)
        beacon.trouble = "HTTP 404"
        await clock.advance(EVERY)
    missed = recorded.named("heartbeat_missed")
    assert [("WARNING", "no network"), ("DEBUG", "no network"), ("WARNING", "HTTP 404")] == [
        (each.level, each.fields["error"]) for each in missed
    ]
