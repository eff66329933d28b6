"""The auth token from a nucleus' secret manager, and what is said where there is none."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.nucleus import FakeNucleus, Style
from twilio_notifications.adapters.greengrass import GreengrassSecret, Nucleus
from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
TOKEN = "t0ken-0f-the-acc0unt"


@asynccontextmanager
async def a_nucleus(**arguments: Any) -> AsyncIterator[tuple[FakeNucleus, Nucleus]]:
    with FakeNucleus(**arguments) as fake:
        nucleus = Nucleus(fake.environ, 0.5)
        await nucleus.connect()
        try:
            yield fake, nucleus
        finally:
            await nucleus.close()


def a_secret(nucleus: Nucleus, *, label: str = "AWSCURRENT", json_key: str | None = None) -> GreengrassSecret:
    return GreengrassSecret(nucleus=nucleus, arn=ARN, label=label, json_key=json_key)


async def failure_of(secret: GreengrassSecret) -> SecretUnavailable:
    with pytest.raises(SecretUnavailable) as caught:
        await secret.read()
    assert TOKEN not in str(caught.value)
    return caught.value


async def test_the_token_is_read_by_its_label_and_anew_each_time() -> None:
    versions = {"AWSCURRENT": f" {TOKEN}\n", "AWSPREVIOUS": "older"}
    async with a_nucleus(secrets={ARN: versions}) as (fake, nucleus):
        current = a_secret(nucleus)
        assert TOKEN == (await current.read()).reveal()
        assert "older" == (await a_secret(nucleus, label="AWSPREVIOUS").read()).reveal()
        fake.keep_secret(ARN, "newer")
        assert "newer" == (await current.read()).reveal()


async def test_a_start_takes_what_is_on_the_device_and_a_later_reading_what_is_in_aws() -> None:
    """A nucleus fetches secrets with a deployment only; a token that Twilio refuses cannot wait for one."""
    async with a_nucleus(secrets={ARN: TOKEN}) as (fake, nucleus):
        fake.faults.offline = True
        secret = a_secret(nucleus)
        fake.rotate_secret(ARN, "newer")
        assert [TOKEN, TOKEN] == [(await secret.read()).reveal() for _ in range(2)]
        fake.faults.offline = False
        assert TOKEN == (await a_secret(nucleus).read()).reveal()
        assert "newer" == (await secret.read()).reveal()


async def test_a_key_of_a_json_secret_is_the_token() -> None:
    async with a_nucleus(secrets={ARN: f'{{"token": "{TOKEN}"}}'}) as (_, nucleus):
        assert TOKEN == (await a_secret(nucleus, json_key="token").read()).reveal()
        assert "json_key" in str(await failure_of(a_secret(nucleus)))


@pytest.mark.parametrize(
    ("value", "said"),
    [(b"\x00\x01", "binary"), ("", "empty"), ("  ", "empty")],
    ids=["bytes", "none", "blank"],
)
async def test_what_is_no_token_is_said_to_be_none(value: str | bytes, said: str) -> None:
    async with a_nucleus(secrets={ARN: value}) as (_, nucleus):
        assert said in str(await failure_of(a_secret(nucleus)))


@pytest.mark.parametrize("label", ["AWSCURRENT", "AWSPENDING"])
async def test_a_secret_that_is_not_on_the_device_is_absent(label: str) -> None:
    async with a_nucleus() as (_, nucleus):
        error = await failure_of(a_secret(nucleus, label=label))
        assert isinstance(error, SecretAbsent)
        assert "cloudSecrets" in str(error)


async def test_a_secret_outside_the_access_control_is_said_to_be_so() -> None:
    async with a_nucleus(secrets={ARN: TOKEN}, access_control={}) as (_, nucleus):
        error = await failure_of(a_secret(nucleus))
        assert not isinstance(error, SecretAbsent)
        assert "aws.greengrass#GetSecretValue" in str(error)


async def test_the_nucleus_lite_has_no_secrets_and_the_sentence_names_another_source() -> None:
    async with a_nucleus(style=Style.LITE, secrets={ARN: TOKEN}) as (_, nucleus):
        assert '[secrets] source = "aws" or "file"' in str(await failure_of(a_secret(nucleus)))


async def test_a_nucleus_that_does_not_answer_leaves_the_secret_unavailable() -> None:
    async with a_nucleus(secrets={ARN: TOKEN}) as (fake, nucleus):
        fake.faults.silent.add("GetSecretValue")
        assert "within 0.5 s" in str(await failure_of(a_secret(nucleus)))


async def test_without_a_connection_the_secret_is_unavailable() -> None:
    with FakeNucleus(secrets={ARN: TOKEN}) as fake:
        assert "no connection" in str(await failure_of(a_secret(Nucleus(fake.environ, 0.5))))


@pytest.mark.parametrize("untyped", [True, False])
async def test_the_configuration_is_whole_typed_or_not(*, untyped: bool) -> None:
    configuration = {"TWILIO_ACCOUNT_SID": "AC1", "limits": {"a": 1, "b": True}}
    async with a_nucleus(configuration=configuration) as (fake, nucleus):
        fake.faults.untyped = untyped
        limits = {"a": "1", "b": "true"} if untyped else {"a": 1, "b": True}
        assert {"TWILIO_ACCOUNT_SID": "AC1", "limits": limits} == await nucleus.configuration()


async def test_without_a_configuration_there_is_an_empty_one() -> None:
    async with a_nucleus() as (_, nucleus):
        assert {} == await nucleus.configuration()


async def test_the_nucleus_hears_that_the_component_works() -> None:
    async with a_nucleus() as (fake, nucleus):
        await nucleus.say_running()
        assert ["RUNNING"] == fake.states
