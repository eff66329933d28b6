"""The tutorial, entered as it stands: the configuration, the commands, and what they print."""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import until
from tests.docs.markdown import DOCS, blocks
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt_peer import Peer
from tests.support.patience import WAIT_SECONDS
from tests.support.process import Program, environment

if TYPE_CHECKING:
    from pathlib import Path

PAGE = DOCS / "tutorial.md"
LINES = [line for block in blocks(PAGE, "sh") for line in block.text.splitlines()]
SHOWN = [line for block in blocks(PAGE, "") for line in block.text.splitlines()]


def line(beginning: str) -> list[str]:
    """The words of the first command of the page that begins so, without the program's name."""
    return shlex.split(next(each for each in LINES if each.startswith(beginning)))[1:]


def published(request_id: str) -> str:
    """What the page has `mosquitto_pub` publish."""
    found = next(each for each in LINES if each.startswith("mosquitto_pub") and f'"{request_id}"' in each)
    return shlex.split(found)[-1]


def shape(status: str) -> str:
    return re.sub(r"send-[0-9a-f]+", "send-ID", status)


class Stage:
    """The terminals of the tutorial, with other ports, and seconds that a test need not wait for."""

    def __init__(self, folder: Path, broker: Mosquitto) -> None:
        self._folder = folder
        self._broker = broker
        self._token: dict[str, str] = {}
        self._environ = environment(
            TWILIO_NOTIFICATIONS__TRACKING__INBOUND_SECONDS="0.1",
            TWILIO_NOTIFICATIONS__TRACKING__POLL_INITIAL_SECONDS="0.1",
            TWILIO_NOTIFICATIONS__TRACKING__REQUESTS_PER_MINUTE="6000",
        )

    def program(self, beginning: str, listen: str = "") -> Program:
        words = [listen if listen and ":" in word else word for word in line(beginning)]
        return Program(*words, environ=self._environ | self._token, folder=self._folder)

    def export(self) -> None:
        """In the first terminal, where `check` and `run` are entered."""
        name, _, value = line("export")[0].partition("=")
        self._token = {name: value}

    def leave_terminal(self) -> None:
        self._token = {}

    def configure(self, simulator: str) -> None:
        (block,) = blocks(PAGE, "toml")
        text = block.text.replace("mqtt://127.0.0.1:1883", self._broker.url)
        text = text.replace("http://127.0.0.1:8080", simulator).replace(
            "after_seconds = 20", "after_seconds = 0.2"
        )
        (self._folder / "twilio-notifications.toml").write_text(text, encoding="utf-8")


async def asked(url: str, order: dict[str, str] | None = None) -> Any:
    """What the simulator answers."""

    def ask() -> Any:
        body = None if order is None else json.dumps(order).encode()
        with urllib.request.urlopen(url, body) as answer:  # noqa: S310 - a server of the test
            return json.load(answer)

    return await asyncio.to_thread(ask)


@pytest.mark.mosquitto
async def test_who_follows_the_tutorial_sees_what_it_says(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        stage = Stage(tmp_path, broker)
        async with stage.program("twilio-notifications simulator", listen="127.0.0.1:0") as twilio:
            url = (await twilio.wait_for_line("Twilio simulator on")).split()[-1]
            stage.configure(url)
            stage.export()
            async with stage.program("twilio-notifications check") as check:
                assert 0 == await check.wait(), check.output
                assert [] == [each for each in check.stdout if not each.startswith(("ok ", "note "))]
            async with stage.program("twilio-notifications run") as connector:
                stage.leave_terminal()
                await connector.wait_until(lambda: "connector_ready" in connector.output, "connector_ready")
                await _send_and_acknowledge(stage, broker, url, connector)


async def _send_and_acknowledge(stage: Stage, broker: Mosquitto, url: str, connector: Program) -> None:
    async with stage.program("twilio-notifications send") as send:
        assert 0 == await send.wait(), send.output
    assert shape(send.stdout[-1]) in map(shape, SHOWN)
    async with stage.program("twilio-notifications journal list") as listed:
        assert 0 == await listed.wait(), listed.output
    async with Peer(broker.url) as device:
        for request_id in ("request123", "thaw"):
            await device.publish("twilio/txt", published(request_id))
            assert "success" == (await device.next_message()).json()["response"]["status"]
        await connector.wait_until(lambda: "step_taken" in connector.output, "step_taken")
        entries: list[dict[str, Any]] = []
        async with asyncio.timeout(WAIT_SECONDS):
            while not any(entry["channel"] == "CALL" for entry in entries):
                entries = (await asked(f"{url}/simulator/ledger"))["entries"]
        assert ["SMS", "SMS", "SMS", "CALL"] == [entry["channel"] for entry in entries]
        assert entries[2]["body"].splitlines()[-1] in SHOWN
        reply = {"channel": "SMS", "from": entries[2]["to"], "to": entries[2]["from"], "body": "1"}
        await asked(f"{url}/simulator/inbound", reply)
        acknowledged = (await device.next_message()).json()["response"]["payload"]["messages"]
    assert "acknowledged" == acknowledged["message_status"]
    ended = re.search(r"`(chain_ended [^`]+)`", PAGE.read_text(encoding="utf-8"))
    assert ended is not None
    await until(lambda: ended[1] in connector.output)
