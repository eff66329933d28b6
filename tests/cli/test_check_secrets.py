"""What `check` says of secrets: of each by itself, and of the copy how old it is."""

from __future__ import annotations

import json
import random
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.aws import REGION, Aws, device_key
from tests.support.process import (
    ACCOUNT_SID,
    TOKEN,
    TOKEN_VARIABLE,
    Program,
    configuration,
    environment,
    exit_code,
    run_program,
    write_configuration,
)
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.checks.secrets import age
from twilio_notifications.core.model import Secret
from twilio_notifications.demo.broker import EmbeddedBroker
from twilio_notifications.ports import Copied
from twilio_notifications.simulator.server import Simulator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence
    from pathlib import Path

    from tests.support.process import Section

API_KEY = "SK0123456789abcdef0123456789abcdef"
HOUR = 3600


@pytest.fixture
def aws() -> Iterator[Aws]:
    with Aws() as aws:
        yield aws


@pytest.fixture
async def twilio() -> AsyncIterator[Simulator]:
    numbers = random.Random(1)  # noqa: S311 - SIDs
    async with Simulator(clock=time.time, random=numbers, auth_tokens=[TOKEN]) as twilio:
        yield twilio


class Device:
    """A device whose token is in AWS, and the looks that `check` takes at it."""

    def __init__(self, folder: Path, aws: Aws, broker_url: str, twilio: Simulator) -> None:
        self.folder = folder
        self.aws = aws
        self.arn = aws.create(TOKEN)
        self.key_file = device_key(folder / "device.key")
        self.copy_path = folder / "journal" / "twilio-auth-token.copy"
        self._broker_url, self._twilio_url = broker_url, twilio.base_url

    async def check(
        self,
        *arguments: str,
        command: Sequence[str] = (),
        environ: dict[str, str] | None = None,
        tracking: Section | None = None,
        **secrets: Any,
    ) -> Program:
        sections: dict[str, Section] = {
            "connector.parameters": {
                "TwilioAuthTokenSecretArn": self.arn,
                "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
            },
            "secrets": {"source": "aws", "key_file": str(self.key_file)} | secrets,
            "tracking": tracking or {},
        }
        settings = configuration(broker_url=self._broker_url, twilio_url=self._twilio_url, **sections)
        config = write_configuration(self.folder / "connector.toml", settings)
        variables = environment(**self.aws.environment() | (environ or {}))
        return await run_program(
            "check", "--config", str(config), *arguments, environ=variables, command=command
        )

    async def make_copy(self, *, token: str = TOKEN, hours: int = 0) -> None:
        self.copy_path.parent.mkdir()
        copy = EncryptedCopy(
            self.copy_path, key_file=self.key_file, name=f'["{self.arn}", "AWSCURRENT", null]'
        )
        await copy.store(Copied(secret=Secret(token), stored_at=time.time() - hours * HOUR - 1))


@pytest.fixture
async def device(tmp_path: Path, aws: Aws, twilio: Simulator) -> AsyncIterator[Device]:
    async with EmbeddedBroker() as broker:
        yield Device(tmp_path, aws, broker.url, twilio)


def of(program: Program, subject: str) -> list[str]:
    """What is said of one subject: `ok` or `FAIL`, and the sentence."""
    found = [line.split(maxsplit=2) for line in program.stdout]
    return [f"{verdict} {sentence}" for verdict, name, sentence in found if name == subject]


async def test_a_secret_in_aws_is_read_and_no_copy_is_made(device: Device) -> None:
    program = await device.check()
    assert 0 == exit_code(program), program.output
    assert ["ok read from aws"] == of(program, "secret")
    assert [f"ok {device.copy_path}: there is none yet"] == of(program, "secret-copy")
    assert not device.copy_path.exists()
    assert TOKEN not in program.output


async def test_the_primary_auth_token_may_be_in_the_same_secret_or_in_another(
    device: Device, aws: Aws
) -> None:
    callbacks: Section = {"listen": "127.0.0.1:0", "public_url": "https://alarms.example.com"}
    program = await device.check(tracking=callbacks, signature_arn=aws.create(TOKEN))
    assert ["ok primary auth token read from aws"] == of(program, "signatures")
    device.arn = aws.create(json.dumps({"login": TOKEN, "primary": TOKEN}))
    keys: Section = {"json_key": "login", "signature_json_key": "primary"}
    program = await device.check(tracking=callbacks, **keys)
    assert ["ok primary auth token read from aws"] == of(program, "signatures")
    program = await device.check(tracking=callbacks, **keys | {"signature_json_key": "other"})
    assert of(program, "signatures")[0].startswith("FAIL ")
    assert [] == of(await device.check("--offline", tracking=callbacks, **keys), "signatures")


async def test_the_age_of_the_copy_is_shown(device: Device) -> None:
    await device.make_copy(hours=3)
    program = await device.check()
    assert [f"ok {device.copy_path}: 3 h old"] == of(program, "secret-copy")
    assert 1 == len(of(program, "twilio")), "nobody would start with the copy"


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (86_399, "23 h"),
        (1e6, "11 d"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(seconds: float, shown: str) -> None:
    assert shown == age(seconds)


async def test_with_aws_away_it_fails_and_asks_twilio_about_the_copy(device: Device) -> None:
    """Which is what a connector would start with."""
    await device.make_copy()
    device.aws.stop()
    program = await device.check()
    assert 1 == exit_code(program)
    (secret,) = of(program, "secret")
    assert secret.startswith(f"FAIL AWS Secrets Manager in {REGION} cannot be reached")
    (verified,) = of(program, "twilio")
    assert verified.startswith("ok")
    assert "accepts the secret-copy" in verified


async def test_a_copy_that_does_not_open_is_a_failure_of_its_own(device: Device) -> None:
    await device.make_copy()
    device_key(device.key_file)
    program = await device.check()
    assert 1 == exit_code(program)
    assert ["ok read from aws"] == of(program, "secret")
    assert "does not open with" in of(program, "secret-copy")[0]


async def test_a_key_that_everybody_can_read_is_told_before_there_is_a_copy(device: Device) -> None:
    device.key_file.chmod(0o644)
    program = await device.check()
    assert 1 == exit_code(program)
    assert f"chmod o-r {device.key_file}" in of(program, "secret-copy")[0]


async def test_offline_aws_is_not_asked(device: Device) -> None:
    await device.make_copy()
    device.aws.stop()
    program = await device.check("--offline", second_label="AWSPENDING")
    assert 0 == exit_code(program), program.output
    assert ["ok AWS is not asked (--offline)"] == of(program, "secret")
    assert 1 == len(of(program, "secret-copy"))
    assert [] == of(program, "second-secret") == of(program, "twilio")


async def test_a_second_secret_need_not_be_there(device: Device) -> None:
    program = await device.check(second_label="AWSPENDING")
    assert 0 == exit_code(program), program.output
    assert of(program, "second-secret")[0].startswith("ok there is none now: ")


async def test_twilio_is_asked_about_both_secrets(device: Device, twilio: Simulator) -> None:
    device.aws.put(device.arn, "next", label="AWSPENDING")
    program = await device.check(second_label="AWSPENDING")
    assert 1 == exit_code(program)
    first, second = of(program, "twilio")
    assert "accepts the credentials" in first
    assert "refuses the second-secret" in second
    twilio.set_auth_tokens([TOKEN, "next"])
    assert 0 == exit_code(await device.check(second_label="AWSPENDING"))


async def test_a_second_file_that_everybody_can_read_is_a_failure(device: Device, tmp_path: Path) -> None:
    for name, mode in (("first", 0o600), ("second", 0o644)):
        (tmp_path / name).write_text(TOKEN)
        (tmp_path / name).chmod(mode)
    program = await device.check(source="file", path="first", second_path="second")
    assert f"chmod o-r {tmp_path / 'second'}" in of(program, "second-secret")[0]


async def test_a_secret_that_was_not_copied_well_has_a_note(device: Device, twilio: Simulator) -> None:
    twilio.set_auth_tokens([f'"{TOKEN}"'])
    program = await device.check(source="environment", environ={TOKEN_VARIABLE: f'"{TOKEN}"'})
    assert 0 == exit_code(program), program.output
    assert any("note  secret: it has quotes around it" in line for line in program.stdout), program.output


async def test_an_api_key_is_named_by_its_sid(device: Device, twilio: Simulator) -> None:
    twilio.set_api_keys({API_KEY: "its secret"})
    environ = {TOKEN_VARIABLE: "its secret"}
    program = await device.check(source="environment", api_key_sid=API_KEY, environ=environ)
    assert 0 == exit_code(program), program.output
    assert [f"ok read from environment: API key {API_KEY}"] == of(program, "secret")
    assert ACCOUNT_SID not in of(program, "secret")[0]


WITHOUT = """
import importlib.util, sys
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == sys.argv[1] else find(name, *rest)
from twilio_notifications.cli import main
sys.exit(main(sys.argv[2:]))
"""
"""The program as it is where a package is not installed."""


@pytest.mark.parametrize("package", ["boto3", "cryptography"])
async def test_a_missing_extra_is_named_with_the_command_that_installs_it(
    device: Device, package: str
) -> None:
    program = await device.check(command=(sys.executable, "-c", WITHOUT, package))
    assert 2 == exit_code(program), program.output
    (sentence,) = program.stderr
    assert f"needs the package {package}" in sentence
    assert "pip install '.[aws]'" in sentence


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("setting", "value", "module", "package", "extra"),
    [
        ("METRICS__LISTEN", "127.0.0.1:0", "prometheus_client", "prometheus-client", "metrics"),
        ("TRACES__URL", "http://127.0.0.1:4318/v1/traces", "opentelemetry", "opentelemetry-sdk", "otel"),
    ],
)
async def test_what_watches_without_its_extra_is_a_wrong_configuration(
    command: str, setting: str, value: str, module: str, package: str, extra: str
) -> None:
    prefix = "TWILIO_NOTIFICATIONS__"
    environ = environment(
        **{
            f"{prefix}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            f"{prefix}CONNECTOR__PARAMETERS__ISOLATIONMODE": "NoContainer",
            f"{prefix}{setting}": value,
        }
    )
    without = (sys.executable, "-c", WITHOUT, module)
    program = await run_program(command, command=without, environ=environ)
    assert 2 == exit_code(program), program.output
    (sentence,) = program.stderr
    section, _, key = setting.lower().partition("__")
    assert f"[{section}] {key} needs the package {package}" in sentence
    assert f"pip install '.[{extra}]'" in sentence


async def test_without_the_parameters_of_the_secret_it_is_a_configuration_error(device: Device) -> None:
    device.arn = ""
    program = await device.check()
    assert 2 == exit_code(program)
    assert "ARN of Twilio auth token secret" in program.stderr[0]
