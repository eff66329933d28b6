"""Clients that send too much get all their statuses, keep memory flat, and do not delay other clients."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text
from tests.support.flood import pour
from tests.support.memory import LINUX_TELLS, peak_kib
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.mosquitto import Mosquitto
    from tests.support.mqtt_peer import Received
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

QUIET = {"level": "INFO"}
GROWTH_KIB = 12 * 1024
"""What thousands of requests more may cost in memory: the journal's page cache may grow by 2 MiB on each of
its two connections, and requests arrive in pieces of 64 KiB. On an idle machine it is 2 to 5 MiB, on
a busy one up to 9; kept in memory, the second wave alone would take more than 18."""


def errors(statuses: Sequence[Received]) -> Counter[str]:
    """How often each `error` was answered, or `success`."""
    responses: list[Any] = [status.json()["response"] for status in statuses]
    return Counter(response.get("error", response["status"]) for response in responses)


FORBIDDEN_FEW, FORBIDDEN_MANY = 2_000, 10_000


def forbidden(numbers: range) -> list[bytes]:
    return [text(f"flood-{number}", to=f"+4917000{number % 100:04}").encode() for number in numbers]


@LINUX_TELLS
async def test_ten_thousand_forbidden_requests_are_ten_thousand_answers_and_nothing_else(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    few, many = FORBIDDEN_FEW, FORBIDDEN_MANY
    limits = {"allowed_texts": ["+1"]}
    async with make_connector(broker.url, limits=limits, log=QUIET) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await pour(broker.url, TEXT_TOPIC, forbidden(range(few)))
        statuses = await peer.collect(few)
        after_few = peak_kib(connector.pid)
        await pour(broker.url, TEXT_TOPIC, forbidden(range(few, many)))
        statuses += await peer.collect(many - few)
        growth = peak_kib(connector.pid) - after_few
        assert 0 == await connector.terminate()
    assert {"NotAllowed": many} == errors(statuses)
    assert {f"flood-{number}" for number in range(many)} == {status.json()["id"] for status in statuses}
    assert [] == list(twilio.ledger)
    assert growth < GROWTH_KIB


FIRST_WAVE, SECOND_WAVE = 2_000, 8_000


def mixed(count: int) -> list[bytes]:
    """Half of it no JSON, a quarter with a wrong number, a quarter valid, to some twenty people."""
    valid = [text(f"flood-{number}", to=f"+1234501{number % 100:04}").encode() for number in range(count)]
    damage = (b"{", b"{" * 3_000, b"+x")
    return [
        payload if number % 4 == 0 else payload.replace(b"+1", damage[number % 4 - 1])
        for number, payload in enumerate(valid)
    ]


async def wave(
    url: str, count: int, *, protocol: Literal["5", "3.1.1"], qos: int, peer: Peer
) -> list[Received]:
    """All answers to a flood, and to one request that another client makes meanwhile."""
    flooding = asyncio.create_task(pour(url, TEXT_TOPIC, mixed(count), protocol=protocol, qos=qos))
    async with Peer(url, subscribe="") as other, asyncio.timeout(WAIT_SECONDS):
        await other.publish(TEXT_TOPIC, text("other"))
        statuses = [await peer.next_message()]
        while statuses[-1].json()["id"] != "other":
            statuses.append(await peer.next_message())
    await flooding
    return statuses + await peer.collect(count + 1 - len(statuses))


@LINUX_TELLS
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_a_flood_is_answered_in_little_memory_and_keeps_nobody_else_waiting(
    broker: Mosquitto,
    twilio: Simulator,
    make_connector: MakeConnector,
    protocol: Literal["5", "3.1.1"],
    qos: int,
) -> None:
    """The broker delivers in the order of arrival: the other client waits for what came before, no more."""
    transport = {"protocol": protocol}
    async with (
        make_connector(broker.url, transport=transport, log=QUIET) as connector,
        Peer(broker.url) as peer,
    ):
        await connector.ready()
        statuses = await wave(broker.url, FIRST_WAVE, protocol=protocol, qos=qos, peer=peer)
        after_first = peak_kib(connector.pid)
        statuses += await wave(broker.url, SECOND_WAVE, protocol=protocol, qos=qos, peer=peer)
        growth = peak_kib(connector.pid) - after_first
        assert 0 == await connector.terminate()
    total = FIRST_WAVE + SECOND_WAVE
    expected = {"success": total // 4 + 2, "InvalidParameter": total * 3 // 4}
    assert expected == errors(statuses)
    assert expected["success"] == len(twilio.ledger)
    assert growth < GROWTH_KIB


GIANT = 10_000_000


@LINUX_TELLS
@pytest.mark.parametrize("qos", [0, 1])
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
async def test_giants_are_answered_and_never_held_in_memory(
    broker: Mosquitto,
    twilio: Simulator,
    make_connector: MakeConnector,
    protocol: Literal["5", "3.1.1"],
    qos: int,
) -> None:
    """Mosquitto takes messages of up to 256 MiB unless told otherwise (`message_size_limit`)."""
    async with (
        make_connector(broker.url, transport={"protocol": protocol}) as connector,
        Peer(broker.url) as peer,
    ):
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text("first"))
        statuses = [await peer.next_message()]
        before = peak_kib(connector.pid)
        await pour(broker.url, TEXT_TOPIC, [b"x" * GIANT] * 3, protocol=protocol, qos=qos)
        await peer.publish(TEXT_TOPIC, text("last"))
        statuses += await peer.collect(4)
        growth = peak_kib(connector.pid) - before
        assert 0 == await connector.terminate()
    sentences = [status.json()["response"].get("error_message") for status in statuses]
    too_large = f"Input message is {GIANT} bytes long, the limit is 131072"
    assert 3 == sentences.count(too_large)
    assert {"success": 2, "InvalidParameter": 3} == errors(statuses)
    assert 2 == len(twilio.ledger)
    assert growth < GROWTH_KIB
