"""Every delivery ends in the state that Twilio has, with the real program, Mosquitto and the simulator.

What becomes of each text and call is drawn, as with `simulator --deliveries random:SEED`. DELIVERIES in the
environment is the number of texts; there is a call for every five of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import sqlite3
import time
from base64 import b64encode
from collections import defaultdict
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest

from tests.acceptance.house import CALL_TOPIC, TEXT_TOPIC, call, text, until
from tests.support.mqtt_peer import Peer
from tests.support.process import ACCOUNT_SID, TOKEN
from twilio_notifications.core.delivery import RANKS
from twilio_notifications.core.model import Channel
from twilio_notifications.simulator.announcer import CallbackTreatment
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Section

pytestmark = pytest.mark.mosquitto

TEXTS = int(os.environ.get("DELIVERIES", "100"))
CALLS = TEXTS // 5

ENDS_WITHIN = 300.0
"""Seconds; the last end is that of the texts that get no receipt, GIVE_UP after their acceptance."""

INITIAL, GIVE_UP = 0.25, 70.0
"""Twilio shows the error of a voice document 2 s after the end of its call. Drawn ends come within 42 s."""


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    """Twilio, which draws what becomes of each text and call."""
    drawing = random.Random(1)  # noqa: S311 - SIDs are no secret
    async with Simulator(clock=time.time, random=drawing, delivery_seed="12") as twilio:
        yield twilio


def settings(**tracking: object) -> dict[str, Section]:
    return {
        "tracking": {
            "poll_initial_seconds": INITIAL,
            "give_up_seconds": GIVE_UP,
            "requests_per_minute": 6000,
            **tracking,
        },
        "status": {"follow_up": "all"},
        "calls": {"machine_detection": "detect", "ring_seconds": 1},
    }


def called() -> dict[str, Section]:
    """Twilio calls back; the port has to be known before the connector listens."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    return settings(mode="callback", listen=address, public_url=f"http://{address}/twilio")


@pytest.mark.parametrize("has_callbacks", [False, True], ids=["polling", "callbacks"])
async def test_every_delivery_ends_as_twilio_has_it_and_each_change_is_published_once(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, start: Start, *, has_callbacks: bool
) -> None:
    """Once by polling alone, once with callbacks: each comes twice, in any order, perhaps before the answer
    to the POST, and a third of them never."""
    twilio.set_callbacks(CallbackTreatment(copies=2, lost=1 / 3, shuffle_seconds=3.0, early=True, seed=5))
    configured: Any = called() if has_callbacks else settings()
    async with Peer(broker.url) as peer, start(**configured) as connector:
        await connector.ready()
        for n in range(TEXTS):
            await peer.publish(TEXT_TOPIC, text(f"text {n}", to=f"+1234500{n:04}"))
            if n % 5 == 0 and n // 5 < CALLS:
                await peer.publish(CALL_TOPIC, call(f"call {n // 5}", to=f"+1234600{n // 5:04}"))
        await until(lambda: len(twilio.ledger) == TEXTS + CALLS)
        await until(lambda: over(tmp_path), ENDS_WITHIN)
        assert 0 == await connector.terminate()
        told = published(peer)
    finals = await asyncio.to_thread(resources, twilio.base_url)
    assert TEXTS + CALLS == len(told) == len(finals)
    for id_, responses in told.items():
        words = [response["payload"]["messages"]["message_status"] for response in responses]
        channel, number = id_.split()
        ranks = RANKS[Channel.SMS if channel == "text" else Channel.CALL]
        assert sorted({ranks[word] for word in words}) == [ranks[word] for word in words], (id_, words)
        final = finals[f"+1234{'500' if channel == 'text' else '600'}{int(number):04}"]
        assert final["status"] == words[-1], id_
        assert reached(final) == (responses[-1]["status"] == "success"), (final, responses[-1])
    if has_callbacks:
        made = [entry for entry in twilio.callbacks if not entry.lost]
        assert {204} == {entry.status for entry in made if entry.status is not None}
        assert len(made) < len(twilio.callbacks)


def reached(final: dict[str, Any]) -> bool:
    """Whether Twilio's resource is a success by the contract; "canceled" was not our order.

    Where machine detection has found a person, the result is known, and notifications are not read.
    """
    if final["status"] == "completed":
        return final["answered_by"] == "human" or (
            final["answered_by"] == "unknown" and not final["notified"]
        )
    return final["status"] in {"delivered", "sent"}


def published(peer: Peer) -> dict[str, list[dict[str, Any]]]:
    """The responses to each id, in their order."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for status in peer.statuses:
        told[status["id"]].append(status["response"])
    return told


def over(folder: Path) -> bool:
    """Whether the journal follows nothing any more of all that was sent."""
    (path,) = folder.rglob("journal.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as journal:
        (counts,) = journal.execute("SELECT COUNT(*), COUNT(look_at) FROM deliveries")
    return bool(counts == (TEXTS + CALLS, 0))


def resources(base_url: str) -> dict[str, dict[str, Any]]:
    """What Twilio shows of each text and call in the end, by its recipient; with `notified` for calls."""
    account = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
    found: dict[str, dict[str, Any]] = {}
    for kind in ("Messages", "Calls"):
        path: str | None = f"{account}/{kind}.json?PageSize=200"
        while path is not None:
            page = fetched(base_url + path)
            found |= {resource["to"]: resource for resource in page[kind.lower()]}
            path = page["next_page_uri"]
    for resource in found.values():
        if resource["status"] == "completed":
            notices = fetched(f"{base_url}{account}/Calls/{resource['sid']}/Notifications.json")
            resource["notified"] = bool(notices["notifications"])
    return found


def fetched(url: str) -> Any:
    login = b64encode(f"{ACCOUNT_SID}:{TOKEN}".encode()).decode()
    asked = HttpRequest(url, headers={"Authorization": f"Basic {login}"})  # noqa: S310 - the simulator's
    with urlopen(asked) as answer:  # noqa: S310 - as above
        return json.load(answer)
