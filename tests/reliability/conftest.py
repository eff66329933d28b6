"""What reliability tests need: a broker, the simulated Twilio, and one folder for all starts."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Protocol

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.process import Connector, configuration
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.support.process import Section


class Start(Protocol):
    """The fixture `start`: the connector, once more, on the same journal."""

    def __call__(self, *, crash_at: str = "", **sections: Section) -> Connector: ...


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Mosquitto as it is installed; it keeps the sessions, and stays up."""
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    """Twilio, with a ledger of everything it was made to send."""
    async with Simulator(clock=time.time, random=random.Random(1)) as twilio:  # noqa: S311 - SIDs are no secret
        twilio.set_age(0)  # a status read late on a busy machine is the one that was answered at once
        yield twilio


@pytest.fixture
def journal_settings(request: pytest.FixtureRequest) -> Section:
    """Of the engine that is the parameter; without one, it is a file at its default place."""
    match getattr(request, "param", "sqlite"):
        case "postgresql":
            return {"url": request.getfixturevalue("postgresql_url")}
        case _:
            return {}


@pytest.fixture
def start(tmp_path: Path, broker: Mosquitto, twilio: Simulator, journal_settings: Section) -> Iterator[Start]:
    """Connectors on one journal; what they said is printed, so that a failure shows it."""
    made: list[Connector] = []

    def make(*, crash_at: str = "", **sections: Section) -> Connector:
        sections = {"journal": journal_settings, **sections}
        settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, **sections)
        made.append(Connector(tmp_path / "connector", settings, crash_at=crash_at))
        return made[-1]

    yield make
    for number, connector in enumerate(made, start=1):
        print(f"start {number}:", *connector.stderr[-200:], sep="\n  ")  # noqa: T201 - pytest shows it on failure
