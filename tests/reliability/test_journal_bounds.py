"""A small disk, and more rejected messages than it could hold: each alarm after them is answered."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC
from tests.reliability.traffic import ALL_KEPT, WINDOW, Request, answered, judge, publish, recipient
from tests.support.disks import mounted
from tests.support.mqtt_peer import Peer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Section
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

MEGABYTES = int(os.environ.get("TEST_DISK_MEGABYTES", "16"))
REJECTED = int(os.environ.get("TEST_DISK_REJECTED", "1500"))
REJECTED_BYTES = int(os.environ.get("TEST_DISK_REJECTED_BYTES", "5000"))
"""The defaults are quick. The numbers of a long run: 64, 10,000 and 130,000."""

LIMIT_SECONDS = 600.0
"""All rejections are answered before the alarms are."""

ALARMS = [Request(number=number, to=recipient(number)) for number in range(10)]
LATER = [Request(number=number, to=recipient(number)) for number in range(10, 20)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "small", megabytes=MEGABYTES) as folder:
        yield folder


def on(disk: Path) -> Section:
    return {"url": f"sqlite:///{disk}/journal.db"}


def rejected(number: int) -> bytes:
    """Has no request; its long id comes back in the status, as far as an id may be long."""
    tail = "\N{POLICE CARS REVOLVING LIGHT}" * ((REJECTED_BYTES - 100) // 4)
    return json.dumps({"id": f"{number}{tail}"}, ensure_ascii=False).encode()


async def flood(peer: Peer, count: int) -> None:
    for start in range(0, count, WINDOW):
        numbers = range(start, min(start + WINDOW, count))
        await asyncio.gather(*(peer.publish(TEXT_TOPIC, rejected(number)) for number in numbers))


async def test_alarms_are_answered_on_a_small_disk_after_any_number_of_rejections(
    broker: Mosquitto, twilio: Simulator, start: Start, small_disk: Path
) -> None:
    async with Peer(broker.url) as peer:
        async with start(journal=on(small_disk)) as connector:
            await connector.ready()
            await flood(peer, REJECTED)
            await publish(peer, ALARMS)
            await answered(peer, ALARMS, limit_seconds=LIMIT_SECONDS)
            assert [] == connector.events("journal_unavailable")
            assert 0 == await connector.terminate()
        used = shutil.disk_usage(small_disk)
        print(f"{used.used} of {used.total} bytes are used")  # noqa: T201 - pytest shows it on failure
        assert used.used <= used.total // 2
        async with start(journal=on(small_disk)) as connector:
            await connector.ready()
            await publish(peer, LATER)
            await answered(peer, LATER)
            assert 0 == await connector.terminate()
        statuses = [message.payload for message in peer.received if b'"id-' in message.payload]
        assert ALL_KEPT == judge([*ALARMS, *LATER], twilio.ledger, statuses)
