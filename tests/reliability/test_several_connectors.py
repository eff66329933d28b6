"""Several connectors on one database: they die, stand still and take over, and each request is sent once."""

from __future__ import annotations

import json
import signal
import time
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import until
from tests.reliability.aftermath import Heard, sorted_out
from tests.reliability.kept import open_in
from tests.reliability.plan import Plan
from tests.reliability.several import SeveralTorture
from tests.reliability.torture import CLIENT_ID, report
from tests.reliability.traffic import Request, answered, publish, recipient
from tests.support.engines import access_of, desk_of
from tests.support.mqtt_peer import Peer
from tests.support.orders import place
from tests.support.process import Connector, configuration
from tests.support.proxy import HOST, Proxy
from twilio_notifications.core.orders import PauseOrder, ResumeOrder
from twilio_notifications.simulator.faults import Fault, ListLag, ServerError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.pgbouncer import PgBouncer
    from tests.support.postgresql import PostgreSql
    from twilio_notifications.adapters.journal.access import Access
    from twilio_notifications.core.orders import Order
    from twilio_notifications.simulator.server import Simulator

PLAN = Plan(requests=200, kills=4, seed=5)
LEASE_SECONDS = 1.0
LONG_LEASE_SECONDS = 5.0
"""Of a connector that must not lose the lead by the load of the machine alone."""

pytestmark = [pytest.mark.postgresql, pytest.mark.mosquitto]


async def test_three_connectors_of_which_one_dies_again_and_again_keep_every_promise(
    tmp_path: Path, postgresql: PostgreSql
) -> None:
    said: list[str] = []
    with postgresql.database(empty=True) as url:
        plan = Plan(requests=PLAN.requests, kills=PLAN.kills, seed=PLAN.seed, journal_url=url)
        torture = SeveralTorture(plan, tmp_path, tell=said.append, connectors=3, server=postgresql)
        account = await torture.run()
    assert PLAN.kills == account.kills
    assert account.kept, "\n".join([*said, *report(plan, account)])
    assert account.chains.total(), "no chain began: this run showed nothing of them"


@pytest.mark.pgbouncer
async def test_behind_a_pooler_of_transactions_they_keep_every_promise_too(
    tmp_path: Path, postgresql: PostgreSql, pgbouncer: PgBouncer
) -> None:
    said: list[str] = []
    with postgresql.database(empty=True) as direct:
        url = pgbouncer.url(direct)
        pgbouncer.fill(url)
        plan = Plan(requests=PLAN.requests, kills=PLAN.kills, seed=PLAN.seed, journal_url=url)
        torture = SeveralTorture(plan, tmp_path, tell=said.append, connectors=3, server=postgresql)
        account = await torture.run()
    assert account.kept, "\n".join([*said, *report(plan, account)])


async def test_three_connectors_send_as_many_texts_as_a_limit_for_the_account_allows(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    settings = configuration(
        broker_url=broker.url,
        twilio_url=twilio.base_url,
        journal={"url": postgresql_url},
        twilio={"concurrency": 6},
        limits={"texts_per_month": 150, "segments_per_month": 10_000, "when_exceeded": "refuse"},
    )
    twilio.set_latency(0.05)
    async with AsyncExitStack() as stack:
        peer = await stack.enter_async_context(Peer(broker.url))
        every = []
        for name in ("one", "two", "three"):
            every.append(await stack.enter_async_context(Connector(tmp_path / name, settings)))
            await every[-1].wait_for_event("connector_stands_by" if every[1:] else "leadership_taken")
        await every[0].ready()
        requests = [Request(number=number, to=recipient(number)) for number in range(1, 201)]
        await publish(peer, requests)
        await answered(peer, requests)
        assert 150 == len(twilio.ledger)
        assert 50 == sum("QuotaExceeded" in json.dumps(status) for status in peer.statuses)
        for connector in reversed(every):
            assert 0 == await connector.terminate()


async def test_a_connector_that_stands_still_past_its_lease_sends_one_text_whose_sid_is_reported(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    """It is stopped with a POST under way, another one takes over, and then it goes on."""
    settings = configuration(
        broker_url=broker.url,
        twilio_url=twilio.base_url,
        journal={"url": postgresql_url, "lease_seconds": LEASE_SECONDS},
        delivery={"settle_seconds": 0.5},
        status={"detail": "extended"},
    )
    twilio.set_latency(0.5)
    async with (
        Connector(tmp_path / "one", settings) as one,
        Peer(broker.url) as peer,
    ):
        await one.ready()
        async with Connector(tmp_path / "two", settings) as two:
            await two.wait_for_event("connector_stands_by")
            await publish(peer, [Request(number=1, to=recipient(1))])
            await until(lambda: len(twilio.ledger) == 1)
            one.signal(signal.SIGSTOP)
            await two.wait_for_event("leadership_taken")
            first = (await peer.next_message()).json()
            one.signal(signal.SIGCONT)
            await one.wait_for_event("attempt_lapsed")
            await publish(peer, [Request(number=2, to=recipient(1))])
            second = (await peer.next_message()).json()
            assert ["id-1", "id-2"] == [first["id"], second["id"]]
            sids = [status["response"]["detail"]["sid"] for status in (first, second)]
            assert [entry.sid for entry in twilio.ledger] == sids
            assert 0 == await two.terminate()
        assert 0 == await one.terminate()


async def test_connectors_whose_journal_a_later_version_has_migrated_end_and_say_what_to_do(
    tmp_path: Path, postgresql: PostgreSql, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    """As a rolling update does, when it starts the first connector of the later version."""
    settings = configuration(
        broker_url=broker.url,
        twilio_url=twilio.base_url,
        journal={"url": postgresql_url, "lease_seconds": LEASE_SECONDS},
    )
    async with Connector(tmp_path / "one", settings) as one:
        await one.ready()
        async with Connector(tmp_path / "two", settings) as two:
            await two.wait_for_event("connector_stands_by")
            postgresql.ask("UPDATE journal SET version = version + 1", postgresql_url)
            for each in (one, two):
                assert 1 == await each.wait(), each.output
                (failed,) = each.events("connector_failed")
                assert "a connector of a later version has changed its tables" in failed["error"]
                assert "exception" not in failed, "a trace"


async def test_a_leader_that_leads_again_publishes_again_only_what_the_broker_did_not_acknowledge(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    """No other connector has led meanwhile. The broker has taken one status whose acknowledgement is lost."""
    async with Proxy(broker.port) as proxy, Peer(broker.url) as peer:
        settings = configuration(
            broker_url=f"mqtt://{HOST}:{proxy.port}",
            twilio_url=twilio.base_url,
            journal={"url": postgresql_url, "lease_seconds": LONG_LEASE_SECONDS},
            tracking={"poll_initial_seconds": 0.25},
            status={"follow_up": "final"},
        )
        journal = access_of(postgresql_url)
        async with Connector(tmp_path / "one", settings) as one:
            await one.ready()
            await publish(peer, [Request(number=1, to=recipient(1))])
            heard = [await hear(peer)]
            await until(lambda: not open_in(journal).get("statuses"))
            proxy.withhold_answers()
            twilio.set_age(60)  # from now on the text shows that it has arrived
            heard.append(await hear(peer))
            one.signal(signal.SIGSTOP)
            await until(lambda: not _leases(journal))
            one.signal(signal.SIGCONT)
            await one.wait_for_event("leadership_taken", 2)
            heard.append(await hear(peer))
            await until(lambda: not open_in(journal))
            twilio.set_age(0)
            await publish(peer, [Request(number=2, to=recipient(1))])
            heard.append(await hear(peer))
            assert 0 == await one.terminate()
    words = [json.loads(one.payload)["response"]["payload"]["messages"]["message_status"] for one in heard]
    assert ["queued", "delivered", "delivered", "queued"] == words
    assert heard[1].payload == heard[2].payload
    connected = broker.connected_at(CLIENT_ID)
    assert 2 == len(connected)
    assert [] == sorted_out(heard)["id-1"].repeated(connected)


async def hear(peer: Peer) -> Heard:
    return Heard(payload=(await peer.next_message()).payload, at=time.time())


def _leases(journal: Access) -> int:
    """Those that last, by the database's clock."""
    with journal.reading(glance=True) as connection:
        query = "SELECT COUNT(*) FROM members WHERE until > EXTRACT(EPOCH FROM clock_timestamp())"
        return int(connection.execute(query).fetchone()[0])


async def test_an_answer_that_comes_after_its_absence_seemed_proved_is_the_one_that_is_reported(
    tmp_path: Path, postgresql_url: str, broker: Mosquitto, twilio: Simulator
) -> None:
    """Twilio's lists are late, and a person's pause lies between that proof and a second attempt."""
    settings = configuration(
        broker_url=broker.url,
        twilio_url=twilio.base_url,
        journal={"url": postgresql_url, "lease_seconds": LEASE_SECONDS},
        delivery={"settle_seconds": 0.5},
        status={"detail": "extended"},
    )
    twilio.set_latency(2.0)
    twilio.add_fault(Fault(effect=ServerError(), on="lists"))
    async with Connector(tmp_path / "one", settings) as one, Peer(broker.url) as peer:
        await one.ready()
        async with Connector(tmp_path / "two", settings) as two:
            await two.wait_for_event("connector_stands_by")
            await publish(peer, [Request(number=1, to=recipient(1))])
            await until(lambda: len(twilio.ledger) == 1)
            one.signal(signal.SIGSTOP)
            await two.wait_for_event("leadership_taken")
            await carried_out(postgresql_url, PauseOrder())
            twilio.clear_faults()
            twilio.add_fault(Fault(effect=ListLag(seconds=3600)))
            assert "absent" == (await two.wait_for_event("doubt_settled"))["outcome"]
            one.signal(signal.SIGCONT)
            first = (await peer.next_message()).json()
            await carried_out(postgresql_url, ResumeOrder())
            await publish(peer, [Request(number=2, to=recipient(1))])
            second = (await peer.next_message()).json()
            assert ["id-1", "id-2"] == [first["id"], second["id"]]
            sids = [status["response"]["detail"]["sid"] for status in (first, second)]
            assert [entry.sid for entry in twilio.ledger] == sids
            assert 0 == await two.terminate()
        assert 0 == await one.terminate()


async def carried_out(url: str, order: Order) -> None:
    """Returns when the leader has carried the order out."""
    numbers = place(url, order)
    desk = desk_of(url)
    await until(lambda: all(one.done_at is not None for one in desk.results(numbers)))
