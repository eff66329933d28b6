"""What a confined connector may reach for a secret in AWS: AWS, its own credentials, and the local copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.loading_steps import SECRET_ARN
from tests.support.process import write_configuration
from twilio_notifications.adapters import isolation
from twilio_notifications.adapters.isolation import Confinement, Surroundings
from twilio_notifications.bootstrap.isolation import allowed
from twilio_notifications.config import load

HOME = Path("/home") / "pi"
METADATA, HTTPS = 80, 443


def surroundings(environ: dict[str, str]) -> Surroundings:
    nothing: frozenset[Path] = frozenset()
    return Surroundings(
        environ=environ, home=HOME, python=nothing, certificates=nothing, resolve=Path.resolve
    )


def settings(folder: Path, **secrets: str) -> Path:
    (folder / "key").mkdir(exist_ok=True)
    (folder / "key" / "device.key").touch()
    parameters = {
        "TWILIO_ACCOUNT_SID": "AC1",
        "TwilioAuthTokenSecretArn": SECRET_ARN,
        "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
    }
    section = {"source": "aws", "key_file": "key/device.key"} | secrets
    return write_configuration(
        folder / "connector.toml", {"connector.parameters": parameters, "secrets": section}
    )


def of(folder: Path, environ: dict[str, str] | None = None, **secrets: str) -> Confinement:
    """What the secret alone takes."""
    loaded = load(settings(folder, **secrets), {})
    return isolation.aws_secrets(loaded.secrets, surroundings(environ or {}))


def test_it_is_part_of_the_whole(tmp_path: Path) -> None:
    config = settings(tmp_path)
    whole = allowed(load(config, {}), config, surroundings({}))
    part = of(tmp_path)
    assert whole == whole | part


def test_a_secret_elsewhere_takes_nothing_of_it(tmp_path: Path) -> None:
    assert Confinement() == of(tmp_path, source="environment")


def test_aws_is_reached_by_https_and_an_instance_asks_for_its_role_by_http(tmp_path: Path) -> None:
    assert {HTTPS, METADATA} == of(tmp_path).connect_ports


@pytest.mark.parametrize(
    "environ",
    [
        {"AWS_EC2_METADATA_DISABLED": "true"},
        {"AWS_ACCESS_KEY_ID": "AKIA"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token"},
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "https://127.0.0.1/creds"},
    ],
)
def test_with_other_credentials_no_role_is_asked_for(tmp_path: Path, environ: dict[str, str]) -> None:
    assert {HTTPS} == of(tmp_path, environ).connect_ports


@pytest.mark.parametrize(
    "variable",
    [
        "AWS_ENDPOINT_URL",
        "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        "AWS_ENDPOINT_URL_STS",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    ],
)
def test_an_endpoint_of_the_environment_may_be_reached(tmp_path: Path, variable: str) -> None:
    """On Greengrass V2 the credentials come from a port of this machine."""
    assert 4566 in of(tmp_path, {variable: "http://localhost:4566/x"}).connect_ports


def test_the_credentials_of_the_user_may_be_read_and_not_written(tmp_path: Path) -> None:
    confinement = of(tmp_path)
    assert HOME / ".aws" in confinement.readable
    assert {tmp_path / "journal"} == confinement.writable


@pytest.mark.parametrize(
    "variable",
    [
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
    ],
)
def test_a_file_of_the_environment_may_be_read_also_when_it_was_replaced(
    tmp_path: Path, variable: str
) -> None:
    path = tmp_path / "aws" / "file"
    assert of(tmp_path, {variable: str(path)}).outlives_replacement(path)


def test_the_devices_key_may_be_read_and_the_folder_of_the_copy_written_to(tmp_path: Path) -> None:
    confinement = of(tmp_path, copy_path="copies/token.copy")
    assert tmp_path / "key" in confinement.readable
    assert {tmp_path / "copies"} == confinement.writable
