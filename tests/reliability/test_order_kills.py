"""Orders of people next to the real program, which is killed between an order and its result, and under load.

None is lost, and none is carried out twice.
"""

from __future__ import annotations

import json
import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import SENDER, TEXT_TOPIC, until
from tests.reliability.traffic import Request, answered, publish, recipient
from tests.support.crash_points import CrashPoint
from tests.support.engines import ON_EACH_ENGINE, access_of
from tests.support.mqtt_peer import Peer
from twilio_notifications.adapters.journal.desk import SqlOrderDesk
from twilio_notifications.core.escalation import Door
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    PauseOrder,
    ResendOrder,
    ResumeOrder,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.reliability.conftest import Start
    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.core.orders import Order
    from twilio_notifications.ports import OrderResult
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.mosquitto, ON_EACH_ENGINE]

BETWEEN = [CrashPoint.ORDERS_FOUND, CrashPoint.ORDER_CARRIED_OUT]
"""Before the transaction that carries an order out, and after it."""

OWNER = recipient(1)
LONG = 600.0

ROUNDS = 6
ORDERS_A_ROUND = 15
REQUESTS_A_ROUND = 15
DEATHS = (
    CrashPoint.ORDERS_FOUND,
    CrashPoint.ORDER_CARRIED_OUT,
    CrashPoint.TWILIO_ANSWERED,
    CrashPoint.REQUEST_FINISHED,
    CrashPoint.STATUS_PUBLISHED,
)


STATES = "SELECT state FROM states ORDER BY request"
UNREPORTED = "SELECT 1 FROM statuses WHERE reported_at IS NULL"


@pytest.fixture
def journal(tmp_path: Path, journal_settings: Mapping[str, Any]) -> Access:
    return access_of(journal_settings.get("url", tmp_path / "connector" / "journal" / "journal.db"))


def place(journal: Access, *orders: Order) -> tuple[int, ...]:
    return SqlOrderDesk(journal).place(orders, by="Ann", door=Door.COMMAND, at=time.time())


async def results(journal: Access, *numbers: int) -> list[OrderResult]:
    """These orders, once all of them are carried out."""
    desk = SqlOrderDesk(journal)
    await until(lambda: all(one.done_at is not None for one in desk.results(numbers)))
    return desk.results(numbers)


async def dies(connector: Connector) -> None:
    assert -signal.SIGKILL == await connector.wait(), "it did not reach the crash point"


def rows(journal: Access, statement: str) -> list[tuple[Any, ...]]:
    with journal.reading(glance=True) as connection:
        return [tuple(row) for row in connection.execute(statement)]


def errors(peer: Peer) -> set[str | None]:
    return {status["response"].get("error") for status in peer.statuses}


@pytest.mark.parametrize("point", [*BETWEEN, CrashPoint.ATTEMPTS_OPENED, CrashPoint.TWILIO_ANSWERED])
async def test_what_is_sent_again_is_sent_once(
    broker: Mosquitto, twilio: Simulator, start: Start, journal: Access, point: str
) -> None:
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, [Request(number=1, to=OWNER)])
            await answered(peer, [Request(number=1, to=OWNER)])
            assert 0 == await connector.terminate()
        async with start(crash_at=point) as connector:
            await connector.ready()
            (number,) = place(journal, ResendOrder(request=1))
            await dies(connector)
        async with start() as connector:
            (result,) = await results(journal, number)
            await until(
                lambda: [("REPORTED",)] == rows(journal, "SELECT state FROM states WHERE request = 2")
            )
            assert 0 == await connector.terminate()
    assert (2, None) == (result.made, result.refusal)
    assert [(1, None), (2, 1)] == rows(journal, "SELECT id, resent_from FROM requests ORDER BY id")
    assert [OWNER, OWNER] == [entry.to for entry in twilio.ledger]


@pytest.mark.parametrize("point", [*BETWEEN, CrashPoint.WAITING_REQUEST_ENDED])
async def test_what_is_cancelled_is_not_sent_and_a_pause_outlives_the_connector(
    broker: Mosquitto, twilio: Simulator, start: Start, journal: Access, point: str
) -> None:
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await results(journal, *place(journal, PauseOrder()))
            await publish(peer, [Request(number=number, to=recipient(number)) for number in (1, 2)])
            assert 0 == await connector.terminate()
        async with start(crash_at=point) as connector:
            await connector.ready()
            (number,) = place(journal, CancelOrder(request=1))
            await dies(connector)
        async with start() as connector:
            (result,) = await results(journal, number)
            assert [] == twilio.ledger
            await results(journal, *place(journal, ResumeOrder()))
            await answered(peer, [Request(number=number, to=recipient(number)) for number in (1, 2)])
            assert 0 == await connector.terminate()
        assert {"Cancelled", None} == errors(peer)
    assert result.refusal is None
    assert [recipient(2)] == [entry.to for entry in twilio.ledger]


@pytest.mark.parametrize("point", BETWEEN)
async def test_a_pause_that_was_ordered_holds_after_the_crash(
    broker: Mosquitto, twilio: Simulator, start: Start, journal: Access, point: str
) -> None:
    async with Peer(broker.url) as peer:
        async with start(crash_at=point) as connector:
            await connector.ready()
            (number,) = place(journal, PauseOrder())
            await dies(connector)
        await publish(peer, [Request(number=1, to=OWNER)])
        async with start() as connector:
            await connector.ready()
            (result,) = await results(journal, number)
            await until(lambda: [("WAITING",)] == rows(journal, "SELECT state FROM states"))
            assert [] == twilio.ledger
            await results(journal, *place(journal, ResumeOrder()))
            await answered(peer, [Request(number=1, to=OWNER)])
            assert 0 == await connector.terminate()
    assert result.refusal is None


@pytest.mark.parametrize("point", [*BETWEEN, CrashPoint.CHAIN_ENDED])
async def test_an_acknowledgement_ends_its_chain_once(
    broker: Mosquitto, twilio: Simulator, start: Start, journal: Access, point: str
) -> None:
    steps = [{"after_seconds": LONG, "channel": "text", "contacts": ["darla"]}]
    chain = {"steps": steps, "tell_others": False}
    settings: Any = {
        "contacts.darla": {"name": "Darla", "phone_number": recipient(9)},
        "escalations.freezer": chain,
    }
    alarm = {"name": "Owner", "phone_number": OWNER, "message": "It thaws"}
    request = {"recipient": alarm, "from_number": SENDER, "escalation": "freezer"}
    async with Peer(broker.url) as peer:
        async with start(crash_at=point, **settings) as connector:
            await connector.ready()
            await peer.publish(TEXT_TOPIC, json.dumps({"request": request, "id": "thaw"}))
            await peer.collect(1)
            (number,) = place(journal, AcknowledgeOrder(request=1, by="Darla"))
            await dies(connector)
        async with start(**settings) as connector:
            (result,) = await results(journal, number)
            await until(lambda: rows(journal, UNREPORTED) == [])
            assert 0 == await connector.terminate()
    assert "acknowledged" == result.result
    assert [("acknowledged", "Darla", "command")] == rows(journal, "SELECT ending, by, door FROM chains")
    assert [OWNER] == [entry.to for entry in twilio.ledger]


async def test_under_load_and_kills_no_order_is_lost_and_none_is_carried_out_twice(
    broker: Mosquitto, twilio: Simulator, start: Start, journal: Access
) -> None:
    """Each round ends with a kill, and orders and requests of one round are finished in a later one."""
    chance = random.Random(14)  # noqa: S311 - it draws where the process ends
    requests = [Request(number=number, to=recipient(number)) for number in range(ROUNDS * REQUESTS_A_ROUND)]
    numbers: list[int] = []
    async with Peer(broker.url) as peer:
        async with start() as connector:
            await connector.ready()
            await publish(peer, requests[:REQUESTS_A_ROUND])
            await answered(peer, requests[:REQUESTS_A_ROUND])
            assert 0 == await connector.terminate()
        for round_ in range(1, ROUNDS):
            death = chance.choice(DEATHS)
            count = 1 if death is CrashPoint.ORDERS_FOUND else chance.randint(1, 10)
            async with start(crash_at=f"{death}:{count}") as connector:
                again = [chance.randint(1, REQUESTS_A_ROUND) for _ in range(ORDERS_A_ROUND)]
                numbers += place(journal, *(ResendOrder(request=number) for number in again))
                await publish(peer, requests[round_ * REQUESTS_A_ROUND : (round_ + 1) * REQUESTS_A_ROUND])
                await dies(connector)
        async with start() as connector:
            done = await results(journal, *numbers)
            await answered(peer, requests)
            await until(lambda: {("REPORTED",)} == set(rows(journal, STATES)))
            assert 0 == await connector.terminate()
    assert len(numbers) == len(done)
    assert len(numbers) == sum(one.result is not None for one in done), [one.refusal for one in done]
    assert len(numbers) == len({one.made for one in done})
    ordered = Counter(one.request for one in done)
    made = dict(rows(journal, "SELECT resent_from, COUNT(*) FROM requests GROUP BY 1 HAVING resent_from > 0"))
    assert ordered == made
    expected = {request.to: 1 + ordered[number] for number, request in enumerate(requests, start=1)}
    assert expected == Counter(entry.to for entry in twilio.ledger)
