"""Reading on the real program: `status` and `journal tail` next to a connector, and after its end."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text
from tests.support.mqtt_peer import Peer
from tests.support.process import Program, environment, run_program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto


async def status_of(config: Path) -> dict[str, Any]:
    """What `status --json` prints, of a program without a token."""
    program = await run_program("status", "--json", "--config", str(config), environ=environment())
    assert [] == program.stderr
    (line,) = program.stdout
    found: dict[str, Any] = json.loads(line)
    return found


async def status_where(config: Path, *path: str, says: object) -> dict[str, Any]:
    """The first status whose value at that place is this one: the connector notes it within a second."""
    while True:
        found = await status_of(config)
        value: Any = found
        for key in path:
            value = value[key]
        if value == says:
            return found


async def test_the_status_knows_broker_and_credentials_and_that_a_connector_runs(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        found = await status_where(connector.config, "credentials", "state", says="accepted")
        assert ("connected", True) == (found["connection"]["state"], found["connector"]["running"])
        assert broker.url in found["connection"]["to"]
        await peer.publish(TEXT_TOPIC, text())
        await peer.next_message()
        found = await status_of(connector.config)
        assert (None, True) == (found["last_failure_at"], found["last_success_at"] is not None)
        assert 0 == await connector.terminate(), connector.output
        found = await status_of(connector.config)
    assert (False, "disconnected") == (found["connector"]["running"], found["connection"]["state"])
    assert found["connector"]["ended_at"] is not None


async def test_the_status_after_a_kill_is_not_what_the_connector_noted_last(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector:
        await connector.ready()
        await status_where(connector.config, "connection", "state", says="connected")
        await connector.kill()
        found = await status_of(connector.config)
    assert (False, None, "disconnected") == (
        found["connector"]["running"],
        found["connector"]["ended_at"],
        found["connection"]["state"],
    )
    assert found["connector"]["seen_at"] is not None


async def test_refused_credentials_and_what_waits_for_them_are_in_the_status(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    twilio.set_auth_tokens(["another"])
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text())
        found = await status_where(connector.config, "waiting", "by_reason", says={"credentials_refused": 1})
        assert ["credentials_refused"] == [pause["reason"] for pause in found["paused"]]
        await status_where(connector.config, "credentials", "state", says="refused")


async def test_what_is_followed_comes_live_and_a_connector_neither_waits_nor_ends_for_it(
    broker: Mosquitto, make_connector: MakeConnector
) -> None:
    async with make_connector(broker.url) as connector, Peer(broker.url) as peer:
        await connector.ready()
        arguments = ("journal", "tail", "--json", "--config", str(connector.config))
        async with Program(*arguments, environ=environment()) as tail:
            await peer.publish(TEXT_TOPIC, text("first"))
            await tail.wait_for_line('"id": "first"')
            await peer.publish(TEXT_TOPIC, text("second", to="+12345000001"))
            await tail.wait_until(
                lambda: any('"second"' in line and '"sid": "SM' in line for line in tail.stdout), "SID"
            )
            assert [] == [line for line in tail.stdout if "+12345" in line]
            tail.signal(signal.SIGINT)
            assert 130 == await tail.wait()
        assert 0 == await connector.terminate(), connector.output
