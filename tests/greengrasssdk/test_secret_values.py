"""Secrets of V1 functions: in V1's form, from each place, and an error for any other secret."""

from __future__ import annotations

import base64
import json
import os
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aws import Aws
from tests.support.nucleus import FakeNucleus, Style
from tests.support.process import Program, environment
from twilio_notifications.config import load_secret_place
from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.greengrasssdk.outside import Outside
from twilio_notifications.greengrasssdk.secret_values import _answer

if TYPE_CHECKING:
    from pathlib import Path

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
NAME = "greengrass-TwilioAuthToken"
TOKEN = "5ecre7-70k3n"
KEYS = ["ARN", "Name", "VersionId", "SecretString", "VersionStages", "CreatedDate"]
PARAMETER = "TWILIO_NOTIFICATIONS__CONNECTOR__PARAMETERS__TWILIOAUTHTOKENSECRETARN"
SECRETS = "TWILIO_NOTIFICATIONS__SECRETS__"
HERE = {"TWILIO_AUTH_TOKEN": TOKEN, PARAMETER: ARN}


async def answer(secret_id: str, environ: dict[str, str], *, stage: str = "AWSCURRENT") -> dict[str, Any]:
    return _answer(await Outside(environ).secret(secret_id, stage))


@pytest.mark.parametrize("secret_id", [ARN, NAME])
async def test_the_connectors_own_secret_is_given_by_its_arn_and_its_name(secret_id: str) -> None:
    given = await answer(secret_id, HERE)
    assert KEYS == list(given)
    assert (ARN, NAME, TOKEN) == (given["ARN"], given["Name"], given["SecretString"])
    assert ["AWSCURRENT"] == given["VersionStages"]


async def test_a_program_gets_it_by_v1s_call() -> None:
    source = """
import json
from twilio_notifications import greengrasssdk as greengrasssdk
client = greengrasssdk.client("secretsmanager")
print(json.dumps(client.get_secret_value(SecretId="greengrass-TwilioAuthToken")))
"""
    command = (sys.executable, "-c", source)
    async with Program(command=command, environ=environment(**HERE)) as program:
        assert (0, []) == (await program.wait(), program.stderr)
    assert TOKEN == json.loads(program.stdout[0])["SecretString"]


@pytest.mark.parametrize("secret_id", ["greengrass-another", f"{ARN}x", ""])
async def test_who_asks_for_another_secret_does_not_get_the_token(secret_id: str) -> None:
    with pytest.raises(SecretAbsent, match="holds one secret, greengrass-TwilioAuthToken, and not") as caught:
        await answer(secret_id, HERE)
    assert TOKEN not in str(caught.value)


async def test_without_an_arn_nobody_knows_which_secret_it_is() -> None:
    with pytest.raises(SecretAbsent, match="set TwilioAuthTokenSecretArn"):
        await answer(NAME, {"TWILIO_AUTH_TOKEN": TOKEN})


async def test_an_environment_has_one_version() -> None:
    with pytest.raises(SecretAbsent, match="holds the version AWSCURRENT only, not AWSPREVIOUS"):
        await answer(NAME, HERE, stage="AWSPREVIOUS")


async def test_a_file_gives_it_and_the_definition_says_which_it_is(tmp_path: Path) -> None:
    config = tmp_path / "twilio-notifications.toml"
    config.write_text('[connector]\ndefinition = "d.json"\n[secrets]\nsource = "file"\npath = "token"\n')
    connector = {
        "Id": "c",
        "ConnectorArn": "arn:aws:greengrass:us-west-2::/connectors/TwilioNotifications/versions/4",
        "Parameters": {
            "TWILIO_ACCOUNT_SID": "AC1",
            "TwilioAuthTokenSecretArn": ARN,
            "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
        },
    }
    (tmp_path / "d.json").write_text(json.dumps({"Connectors": [connector]}))
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "token").chmod(0o600)
    given = await answer(NAME, {"TWILIO_NOTIFICATIONS_CONFIG": str(config)})
    assert (ARN, TOKEN) == (given["ARN"], given["SecretString"])


async def test_the_connectors_private_key_need_not_be_there(tmp_path: Path) -> None:
    """It is for the connector's own copy of the secret, and perhaps not for others to read."""
    config = tmp_path / "twilio-notifications.toml"
    config.write_text('[secrets]\nsource = "aws"\nkey_file = "of-another-user.key"\n')
    assert "aws" == load_secret_place(config, {}).source


async def test_secrets_manager_gives_any_secret_with_all_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    with Aws() as aws:
        for name in list(os.environ):
            if name.upper().startswith("AWS_") or name.lower().endswith("_proxy"):
                monkeypatch.delenv(name)
        for name, value in aws.environment().items():
            monkeypatch.setenv(name, value)  # boto3 looks there and nowhere else
        own, other = aws.create(TOKEN), aws.create('{"user": "u"}')
        aws.put(other, b"\x00\xff", label="BINARY")
        settings = {f"{SECRETS}SOURCE": "aws", PARAMETER: own}
        given = await answer(own.rpartition(":")[2][:-7], settings)
        assert (KEYS, own, TOKEN) == (list(given), given["ARN"], given["SecretString"])
        assert isinstance(given["CreatedDate"], datetime)
        assert given["VersionId"]
        assert '{"user": "u"}' == (await answer(other, settings))["SecretString"]
        binary = await answer(other, settings, stage="BINARY")
        assert b"\x00\xff" == base64.b64decode(binary["SecretBinary"])
        assert "SecretString" not in binary
        with pytest.raises(SecretAbsent, match="ask for the secret by its ARN"):
            await answer("greengrass-another", settings)


async def nucleus_answer(nucleus: FakeNucleus, secret_id: str, stage: str = "AWSCURRENT") -> dict[str, Any]:
    out = Outside({**nucleus.environ, PARAMETER: ARN})
    try:
        return _answer(await out.secret(secret_id, stage))
    finally:
        assert out._nucleus is not None
        await out._nucleus._nucleus.close()


async def test_a_nucleus_gives_the_secrets_of_the_component() -> None:
    secrets: dict[str, Any] = {ARN: {"AWSCURRENT": TOKEN, "AWSPREVIOUS": "old"}, f"{ARN}x": b"\x00\xff"}
    with FakeNucleus(secrets=secrets) as nucleus:
        given = await nucleus_answer(nucleus, NAME)
        assert (KEYS, ARN, NAME, TOKEN) == (list(given), given["ARN"], given["Name"], given["SecretString"])
        assert "old" == (await nucleus_answer(nucleus, ARN, "AWSPREVIOUS"))["SecretString"]
        assert b"\x00\xff" == base64.b64decode((await nucleus_answer(nucleus, f"{ARN}x"))["SecretBinary"])
        with pytest.raises(SecretAbsent, match="cloudSecrets"):
            await nucleus_answer(nucleus, "greengrass-another")


async def test_nucleus_lite_has_no_secrets_and_says_so() -> None:
    refusal = pytest.raises(SecretUnavailable, match="nucleus lite has no operation for it")
    with FakeNucleus(style=Style.LITE) as nucleus, refusal:
        await nucleus_answer(nucleus, NAME)
