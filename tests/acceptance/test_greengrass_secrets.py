"""The secret of a component: through a rotation, with the credentials of the role, and never shown."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

import pytest

from tests.acceptance.house import STATUS_TOPIC, TEXT_TOPIC, text, until
from tests.support.aws import KEY_ID, SECRET_KEY, Aws, device_key
from tests.support.nucleus import FakeNucleus, Side, Style
from tests.support.process import ACCOUNT_SID, Component

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from twilio_notifications.simulator.server import Simulator

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
OLD, NEW = "an-old-token", "a-new-token"
BODY = "the freezer is at -3 degrees"
REQUESTS = 200


def configuration(twilio: Simulator, **changed: Any) -> dict[str, Any]:
    return {
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TwilioAuthTokenSecretArn": ARN,
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
        "twilio": {"base_url": twilio.base_url},
        "delivery": {"credential_probe_seconds": 0.1},
        "log": {"format": "json", "level": "DEBUG"},
    } | changed


def recipient(number: int) -> str:
    return f"+1234500{number:04}"


@pytest.mark.parametrize("first", ["nucleus", "twilio"])
async def test_a_rotation_under_load_loses_no_request_and_answers_none_unauthorized(
    tmp_path: Path, twilio: Simulator, first: str
) -> None:
    """Whether the nucleus knows the new token first, or Twilio has refused the old one for a while."""
    twilio.set_auth_tokens([OLD])
    twilio.set_latency(0.02)
    with FakeNucleus(configuration=configuration(twilio), secrets={ARN: OLD}) as nucleus:
        async with Component(tmp_path / "work", **nucleus.environ) as connector:
            await connector.ready()
            for number in range(REQUESTS):
                nucleus.publish(TEXT_TOPIC, text(f"id-{number}", to=recipient(number)))
                if number == REQUESTS // 3:
                    await until(lambda: len(twilio.ledger) > 10)
                    await rotate(nucleus, twilio, first=first)
            published = await nucleus.until_published(STATUS_TOPIC, count=REQUESTS)
            assert 1 == len(connector.events("secret_renewed"))
            assert 0 == await connector.terminate()
    statuses = [each.json() for each in published]
    assert {"success"} == {status["response"]["status"] for status in statuses}
    assert {f"id-{number}": 1 for number in range(REQUESTS)} == Counter(each["id"] for each in statuses)
    assert {recipient(number): 1 for number in range(REQUESTS)} == Counter(sent.to for sent in twilio.ledger)


async def rotate(nucleus: FakeNucleus, twilio: Simulator, *, first: str) -> None:
    if first == "nucleus":
        nucleus.keep_secret(ARN, NEW)
    refusals = twilio.counters.refusals
    twilio.set_auth_tokens([NEW])
    await until(lambda: twilio.counters.refusals > refusals)
    nucleus.keep_secret(ARN, NEW)


async def test_neither_tokens_nor_message_texts_leave_a_component(tmp_path: Path, twilio: Simulator) -> None:
    """At DEBUG, on both sides, with what is refused, what cannot be read, and a connection that ends."""
    twilio.set_auth_tokens([OLD])
    both = {"transport": {"pubsub": "both", "statuses_to": "both"}}
    with FakeNucleus(configuration=configuration(twilio, **both), secrets={ARN: OLD}) as nucleus:
        token = nucleus.environ["SVCUID"]
        async with Component(tmp_path / "work", **nucleus.environ) as connector:
            await connector.ready()
            for side in Side:
                await nucleus.until_subscribed(TEXT_TOPIC, side=side)
                nucleus.publish(TEXT_TOPIC, text("good", body=BODY), side=side)
                nucleus.publish(TEXT_TOPIC, text("bad", body=BODY, to="+0"), side=side)
            nucleus.publish(TEXT_TOPIC, text("json", body=BODY), as_json=True)
            nucleus.garble(TEXT_TOPIC, {"binaryMessage": {"message": BODY}})
            await nucleus.until_published(STATUS_TOPIC, count=10)
            nucleus.close_connections()
            await connector.wait_for_event("nucleus_connected", 2)
            nucleus.keep_secret(ARN, b"freezer")
            nucleus.configure({"limits": {"texts_per_day": "freezer"}})
            await connector.wait_for_event("configuration_refused")
            await connector.wait_for_event("secret_unavailable")
            assert 0 == await connector.terminate()
    shown = connector.output + json.dumps([each.payload.decode() for each in nucleus.published()])
    assert [] == [secret for secret in (OLD, token, BODY) if secret in shown]
    assert [] == [line for line in connector.stderr if "freezer" in line and "texts_per_day" not in line]


class Role:
    """The token exchange service of a nucleus: gives the credentials of the device's role, to components."""

    def __init__(self, token: str) -> None:
        self.asked = 0
        role = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                known = self.headers["Authorization"] == token
                role.asked += known
                self.send_response(200 if known else 403)
                self.end_headers()
                self.wfile.write(json.dumps(CREDENTIALS if known else {}).encode())

            def log_message(self, *_: object) -> None:
                """The log of a test is for what fails."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, name="role")
        self.url = f"http://127.0.0.1:{self._server.server_port}/2016-11-01/credentialprovider/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


CREDENTIALS = {
    "AccessKeyId": KEY_ID,
    "SecretAccessKey": SECRET_KEY,
    "Token": "a-session",
    "Expiration": "2100-01-01T00:00:00Z",
}


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as aws:
        yield aws


async def test_on_nucleus_lite_the_role_of_the_device_reads_the_secret(
    tmp_path: Path, twilio: Simulator, aws: Aws
) -> None:
    """Confined, as it is by default; and a restart needs neither the role nor AWS."""
    twilio.set_auth_tokens([OLD])
    arn = await asyncio.to_thread(aws.create, OLD)
    secrets = {"source": "aws", "key_file": str(device_key(tmp_path / "device.key"))}
    given = configuration(twilio, TwilioAuthTokenSecretArn=arn, secrets=secrets)
    with FakeNucleus(style=Style.LITE, configuration=given) as nucleus, Role("exchange") as role:
        environ = {
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": aws.url,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": role.url,
            "AWS_CONTAINER_AUTHORIZATION_TOKEN": "exchange",
        } | nucleus.environ
        for count in (1, 2):
            async with Component(tmp_path / "work", **environ) as connector:
                await connector.ready()
                assert 1 == len(connector.events("process_confined"))
                nucleus.publish(TEXT_TOPIC, text())
                published = await nucleus.until_published(STATUS_TOPIC, count=count)
                assert "success" == published[-1].json()["response"]["status"]
                assert 0 == await connector.terminate()
            assert count - 1 == len(connector.events("secret_from_copy"))
            assert 1 == role.asked
            aws.stop()
            environ["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/"
