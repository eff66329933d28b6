"""What acceptance tests need around the connector: a broker, the simulated Twilio, a folder of its own."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.mosquitto import Mosquitto
from tests.support.process import Connector, configuration
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping
    from pathlib import Path

    from tests.acceptance.house import MakeConnector
    from tests.support.process import Section


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """Mosquitto as it is installed: MQTT 5 and 3.1.1, sessions in memory."""
    with Mosquitto(tmp_path / "broker") as broker:
        yield broker


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    """Twilio, with a ledger of everything it was made to send."""
    async with Simulator(clock=time.time, random=random.Random(1)) as twilio:  # noqa: S311 - SIDs
        twilio.set_age(0)  # a status read late on a busy machine is the one that was answered at once
        yield twilio


@pytest.fixture
def make_connector(tmp_path: Path, twilio: Simulator) -> MakeConnector:
    """Connectors that share one folder, and so one journal, unless told otherwise."""

    def make(
        broker_url: str,
        *,
        folder: str = "connector",
        crash_at: str = "",
        parameters: Section | None = None,
        environ: Mapping[str, str] | None = None,
        **sections: Section,
    ) -> Connector:
        sections["connector.parameters"] = parameters or {}
        settings = configuration(broker_url=broker_url, twilio_url=twilio.base_url, **sections)
        return Connector(tmp_path / folder, settings, crash_at=crash_at, **dict(environ or {}))

    return make
