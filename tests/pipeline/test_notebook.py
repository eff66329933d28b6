"""What the connector writes down of itself, and how rarely."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.clock import HandClock
from tests.support.factories import START
from tests.support.fakes import RecordingEvents
from twilio_notifications.core.errors import JournalClosed
from twilio_notifications.pipeline.care.notebook import LAST_WRITE_SECONDS, Notebook
from twilio_notifications.ports.events import (
    BrokerConnected,
    BrokerDeaf,
    BrokerLost,
    BrokerUnreachable,
    ConnectorReady,
    CredentialsAccepted,
    CredentialsRefused,
    Level,
    LoginAccepted,
    LoginForTests,
    LoginRefused,
    LoginUnchecked,
    NucleusConnected,
    NucleusDeaf,
    NucleusDeliversAgain,
    NucleusLost,
)
from twilio_notifications.ports.journal.facts import Fact, FactName, FactWord
from twilio_notifications.ports.transport import Origin

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from twilio_notifications.ports import Event

CONNECTED = BrokerConnected(level=Level.INFO, broker="mqtt://b:1883", protocol="MQTT 5")
LOST = BrokerLost(level=Level.WARNING, broker="mqtt://b:1883", error="it closed the connection")


class Kept:
    """Implements Facts in memory."""

    def __init__(self) -> None:
        self.writes: list[list[Fact]] = []
        self.error: Exception | None = None
        self.blocked = asyncio.Event()
        self.blocked.set()

    async def keep_facts(self, facts: Sequence[Fact], *, at: float) -> None:
        assert at >= START
        await self.blocked.wait()
        if self.error is not None:
            raise self.error
        self.writes.append(list(facts))

    def latest(self, name: FactName) -> Fact:
        return [fact for facts in self.writes for fact in facts if fact.name is name][-1]


class House:
    def __init__(self) -> None:
        self.clock, self.kept, self.events = HandClock(START), Kept(), RecordingEvents()
        self.notebook = Notebook(clock=self.clock, version="1.2.3")

    async def hear(self, *events: Event) -> None:
        for event in events:
            self.notebook.tell(event)
        await self.clock.advance(2)

    def fact(self, name: FactName) -> tuple[FactWord, str, str]:
        fact = self.kept.latest(name)
        return fact.word, fact.about, fact.detail


@asynccontextmanager
async def a_house() -> AsyncIterator[House]:
    house = House()
    running = asyncio.create_task(house.notebook.run(house.kept, events=house.events))
    await house.clock.advance(2)
    try:
        yield house
    finally:
        running.cancel()
        await asyncio.wait({running})


async def test_a_start_writes_that_it_runs_and_knows_neither_broker_nor_credentials() -> None:
    async with a_house() as house:
        (first,) = house.kept.writes
        assert [
            (FactName.CONNECTOR, FactWord.RUNNING, "1.2.3"),
            (FactName.CONNECTION, FactWord.DISCONNECTED, ""),
            (FactName.CREDENTIALS, FactWord.UNCHECKED, ""),
        ] == [(fact.name, fact.word, fact.about) for fact in first]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (CONNECTED, (FactWord.CONNECTED, "mqtt://b:1883 (MQTT 5)", "")),
        (LOST, (FactWord.DISCONNECTED, "mqtt://b:1883", "it closed the connection")),
        (
            BrokerUnreachable(broker="mqtt://b:1883", error="refused"),
            (FactWord.DISCONNECTED, "mqtt://b:1883", "refused"),
        ),
        (NucleusConnected(pubsub="local"), (FactWord.CONNECTED, "the Greengrass nucleus", "")),
        (NucleusLost(error="gone"), (FactWord.DISCONNECTED, "the Greengrass nucleus", "gone")),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_the_connection_is_written_down(event: Event, expected: tuple[FactWord, str, str]) -> None:
    async with a_house() as house:
        await house.hear(event)
        assert expected == house.fact(FactName.CONNECTION)


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (LoginAccepted(), FactWord.ACCEPTED),
        (LoginForTests(), FactWord.ACCEPTED),
        (CredentialsAccepted(), FactWord.ACCEPTED),
        (LoginRefused(error="No"), FactWord.REFUSED),
        (CredentialsRefused(until="", error="No"), FactWord.REFUSED),
    ],
    ids=lambda value: type(value).__name__,
)
async def test_what_twilio_says_of_the_credentials_is_written_down(event: Event, word: FactWord) -> None:
    async with a_house() as house:
        await house.hear(event)
        assert word is house.fact(FactName.CREDENTIALS)[0]


async def test_credentials_that_cannot_be_checked_say_why() -> None:
    async with a_house() as house:
        await house.hear(LoginUnchecked(error="no route"))
        assert (FactWord.UNCHECKED, "", "no route") == house.fact(FactName.CREDENTIALS)


async def test_the_same_state_keeps_its_beginning_whatever_is_said_of_it() -> None:
    async with a_house() as house:
        await house.hear(CONNECTED)
        since = house.kept.latest(FactName.CONNECTION).since
        await house.clock.advance(60)
        await house.hear(BrokerDeaf(broker="mqtt://b:1883", error="nothing came back"))
        deaf = house.kept.latest(FactName.CONNECTION)
        assert (FactWord.CONNECTED, "nothing came back", since) == (deaf.word, deaf.detail, deaf.since)
        await house.hear(LOST)
        assert since + 64 == house.kept.latest(FactName.CONNECTION).since


async def test_a_side_that_delivers_again_is_no_more_deaf() -> None:
    async with a_house() as house:
        await house.hear(NucleusConnected(pubsub="local"), NucleusDeaf(side=Origin.IOT_CORE))
        assert "did not come back" in house.fact(FactName.CONNECTION)[2]
        await house.hear(NucleusDeliversAgain(side=Origin.IOT_CORE))
        assert "" == house.fact(FactName.CONNECTION)[2]


async def test_what_changes_nothing_is_not_written() -> None:
    async with a_house() as house:
        await house.hear(CONNECTED, LoginAccepted())
        writes = len(house.kept.writes)
        for _ in range(100):
            await house.hear(CONNECTED, LoginAccepted(), ConnectorReady())
        assert writes == len(house.kept.writes)


async def test_a_connection_that_comes_and_goes_costs_one_write_a_second() -> None:
    async with a_house() as house:
        writes = len(house.kept.writes)
        for _ in range(100):
            house.notebook.tell(LOST)
            house.notebook.tell(CONNECTED)
            await house.clock.advance(0.02)
        await house.clock.advance(2)
        assert len(house.kept.writes) <= writes + 4
        assert FactWord.CONNECTED is house.fact(FactName.CONNECTION)[0]


async def test_a_fact_that_cannot_be_written_is_a_defect_and_ends_nothing() -> None:
    async with a_house() as house:
        house.kept.error = ValueError("odd")
        await house.hear(CONNECTED)
        house.kept.error = None
        await house.hear(LOST)
        assert ["journal_step_failed"] == [name for name, _ in house.events.defects]
        assert FactWord.DISCONNECTED is house.fact(FactName.CONNECTION)[0]


async def test_a_journal_that_is_closed_ends_the_stage() -> None:
    house = House()
    house.kept.error = JournalClosed("closed")
    with pytest.raises(JournalClosed):
        await house.notebook.run(house.kept, events=house.events)


async def test_an_end_in_order_is_written_down() -> None:
    async with a_house() as house:
        await house.hear(CONNECTED)
        await house.notebook.end(house.kept, events=house.events)
        assert (FactWord.ENDED, "1.2.3", "") == house.fact(FactName.CONNECTOR)
        assert FactWord.DISCONNECTED is house.fact(FactName.CONNECTION)[0]


async def test_an_end_waits_only_so_long_for_the_disk() -> None:
    async with a_house() as house:
        house.kept.blocked.clear()
        ending = asyncio.create_task(house.notebook.end(house.kept, events=house.events))
        await house.clock.advance(LAST_WRITE_SECONDS)
        await asyncio.wait({ending})
        ending.result()
