"""Secrets Manager as a real HTTP peer: what is read, and of everything else what is wrong and what to do."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aws import REGION, Aws
from tests.support.patience import WAIT_SECONDS
from tests.support.raw_http import RawHttp
from twilio_notifications.adapters.aws_secrets import ANSWER_BYTES, AwsSecret
from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.core.model import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.raw_http import Exchange

TOKEN = "5ecre7-70k3n"
NOBODYS = f"arn:aws:secretsmanager:{REGION}:123456789012:secret:greengrass-nobodys-a1b2c3"


@pytest.fixture(scope="module")
def server() -> Iterator[Aws]:
    with Aws() as server:
        yield server


@pytest.fixture
def aws(server: Aws, monkeypatch: pytest.MonkeyPatch) -> Aws:
    """AWS, to which this process's environment leads and nowhere else."""
    use(server.environment(), monkeypatch)
    return server


def use(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


async def read(arn: str, *, label: str = "AWSCURRENT", **arguments: Any) -> Secret:
    return await AwsSecret(arn, label=label, **arguments).read()


async def refusal(arn: str, **arguments: Any) -> str:
    with pytest.raises(SecretUnavailable) as caught:
        await read(arn, **arguments)
    sentence = str(caught.value)
    assert "\n" not in sentence
    return sentence


# What is read


@pytest.mark.parametrize("text", [TOKEN, f" {TOKEN}\n"], ids=["plain", "with a line end"])
async def test_a_text_secret_is_the_token(aws: Aws, text: str) -> None:
    assert Secret(TOKEN) == await read(aws.create(text))


async def test_it_is_read_anew_each_time(aws: Aws) -> None:
    arn = aws.create("old")
    source = AwsSecret(arn, label="AWSCURRENT")
    await source.read()
    aws.put(arn, "new")
    assert Secret("new") == await source.read()


async def test_another_version_is_read_by_its_label(aws: Aws) -> None:
    arn = aws.create("old")
    aws.put(arn, "new")
    aws.put(arn, "next", label="AWSPENDING")
    assert [Secret("old"), Secret("new"), Secret("next")] == [
        await read(arn, label=label) for label in ("AWSPREVIOUS", "AWSCURRENT", "AWSPENDING")
    ]


async def test_of_a_json_secret_one_key_is_the_token(aws: Aws) -> None:
    arn = aws.create(json.dumps({"user": "x", "auth token": f" {TOKEN} "}))
    assert Secret(TOKEN) == await read(arn, json_key="auth token")


async def test_the_region_is_that_of_the_arn_whatever_the_environment_says(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws.create(TOKEN)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    assert Secret(TOKEN) == await read(arn)


async def test_the_region_of_the_arn_is_asked(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    """At AWS the address depends on it, and here the signature."""
    async with RawHttp(refusing("SomeException", "")) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        await refusal(NOBODYS.replace(REGION, "eu-west-1"))
    assert "/eu-west-1/secretsmanager/" in server.asked[0].headers["authorization"]


async def test_the_standard_variable_for_this_service_leads_there_too(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws.create(TOKEN)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SECRETS_MANAGER", aws.url)
    assert Secret(TOKEN) == await read(arn)


# What cannot be read


async def test_the_wrong_region_is_named(aws: Aws) -> None:
    sentence = await refusal(aws.create(TOKEN).replace(REGION, "eu-west-1"))
    assert "is not in eu-west-1" in sentence
    assert "TwilioAuthTokenSecretArn, above all its region" in sentence


async def test_a_secret_that_does_not_exist_is_absent(aws: Aws) -> None:
    with pytest.raises(SecretAbsent):
        await read(NOBODYS)


async def test_a_version_that_does_not_exist_is_absent(aws: Aws) -> None:
    """The one with the second token exists for the time of a rotation only."""
    with pytest.raises(SecretAbsent, match="AWSPENDING"):
        await read(aws.create(TOKEN), label="AWSPENDING")


async def test_a_secret_that_is_to_be_deleted_can_be_restored(aws: Aws) -> None:
    arn = aws.create(TOKEN)
    aws.delete(arn)
    sentence = await refusal(arn)
    assert "AWS says InvalidRequestException" in sentence
    assert "aws secretsmanager restore-secret" in sentence


async def test_a_secret_that_is_deleted_is_absent(aws: Aws) -> None:
    arn = aws.create(TOKEN)
    aws.delete(arn, for_ever=True)
    assert f"is not in {REGION}" in await refusal(arn)


async def test_a_missing_permission_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    arn = aws.create(TOKEN)
    with aws.asking_for_permission() as environ:
        use(environ, monkeypatch)
        assert "secretsmanager:GetSecretValue" in await refusal(arn)


async def test_without_credentials_it_says_where_they_are_looked_for(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "missing"))
    sentence = await refusal(NOBODYS)
    assert "no AWS credentials for this device" in sentence
    assert "aws-secrets-manager.md" in sentence


async def test_a_profile_that_does_not_exist_is_named(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert "nobody" in await refusal(NOBODYS)


async def test_a_network_that_is_gone_is_named_and_may_come_back(aws: Aws) -> None:
    arn = aws.create(TOKEN)
    aws.stop()
    try:
        assert f"AWS Secrets Manager in {REGION} cannot be reached" in await refusal(arn)
    finally:
        aws.start()
    assert Secret(TOKEN) == await read(arn)


async def test_a_secret_in_bytes_is_refused(aws: Aws) -> None:
    arn = aws.create(TOKEN)
    aws.put(arn, TOKEN.encode())
    assert "is binary" in await refusal(arn)


@pytest.mark.parametrize("text", [f'{{"auth_token": "{TOKEN}"}}', f'  {{"a": {{"b": "{TOKEN}"}}}}'])
async def test_a_json_secret_without_a_key_is_no_token(aws: Aws, text: str) -> None:
    sentence = await refusal(aws.create(text))
    assert "[secrets] json_key" in sentence
    assert TOKEN not in sentence


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f'["{TOKEN}"]',
        f'"{TOKEN}"',
        f'{{"other": "{TOKEN}"}}',
        '{"key": 5}',
        '{"key": " "}',
        "[" * 5000,
    ],
)
async def test_json_that_has_no_text_under_the_key_is_refused_and_not_shown(aws: Aws, text: str) -> None:
    sentence = await refusal(aws.create(text), json_key="key")
    assert "[secrets] json_key" in sentence
    assert TOKEN not in sentence


async def test_white_space_is_no_token(aws: Aws) -> None:
    assert "is empty" in await refusal(aws.create(" \n"))


# What AWS itself answers, byte by byte

UNDATED = json.dumps({"SecretString": TOKEN, "CreatedDate": f"not a date but {TOKEN}"})


def refusing(code: str, message: str, status: int = 400) -> Any:
    async def answer(exchange: Exchange) -> None:
        body = json.dumps({"__type": code, "Message": message}).encode()
        exchange.answer(status, body, Content_Type="application/x-amz-json-1.1")

    return answer


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        ("AccessDeniedException", "User: x is not authorized to perform: y", "secretsmanager:GetSecretValue"),
        ("DecryptionFailure", "Secrets Manager can't decrypt", "kms:Decrypt"),
        ("UnrecognizedClientException", "The security token is invalid", "check them, and the device"),
        ("ExpiredTokenException", "The security token has expired", "check them, and the device"),
        ("InvalidSignatureException", "Signature not yet current: 2026", "check them, and the device"),
        ("SomethingNewException", "Of which nobody knows", "aws-secrets-manager.md"),
    ],
)
async def test_what_aws_says_is_repeated_with_a_remedy(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, code: str, message: str, remedy: str
) -> None:
    async with RawHttp(refusing(code, message)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        sentence = await refusal(NOBODYS)
    assert f"AWS says {code}: {message}. " in sentence
    assert remedy in sentence


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, f"<html>{TOKEN}"),
        (403, f"<html>{TOKEN}"),
        (302, TOKEN),
        (200, "{}"),
        (200, "[]"),
        (200, UNDATED),
    ],
)
async def test_what_does_not_speak_as_aws_does_is_not_repeated(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, status: int, body: str
) -> None:
    """The log-in page of a network, a proxy's."""

    async def answer(exchange: Exchange) -> None:
        exchange.answer(status, body.encode())

    async with RawHttp(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        assert TOKEN not in await refusal(NOBODYS)


@pytest.mark.parametrize("status", [200, 400])
async def test_an_answer_without_an_end_is_given_up_after_a_megabyte(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    sent = 0

    async def flood(exchange: Exchange) -> None:
        nonlocal sent
        exchange.say(b"HTTP/1.1 %d -\r\nTransfer-Encoding: chunked\r\n\r\n" % status)
        with suppress(ConnectionError):
            while sent < 500_000_000:
                exchange.say(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
                sent += 0x10000
                await exchange.flushed()
        exchange.hang_up()

    async with RawHttp(flood) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        sentence = await refusal(NOBODYS)
    assert f"more than {ANSWER_BYTES} bytes" in sentence
    assert sent < 32_000_000, "what two sockets hold may have been sent for nothing"


async def test_an_encoded_answer_is_not_decoded(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"x" * 100_000_000)

    async def answer(exchange: Exchange) -> None:
        exchange.answer(200, bomb, Content_Encoding="gzip")

    async with RawHttp(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        assert "cannot be read" in await refusal(NOBODYS)


async def test_what_answers_in_place_of_sts_is_not_repeated(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There a role is taken on, and the answer holds keys."""

    async def answer(exchange: Exchange) -> None:
        exchange.answer(200, f"<AssumeRole><{TOKEN}".encode())

    (tmp_path / "identity").write_text("identity")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    async with RawHttp(answer) as server:
        environ = {
            "AWS_ENDPOINT_URL_STS": server.url,
            "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/device",
            "AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "identity"),
        }
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        assert TOKEN not in await refusal(NOBODYS)
    assert server.asked


async def test_an_answer_that_comes_too_late_disturbs_nobody(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    troubles: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: troubles.append(context))
    late = asyncio.Event()

    async def answer(exchange: Exchange) -> None:
        await late.wait()
        exchange.answer(400)

    async with RawHttp(answer) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        await refusal(NOBODYS, limit_seconds=0.3)
        late.set()
        for thread in readers():
            await asyncio.to_thread(thread.join, WAIT_SECONDS)
    await asyncio.sleep(0)
    assert [] == troubles


def readers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if "aws_secrets" in thread.name]


async def test_a_network_that_swallows_everything_holds_nobody_up(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the reading, nor the event loop meanwhile, nor the end of the program."""
    gone = asyncio.Event()

    async def silence(_exchange: Exchange) -> None:
        await gone.wait()

    async with RawHttp(silence) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        sentence = await refusal(NOBODYS, limit_seconds=0.3)
        gone.set()
    assert "did not answer within 0.3 s" in sentence
    assert all(thread.daemon for thread in readers())


def test_an_answer_after_the_end_of_the_event_loop_disturbs_nobody(
    aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = aws.create(TOKEN)
    with pytest.raises(SecretUnavailable):
        asyncio.run(read(arn, limit_seconds=0.0))
    for thread in readers():
        thread.join(WAIT_SECONDS)


async def test_a_source_shows_no_secret(aws: Aws) -> None:
    source = AwsSecret(aws.create(TOKEN), label="AWSCURRENT")
    assert TOKEN not in repr([source, await source.read()])
