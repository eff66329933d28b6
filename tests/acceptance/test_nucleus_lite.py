"""The connector inside Greengrass nucleus lite itself, with what that nucleus was seen to do.

Its programs are built from its public source: github.com/aws-greengrass/aws-greengrass-lite, with the targets
ggconfigd-bin, ggpubsubd-bin and ggipcd-bin. Then NUCLEUS_LITE names the folder with the three.
"""

from __future__ import annotations

import asyncio
import json
import os
import queue
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from awsiot.greengrasscoreipc.model import BinaryMessage, JsonMessage, PublishMessage

from tests.acceptance.house import STATUS_TOPIC, TEXT_SUCCESS, TEXT_TOPIC, text
from tests.support.needs import lite_programs
from tests.support.nucleus.lite import CONFIGURATION, IPC, PUBSUB, NucleusLite
from tests.support.patience import WAIT_SECONDS
from tests.support.process import ACCOUNT_SID, TOKEN, Component
from twilio_notifications.component import COMPONENT, NucleusKind, access_control, configured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.simulator.server import Simulator

pytestmark = [pytest.mark.nucleus_lite, pytest.mark.namespaces]

SENDER = "Sender"
PROBE_SECONDS = "1"


class Sender:
    """Another component of the device, which sends requests and hears their statuses."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._statuses: queue.Queue[bytes] = queue.Queue()
        self.listen()

    def listen(self) -> None:
        self._client.subscribe_to_topic(topic=STATUS_TOPIC, on_stream_event=self._heard)

    def _heard(self, event: Any) -> None:
        self._statuses.put(event.binary_message.message)

    def send(self, payload: str, *, as_json: bool = False) -> None:
        message = PublishMessage(binary_message=BinaryMessage(message=payload.encode()))
        if as_json:
            message = PublishMessage(json_message=JsonMessage(message=json.loads(payload)))
        self._client.publish_to_topic(topic=TEXT_TOPIC, publish_message=message)

    async def status(self) -> Any:
        return json.loads(await asyncio.to_thread(self._statuses.get, timeout=WAIT_SECONDS))


@pytest.fixture
def nucleus(twilio: Simulator, tmp_path: Path) -> Iterator[NucleusLite]:
    twilio.set_auth_tokens([TOKEN])
    own = configured(
        NucleusKind.LITE,
        {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "twilio": {"base_url": twilio.base_url},
            "secrets": {"source": "environment"},
            "transport": {"probe_seconds": PROBE_SECONDS, "answer_seconds": "2"},
            "log": {"format": "json"},
        },
    )
    operations = ["aws.greengrass#PublishToTopic", "aws.greengrass#SubscribeToTopic"]
    policy = {"operations": operations, "resources": [TEXT_TOPIC, STATUS_TOPIC]}
    components: dict[str, dict[str, Any]] = {
        COMPONENT: {**own, "accessControl": access_control(own)},
        SENDER: {"accessControl": {"aws.greengrass.ipc.pubsub": {f"{SENDER}:pubsub:1": policy}}},
    }
    programs = lite_programs(os.environ)
    assert programs is not None
    with NucleusLite(programs, tmp_path / "nucleus", components) as nucleus:
        yield nucleus


def connector_of(nucleus: NucleusLite, folder: Path) -> Component:
    return Component(folder / "work", TWILIO_AUTH_TOKEN=TOKEN, **nucleus.environ(COMPONENT))


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_request_of_another_component_is_carried_out_and_answered(
    nucleus: NucleusLite, tmp_path: Path, *, as_json: bool
) -> None:
    async with connector_of(nucleus, tmp_path) as connector:
        await connector.ready()
        with nucleus.client(SENDER) as client:
            sender = Sender(client)
            sender.send(text(), as_json=as_json)
            assert json.loads(TEXT_SUCCESS) == await sender.status()
        assert 0 == await connector.terminate()


async def test_limits_are_taken_up_after_a_restart_of_the_configuration_service(
    nucleus: NucleusLite, tmp_path: Path
) -> None:
    """The stream of changes stays open then, and is dead."""
    async with connector_of(nucleus, tmp_path) as connector:
        await connector.ready()
        nucleus.restart(CONFIGURATION)
        with nucleus.client(COMPONENT) as own, nucleus.client(SENDER) as client:
            own.update_configuration(key_path=["limits"], timestamp=_now(), value_to_merge={"paused": "true"})
            reloaded = await connector.wait_for_event("configuration_reloaded")
            assert "changed" == reloaded["limits"]
            sender = Sender(client)
            sender.send(text())
            assert "NotAllowed" == (await sender.status())["response"]["error"]
        assert [] == connector.events("configuration_refused")
        assert 0 == await connector.terminate()


def _now() -> Any:
    return datetime.now(UTC)


async def test_local_messages_come_again_after_a_restart_of_their_service(
    nucleus: NucleusLite, tmp_path: Path
) -> None:
    """Subscriptions stay open then, and nothing comes any more, until a message to ourselves shows it."""
    async with connector_of(nucleus, tmp_path) as connector:
        await connector.ready()
        nucleus.restart(PUBSUB)
        await connector.wait_for_event("nucleus_delivers_again")
        with nucleus.client(SENDER) as client:
            sender = Sender(client)
            sender.send(text())
            assert json.loads(TEXT_SUCCESS) == await sender.status()
        assert 0 == await connector.terminate()


async def test_a_nucleus_that_has_forgotten_the_token_ends_the_connector(
    nucleus: NucleusLite, tmp_path: Path
) -> None:
    async with connector_of(nucleus, tmp_path) as connector:
        await connector.ready()
        nucleus.restart(IPC)
        assert 1 == await connector.wait()
        assert "Only a restart of the component by the nucleus helps" in connector.stderr[-1]
    async with connector_of(nucleus, tmp_path) as connector:
        await connector.ready()
        nucleus.restart(IPC)
        postponed = await connector.wait_for_event("component_end_postponed")
        assert postponed["until"] > time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        assert 0 == await connector.terminate()
