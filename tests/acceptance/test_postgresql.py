"""The real program with its journal in PostgreSQL, confined: nothing is missing, and no password is shown."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import TEXT_TOPIC, text
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.process import Connector, configuration

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgresql import PostgreSql
    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.landlock, pytest.mark.mosquitto, pytest.mark.postgresql]


async def answer(peer: Peer, words: str) -> str:
    await peer.publish(TEXT_TOPIC, text(words, body=words))
    while (status := (await peer.next_message()).json())["id"] != words:
        pass
    return str(status["response"]["status"])


async def command(config: Path, *arguments: str) -> str:
    """What a command prints, on both ways."""
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "twilio_notifications", "--config", str(config), *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={"TWILIO_AUTH_TOKEN": "token", "PATH": "/usr/bin:/bin"},
    )
    printed, _ = await asyncio.wait_for(program.communicate(), WAIT_SECONDS)
    return printed.decode()


async def test_a_start_waits_for_a_server_that_is_away(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, postgresql: PostgreSql
) -> None:
    """Started again and again instead, it would be held back by those that start it."""
    with postgresql.database(empty=True) as url:
        limit = f"ALTER DATABASE {url.rpartition('/')[2]} CONNECTION LIMIT"
        postgresql.ask(f"{limit} 0")
        await asyncio.to_thread(postgresql.stop)
        settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, journal={"url": url})
        async with Connector(tmp_path / "stopped", settings) as stopped:
            unavailable = await stopped.wait_for_event("journal_unavailable")
            assert "Start PostgreSQL" in unavailable["error"]
            assert 0 == await stopped.terminate()
        async with Connector(tmp_path / "connector", settings) as connector, Peer(broker.url) as peer:
            await connector.wait_for_event("journal_unavailable")
            await asyncio.to_thread(postgresql.start)
            await connector.wait_until(
                lambda: "no more connections" in connector.events("journal_unavailable")[-1]["error"],
                "the reason why it waits now",
            )
            await asyncio.to_thread(postgresql.ask, f"{limit} -1")
            await connector.ready()
            assert connector.events("journal_available")
            assert "success" == await answer(peer, "afterwards")
            assert 0 == await connector.terminate()


async def test_a_connector_works_over_a_restart_of_its_server(
    tmp_path: Path, twilio: Simulator, postgresql: PostgreSql
) -> None:
    with postgresql.database(empty=True) as url:
        async with Mosquitto(tmp_path / "broker") as broker, Peer(broker.url) as peer:
            settings = configuration(broker_url=broker.url, twilio_url=twilio.base_url, journal={"url": url})
            settings["connector.parameters"]["IsolationMode"] = "GreengrassContainer"
            async with Connector(tmp_path / "connector", settings) as connector:
                await connector.ready()
                assert connector.events("process_confined")
                assert "success" == await answer(peer, "before")
                await asyncio.to_thread(postgresql.stop)
                await peer.publish(TEXT_TOPIC, text("meanwhile", body="meanwhile"))
                await connector.wait_for_event("journal_unavailable")
                await asyncio.to_thread(postgresql.start)
                await connector.wait_for_event("journal_available")
                assert "success" == await answer(peer, "afterwards")
                listed = await command(connector.config, "journal", "list", "--json")
                assert 3 == len(listed.splitlines()), listed
                paused = await command(connector.config, "journal", "pause")
                assert "all requests wait" in paused, paused
                unasked = await command(connector.config, "check", "--offline")
                assert "its database is not asked" in unasked, unasked
                checked = await command(connector.config, "check")
                assert "in use by a running connector" in checked, checked
                stood = await command(connector.config, "status", "--json")
                assert '"paused"' in stood, stood
                assert 0 == await connector.terminate()
            said = "\n".join([*connector.stderr, listed, paused, checked, stood])
        assert url.partition("@")[0].rpartition(":")[2] not in said, "the password"
    assert ["before", "meanwhile", "afterwards"] == [entry.body for entry in twilio.ledger]
