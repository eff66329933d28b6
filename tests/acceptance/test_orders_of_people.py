"""Orders of people on the real program: the command next to the connector, from the order to its effect."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text, until
from tests.support.mqtt_peer import Peer
from tests.support.process import environment, exit_code, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector, Program
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

FIRST, SECOND = "+12345000001", "+12345000002"


async def journal(connector: Connector, *arguments: str) -> Program:
    """`journal` with these arguments, once it has ended."""
    config = ("--config", str(connector.config))
    return await run_program("journal", *arguments, *config, environ=environment())


def waiting_in(path: Path) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM states WHERE state = 'WAITING'").fetchone()[0])


async def test_a_person_pauses_cancels_resumes_and_sends_again_next_to_the_connector(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    """Neither the account SID nor the token is in reach of the command."""
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        paused = await journal(connector, "pause", "--for", "1h")
        assert 0 == exit_code(paused), paused.output
        await connector.wait_for_event("operator_pause_began")
        for number in (FIRST, SECOND):
            await peer.publish(TEXT_TOPIC, text(number, to=number))
        path = connector.config.with_name("journal") / "journal.db"
        await until(lambda: 2 == waiting_in(path))
        cancelled = await journal(connector, "cancel", "1")
        assert "request 1 is cancelled: it waits no more, and is not sent" in cancelled.stdout
        listed = await journal(connector, "list", "--only", "waiting")
        assert "operator_pause" in "\n".join(listed.stdout), listed.output
        assert [] == twilio.ledger
        assert 0 == exit_code(await journal(connector, "resume"))
        await peer.collect(2)
        again = await journal(connector, "resend", "2", "--yes")
        assert ["request 2 is sent again as request 3"] == again.stdout
        await peer.collect(1)
        shown = "\n".join((await journal(connector, "show", "2")).stdout)
        assert "as request 3" in shown
        assert "operator_pause" in shown
        refused = await journal(connector, "resume")
        assert (1, ["the pause is not ended: requests are not paused"]) == (
            exit_code(refused),
            refused.stdout,
        )
        assert {FIRST: "Cancelled", SECOND: None} == {
            status["id"]: status["response"].get("error") for status in peer.statuses
        }
    assert [SECOND, SECOND] == [entry.to for entry in twilio.ledger]


async def test_without_a_connector_an_order_waits_for_the_next_start(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text(to=FIRST))
        await peer.collect(1)
        assert 0 == await connector.terminate()
        written = await journal(connector, "resend", "1", "--yes", "--wait", "0")
        assert 3 == exit_code(written)
        assert "at its next start" in written.stdout[0]
        async with make_connector(broker.url):
            await peer.collect(1)
    assert [FIRST, FIRST] == [entry.to for entry in twilio.ledger]
