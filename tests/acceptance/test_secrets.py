"""The secret of the real program: where it comes from, without the network, and through a rotation."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.acceptance.house import TEXT_TOPIC, MakeConnector, text, until
from tests.support.aws import Aws, device_key
from tests.support.mqtt_peer import Peer
from tests.support.process import TOKEN_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.mosquitto import Mosquitto
    from tests.support.process import Connector, Section
    from twilio_notifications.simulator.server import Simulator

pytestmark = pytest.mark.mosquitto

OLD, NEW = "an-old-token", "a-new-token"
API_KEY = "SK0123456789abcdef0123456789abcdef"
REQUESTS = 300


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as aws:
        yield aws


class Device:
    """Connectors whose token is in AWS, on a device with a private key of its own."""

    def __init__(self, folder: Path, broker: Mosquitto, aws: Aws, make: MakeConnector) -> None:
        self.broker = broker
        self.aws = aws
        self.arn = aws.create(OLD)
        self.key_file = device_key(folder / "device.key")
        self.copy = folder / "connector" / "journal" / "twilio-auth-token.copy"
        self._make = make

    def connector(
        self, *, delivery: Section | None = None, environ: dict[str, str] | None = None, **secrets: Any
    ) -> Connector:
        return self._make(
            self.broker.url,
            parameters={
                "TwilioAuthTokenSecretArn": self.arn,
                "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
            },
            secrets={"source": "aws", "key_file": str(self.key_file)} | secrets,
            delivery=delivery or {},
            environ=self.aws.environment() | {TOKEN_VARIABLE: ""} | (environ or {}),
        )


@pytest.fixture
def device(
    tmp_path: Path, broker: Mosquitto, aws: Aws, make_connector: MakeConnector, twilio: Simulator
) -> Device:
    twilio.set_auth_tokens([OLD])
    return Device(tmp_path, broker, aws, make_connector)


async def send(peer: Peer, name: str = "request123") -> str:
    """`success`, or the error of the status."""
    await peer.publish(TEXT_TOPIC, text(name))
    response = (await peer.next_message()).json()["response"]
    return str(response.get("error", response["status"]))


# Without the network


async def test_without_aws_the_connector_starts_with_its_copy_and_sends(device: Device) -> None:
    """Confined, as it is by default; and the copy is nothing that anybody else could read."""
    async with device.connector() as connector:
        await connector.ready()
        assert 0 == await connector.terminate()
    assert 0o600 == device.copy.stat().st_mode & 0o777
    assert OLD.encode() not in device.copy.read_bytes()
    device.aws.stop()
    async with device.connector() as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        (told,) = connector.events("secret_from_copy")
        assert "cannot be reached" in told["error"]
        assert 0 <= told["age_seconds"] < 600
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


async def test_without_aws_and_without_a_copy_it_says_so_and_ends(device: Device) -> None:
    device.aws.stop()
    async with device.connector() as connector:
        assert 1 == await connector.wait()
    assert "cannot be reached" in connector.stderr[-1]
    assert "There is no local copy yet." in connector.stderr[-1]


@pytest.mark.parametrize("change", ["key", "copy"])
async def test_a_copy_that_does_not_open_is_made_anew_where_aws_answers(device: Device, change: str) -> None:
    async with device.connector() as connector:
        await connector.ready()
        assert 0 == await connector.terminate()
    if change == "key":
        device_key(device.key_file)
    else:
        device.copy.write_bytes(b"spoilt")
    async with device.connector() as connector:
        await connector.ready()
        assert 0 == await connector.terminate()
    device.aws.stop()
    async with device.connector() as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


async def test_a_deleted_secret_ends_nothing_that_works(device: Device) -> None:
    """Twilio decides which token is valid. The log says loudly that AWS has none any more."""
    async with device.connector(refresh_seconds=0.2) as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        device.aws.delete(device.arn, for_ever=True)
        told = await connector.wait_for_event("secret_from_copy")
        assert "ResourceNotFoundException" in told["error"]
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


async def test_a_key_that_everybody_can_read_makes_no_copy(device: Device) -> None:
    device.key_file.chmod(0o644)
    async with device.connector() as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        (told,) = connector.events("secret_not_copied")
        assert f"chmod o-r {device.key_file}" in told["error"]
        assert "success" == await send(peer)
        assert not device.copy.exists()
        assert 0 == await connector.terminate()


# Rotation


def recipient(number: int) -> str:
    return f"+1234500{number:04}"


async def publish_all(peer: Peer, twilio: Simulator, rotate: Any) -> None:
    """Requests without a pause, and the rotation in the midst of them."""
    for number in range(REQUESTS):
        await peer.publish(TEXT_TOPIC, text(f"id-{number}", to=recipient(number)))
        if number == REQUESTS // 3:
            await until(lambda: len(twilio.ledger) > 10)
            rotating = asyncio.create_task(rotate())
    await rotating


async def all_succeed_once(peer: Peer, twilio: Simulator) -> None:
    statuses = [status.json() for status in await peer.collect(REQUESTS)]
    assert {"success"} == {status["response"]["status"] for status in statuses}, Counter(
        json.dumps(status["response"]) for status in statuses if status["response"]["status"] != "success"
    )
    assert {f"id-{number}": 1 for number in range(REQUESTS)} == Counter(status["id"] for status in statuses)
    sent = Counter(entry.to for entry in twilio.ledger)
    assert {recipient(number): 1 for number in range(REQUESTS)} == sent


@pytest.mark.parametrize("first", ["aws", "twilio"])
async def test_a_rotation_under_load_loses_no_request_and_answers_none_unauthorized(
    device: Device, twilio: Simulator, first: str
) -> None:
    """Whether the store knows the new token first, or Twilio has refused the old one for a while."""
    twilio.set_latency(0.02)

    async def rotate() -> None:
        if first == "aws":
            await asyncio.to_thread(device.aws.put, device.arn, NEW)
        refusals = twilio.counters.refusals
        twilio.set_auth_tokens([NEW])
        await until(lambda: twilio.counters.refusals > refusals)
        if first == "twilio":
            await asyncio.to_thread(device.aws.put, device.arn, NEW)

    async with device.connector() as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        publishing = asyncio.create_task(publish_all(peer, twilio, rotate))
        await all_succeed_once(peer, twilio)
        await publishing
        assert 1 == len(connector.events("secret_renewed"))
        assert 0 == await connector.terminate()


async def test_a_rotation_is_known_before_twilio_refuses_the_old_token(
    device: Device, twilio: Simulator
) -> None:
    async with device.connector(refresh_seconds=0.2) as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        device.aws.put(device.arn, NEW)
        await connector.wait_for_event("secret_renewed")
        twilio.set_auth_tokens([NEW])
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()
    assert [] == connector.events("credentials_refused")
    assert 1 == twilio.counters.creates


async def test_a_pending_version_is_the_second_token(device: Device, twilio: Simulator) -> None:
    """Twilio has made it the only one, and AWS does not have it yet."""
    device.aws.put(device.arn, NEW, label="AWSPENDING")
    twilio.set_auth_tokens([NEW])
    async with device.connector(second_label="AWSPENDING") as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        await connector.wait_for_event("login_accepted")
        assert ["success", "success"] == [await send(peer, "one"), await send(peer, "two")]
        assert 1 == len(connector.events("login_switched"))
        assert 1 == twilio.counters.refusals
        assert 0 == await connector.terminate()


async def test_with_aws_away_a_refused_token_waits_for_it(device: Device, twilio: Simulator) -> None:
    async with device.connector() as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        device.aws.stop()
        twilio.set_auth_tokens([NEW])
        sending = asyncio.create_task(send(peer))
        await connector.wait_for_event("credentials_refused")
        device.aws.start()
        device.aws.put(device.arn, NEW)
        assert "success" == await sending
        assert 1 == len(connector.events("secret_from_source"))
        assert 0 == await connector.terminate()


async def test_a_token_that_stays_refused_ends_as_unauthorized(device: Device, twilio: Simulator) -> None:
    twilio.set_auth_tokens([NEW])
    async with (
        device.connector(delivery={"credential_wait_seconds": 0.5}) as connector,
        Peer(device.broker.url) as peer,
    ):
        await connector.ready()
        assert "Unauthorized" == await send(peer)
        assert 0 == await connector.terminate()


# Files, variables, API keys


async def test_a_file_is_read_again_on_sighup(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    path = tmp_path / "secrets" / "token"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o600)
    section = {"source": "file", "path": str(path), "refresh_seconds": 0}
    async with make_connector(broker.url, secrets=section) as connector, Peer(broker.url) as peer:
        await connector.ready()
        new = path.with_name("new")  # as editors and programs replace a file
        new.write_text(NEW)
        new.chmod(0o600)
        new.rename(path)
        twilio.set_auth_tokens([NEW])
        connector.signal(signal.SIGHUP)
        await connector.wait_for_event("connector_reloaded")
        assert 1 == len(connector.events("secret_renewed"))
        assert "success" == await send(peer)
        assert 1 == len(connector.events("connector_reloaded"))
        assert 0 == await connector.terminate()
    assert 0 == twilio.counters.refusals


async def test_a_token_that_is_put_in_order_is_used_before_the_next_probe(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    path = tmp_path / "secrets" / "token"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o600)
    twilio.set_auth_tokens([NEW])
    connector = make_connector(
        broker.url,
        secrets={"source": "file", "path": str(path)},
        delivery={"credential_probe_seconds": 3600, "drain_seconds": 0},
    )
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        await peer.publish(TEXT_TOPIC, text("refused"))
        await connector.wait_for_event("credentials_refused")
        path.write_text(NEW)
        connector.signal(signal.SIGHUP)
        await connector.wait_for_event("secret_renewed")
        await peer.publish(TEXT_TOPIC, text("another", to=recipient(1)))
        assert "another" == (await peer.next_message()).json()["id"]
        assert 0 == await connector.terminate()


async def test_a_file_that_is_gone_on_sighup_changes_nothing(
    tmp_path: Path, broker: Mosquitto, make_connector: MakeConnector
) -> None:
    path = tmp_path / "secrets" / "token"
    path.parent.mkdir()
    path.write_text(OLD)
    path.chmod(0o600)
    section = {"source": "file", "path": str(path)}
    async with make_connector(broker.url, secrets=section) as connector, Peer(broker.url) as peer:
        await connector.ready()
        path.unlink()
        for number in (1, 2):
            connector.signal(signal.SIGHUP)
            await connector.wait_for_event("connector_reload_failed", number)
        assert 1 == len(connector.events("secret_unavailable"))
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


@pytest.mark.parametrize("source", ["environment", "file"])
async def test_a_second_token_takes_over_at_once(
    tmp_path: Path, broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, source: str
) -> None:
    """Relative names are looked up where systemd puts credentials, the second one too."""
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for name, token in (("first", OLD), ("second", NEW)):
        (credentials / name).write_text(token)
        (credentials / name).chmod(0o600)
    section = {"variable": "FIRST", "second_variable": "SECOND", "path": "first", "second_path": "second"}
    environ = {"FIRST": OLD, "SECOND": NEW, "CREDENTIALS_DIRECTORY": str(credentials)}
    twilio.set_auth_tokens([NEW])
    connector = make_connector(broker.url, secrets=section | {"source": source}, environ=environ)
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        assert "success" == await send(peer)
        (told,) = connector.events("login_switched")
        assert "second" == told["login"]
        assert [] == connector.events("credentials_refused")
        assert 0 == await connector.terminate()


@pytest.mark.parametrize("form", ["sid in the settings", "sid in the secret"])
async def test_an_api_key_logs_in_for_the_account(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector, form: str
) -> None:
    twilio.set_auth_tokens([])
    twilio.set_api_keys({API_KEY: "its secret"})
    if form == "sid in the settings":
        section, secret = {"api_key_sid": API_KEY}, "its secret"
    else:
        twilio.set_api_keys({API_KEY: "its-secret"})
        section, secret = {}, f"{API_KEY}:its-secret"
    connector = make_connector(broker.url, secrets=section, environ={TOKEN_VARIABLE: secret})
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


async def test_an_api_key_is_replaced_by_the_auth_token(
    broker: Mosquitto, twilio: Simulator, make_connector: MakeConnector
) -> None:
    twilio.set_auth_tokens([NEW])
    twilio.set_api_keys({})
    section = {"api_key_sid": API_KEY, "second_variable": "SECOND"}
    connector = make_connector(broker.url, secrets=section, environ={"SECOND": NEW})
    async with connector, Peer(broker.url) as peer:
        await connector.ready()
        assert "success" == await send(peer)
        assert 0 == await connector.terminate()


async def test_confined_it_reads_its_aws_credentials_from_a_file_that_may_be_replaced(
    tmp_path: Path, device: Device, twilio: Simulator
) -> None:
    """As renewal programs do it: a new file takes the name of the old one."""
    path = tmp_path / "aws" / "credentials"
    path.parent.mkdir()
    path.write_text("[default]\naws_access_key_id = AKIA1\naws_secret_access_key = one\n")
    environ = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SHARED_CREDENTIALS_FILE": str(path)}
    async with device.connector(environ=environ) as connector, Peer(device.broker.url) as peer:
        await connector.ready()
        new = path.with_name("new")
        new.write_text("[default]\naws_access_key_id = AKIA2\naws_secret_access_key = two\n")
        new.rename(path)
        device.aws.put(device.arn, NEW)
        twilio.set_auth_tokens([NEW])
        assert "success" == await send(peer)
        assert [] == connector.events("secret_from_copy")
        assert 0 == await connector.terminate()
