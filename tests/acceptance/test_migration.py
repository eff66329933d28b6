"""What `migrate` writes runs: as a connector at a broker, and as a component at a nucleus.

The broker's address, the token and the simulated Twilio come from the environment; the file is as written.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import CALL_TOPIC, STATUS_TOPIC, TEXT_TOPIC
from tests.migration.examples import created, json_in
from tests.migration.house import GIVEN, SECRET, TEMPLATE, connectors, resources, subscriptions
from tests.support.mqtt_peer import Peer
from tests.support.needs import ROOT
from tests.support.nucleus import FakeNucleus, Side
from tests.support.process import (
    TOKEN,
    TOKEN_VARIABLE,
    Component,
    LoggingProgram,
    environment,
    exit_code,
    run_program,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from twilio_notifications.simulator.server import Simulator

PUBLISHED = (ROOT / "tests" / "config" / "published_definition.json").read_text(encoding="utf-8")
TUTORIAL = (connectors(), resources(), subscriptions())


def monitor(request_id: str = "request_7") -> str:
    """What the tutorial's temperature monitor publishes: neither `from_number` nor `retries`."""
    recipient = {"name": "Darla", "phone_number": "+12345000000", "message": "temperature:31"}
    return json.dumps({"request": {"recipient": recipient}, "id": request_id})


def status(sender: str, request_id: str = "request_7") -> dict[str, Any]:
    messages = {"message_status": "queued", "to_number": "+12345000000", "name": "Darla"}
    payload = {"from_number": sender, "messages": messages}
    return {"response": {"status": "success", "payload": payload}, "id": request_id}


async def written(folder: Path, *documents: object, options: tuple[str, ...] = ()) -> Path:
    """The folder that the command has written."""
    paths = []
    for number, document in enumerate(documents):
        path = folder / f"{number}.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        paths.append(str(path))
    output = folder / "written"
    program = await run_program("migrate", *paths, "--output", str(output), *options)
    assert 0 == exit_code(program), program.output
    return output


def connector(output: Path, broker: Mosquitto, twilio: Simulator) -> LoggingProgram:
    variables = {
        "TWILIO_NOTIFICATIONS__TRANSPORT__URL": broker.url,
        "TWILIO_NOTIFICATIONS__TWILIO__BASE_URL": twilio.base_url,
        "TWILIO_NOTIFICATIONS__LOG__FORMAT": "json",
        TOKEN_VARIABLE: TOKEN,
    }
    config = str(output / "twilio-notifications.toml")
    return LoggingProgram("run", "--config", config, environ=environment(**variables))


# Versions before 5 are confined.
@pytest.mark.mosquitto
@pytest.mark.landlock
@pytest.mark.parametrize(
    ("documents", "options", "sender"),
    [
        (TUTORIAL, (), "+15005550006"),
        # The published example cannot be deployed as it is printed: its secret is a placeholder.
        ((PUBLISHED,), (f"--set=TwilioAuthTokenSecretArn={SECRET}",), "+19999999999"),
        ((TEMPLATE,), tuple(f"--set={name}={value}" for name, value in GIVEN.items()), "+15005550006"),
        (
            [document for text in created() for document in json_in(text)],
            (),
            "+14254492999",
        ),  # as Twilio puts it
    ],
    ids=["the tutorial", "the published definition", "a template with short tags", "the AWS CLI's examples"],
)
async def test_the_written_configuration_answers_the_tutorials_message(
    tmp_path: Path,
    broker: Mosquitto,
    twilio: Simulator,
    documents: tuple[object, ...],
    options: tuple[str, ...],
    sender: str,
) -> None:
    output = await written(tmp_path, *documents, options=options)
    async with connector(output, broker, twilio) as running, Peer(broker.url) as peer:
        await running.ready()
        await peer.publish(TEXT_TOPIC, monitor())
        assert status(sender) == (await peer.next_message()).json()
        assert 0 == await running.terminate()
    assert ["temperature:31"] == [sent.body for sent in twilio.ledger]


async def test_the_deployed_component_answers_it_on_both_sides_with_what_it_was_allowed(
    tmp_path: Path, twilio: Simulator
) -> None:
    """The nucleus refuses what the written access control does not name."""
    output = await written(tmp_path, *TUTORIAL, options=("--to-version", "5"))
    deployment = json.loads((output / "greengrass-v2" / "deployment.json").read_text("utf-8"))
    merge = json.loads(deployment["components"]["TwilioNotifications"]["configurationUpdate"]["merge"])
    (tmp_path / "work" / "journal").mkdir(parents=True)
    extra = {
        "IsolationMode": "NoContainer",
        "twilio": {"base_url": twilio.base_url},
        "log": {"format": "json"},
    }
    twilio.set_auth_tokens([TOKEN])
    allowed = merge["accessControl"]
    with FakeNucleus(configuration=merge | extra, secrets={SECRET: TOKEN}, access_control=allowed) as nucleus:
        async with Component(tmp_path / "work", **nucleus.environ) as component:
            await component.ready()
            await nucleus.until_subscribed(TEXT_TOPIC, CALL_TOPIC, side=Side.IOT_CORE)
            nucleus.publish(TEXT_TOPIC, monitor(), side=Side.IOT_CORE)
            published = await nucleus.until_published(STATUS_TOPIC, count=2)
            assert {Side.LOCAL, Side.IOT_CORE} == {each.side for each in published}
            assert all(status("+15005550006") == each.json() for each in published)
            assert 0 == await component.terminate()
