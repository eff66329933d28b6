"""Nothing that the running program writes holds a token, an API key or, but for its own column, a text."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.acceptance.house import CALL_TOPIC, RECIPIENT, SENDER, TEXT_TOPIC, MakeConnector, text, until
from tests.support.aws import Aws, device_key
from tests.support.mqtt_peer import Peer
from twilio_notifications.ports import Level
from twilio_notifications.simulator import faults
from twilio_notifications.simulator.faults import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector, Section
    from twilio_notifications.simulator.server import Simulator

    Make = Callable[[str, Section], Connector]

pytestmark = pytest.mark.mosquitto

OLD, NEW = "an-0ld-t0ken", "a-n3w-t0ken"
API_KEY, API_SECRET = "SK" + "0" * 32, "the-5ecret-0f-a-k3y"
BODY = "The freezer is at minus three degrees"
SECRETS = (OLD, NEW, API_SECRET)
TEXTS = (BODY, "freezer")
NUMBERS = (RECIPIENT[1:], SENDER[1:])


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as aws:
        yield aws


async def everything_happens(peer: Peer, twilio: Simulator, aws: Aws, arn: str) -> None:
    """Accepted, rejected, refused, in doubt, through a rotation, and with AWS and Twilio away."""

    async def send(name: str, to: str = RECIPIENT) -> None:
        await peer.publish(TEXT_TOPIC, text(name, to=to, body=BODY))
        await peer.collect(1)

    await send("accepted")
    await send("rejected", to="+0")
    twilio.add_fault(
        Fault(effect=faults.RefusedRequest(code=21211, message=f"{RECIPIENT} is no number"), times=1)
    )
    await send("refused")
    twilio.add_fault(Fault(effect=faults.ConnectionClosed(), times=1))
    await send("in doubt")
    await asyncio.to_thread(aws.put, arn, NEW)
    twilio.set_auth_tokens([NEW])
    await send("rotated")
    twilio.set_auth_tokens([])
    twilio.set_api_keys({API_KEY: API_SECRET})
    await send("with the second login")
    await asyncio.to_thread(aws.stop)
    twilio.set_api_keys({})
    await send("unauthorized")


OUTCOMES = ["success", *["InvalidParameter"] * 2, *["success"] * 3, "Unauthorized"]


def response_of(status: str) -> str:
    """`success`, or the error."""
    response = json.loads(status)["response"]
    return str(response.get("error", response["status"]))


def written_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def columns_with(path: Path, sought: str) -> set[str]:
    """The columns of the journal that hold this, in any of their rows."""
    found = set()
    with closing(sqlite3.connect(path)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            rows = connection.execute(f"SELECT * FROM {table}")  # noqa: S608 - the journal's own names
            names = [column[0] for column in rows.description]
            for row in rows:
                for name, value in zip(names, row, strict=True):
                    content = value if isinstance(value, bytes) else str(value).encode()
                    found |= {f"{table}.{name}"} if sought.encode() in content else set()
    return found


@pytest.fixture
def make(tmp_path: Path, broker: Mosquitto, aws: Aws, make_connector: MakeConnector) -> Make:
    """A connector whose first token and whose second login, an API key, are versions of one secret."""

    def make(arn: str, log: Section) -> Connector:
        return make_connector(
            broker.url,
            parameters={"TwilioAuthTokenSecretArn": arn, "TwilioAuthTokenSecretArn-ResourceId": "Token"},
            secrets={
                "source": "aws",
                "key_file": str(device_key(tmp_path / "device.key")),
                "second_label": "AWSPENDING",
            },
            delivery={"credential_wait_seconds": 0.3},
            log=log,
            environ=aws.environment(),
        )

    return make


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize("level", Level)
async def test_after_a_full_run_no_secret_is_found_and_no_text_but_in_its_column(
    broker: Mosquitto, twilio: Simulator, aws: Aws, make: Make, *, level: Level, form: str
) -> None:
    arn = aws.create(OLD)
    aws.put(arn, f"{API_KEY}:{API_SECRET}", label="AWSPENDING")
    twilio.set_auth_tokens([OLD])
    connector = make(arn, {"level": level, "format": form})
    async with Peer(broker.url) as peer:
        async with connector:
            await until(lambda: CALL_TOPIC in broker.log)  # it subscribes; its own log may not say so
            await everything_happens(peer, twilio, aws, arn)
            assert 0 == await connector.terminate()
        statuses = [status.payload.decode() for status in peer.received]
    assert OUTCOMES == [response_of(status) for status in statuses]
    said, written = connector.output, written_in(connector.config.parent)
    assert [] == [secret for secret in (*SECRETS, *TEXTS, *NUMBERS) if secret in said]
    assert [] == [secret for secret in (*SECRETS, *TEXTS) if secret in "".join(statuses)]
    assert [] == [name for name, content in written.items() for each in SECRETS if each.encode() in content]
    for body in TEXTS:
        assert {"requests.body"} == columns_with(connector.config.parent / "journal" / "journal.db", body)
