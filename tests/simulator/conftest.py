"""The two simulators that the tests of this folder use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.simulator.desk import Desk, Rest, chance
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.fixture
async def simulator() -> AsyncIterator[Simulator]:
    async with Simulator(clock=time.time, random=chance()) as simulator:
        yield simulator


@pytest.fixture
async def rest(simulator: Simulator) -> AsyncIterator[Rest]:
    async with Rest(simulator.base_url) as rest:
        yield rest
