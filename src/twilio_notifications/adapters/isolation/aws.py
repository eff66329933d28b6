"""What the connector needs to read AWS Secrets Manager: AWS, boto3's credentials, and the local copy.

Pure. boto3 can also start a program to get credentials (`credential_process`), but a confined process cannot.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from twilio_notifications.adapters.isolation.allowances import file_read_again, web_port
from twilio_notifications.adapters.isolation.confinement import Confinement
from twilio_notifications.config import AwsSecrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twilio_notifications.adapters.isolation.surroundings import Surroundings
    from twilio_notifications.config import SecretsSettings

HTTPS_PORT = 443
METADATA_PORT = 80
"""The port of 169.254.169.254 and 169.254.170.2, where EC2 instances and ECS containers ask for
credentials."""

URL_VARIABLES = (
    *("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SECRETS_MANAGER", "AWS_ENDPOINT_URL_STS"),
    *("AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
)
FILE_VARIABLES = (
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_WEB_IDENTITY_TOKEN_FILE"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"),
)
INSTEAD_OF_METADATA = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)


def aws_secrets(settings: SecretsSettings, surroundings: Surroundings) -> Confinement:
    """The files and ports for AWS Secrets Manager; nothing where the secret comes from another source."""
    if not isinstance(settings, AwsSecrets):
        return Confinement()
    allowed = Confinement(
        readable=frozenset({surroundings.home / ".aws"}),
        writable=frozenset({settings.copy_path.parent}),
        connect_ports=frozenset(_ports(surroundings.environ)),
    )
    for path in _files(settings, surroundings.environ):
        allowed |= file_read_again(path, surroundings)
    return allowed


def aws_files(settings: SecretsSettings, surroundings: Surroundings) -> tuple[Path, ...]:
    """The device's key and boto3's files; none where the secret comes from another source."""
    if not isinstance(settings, AwsSecrets):
        return ()
    return (surroundings.home / ".aws", *_files(settings, surroundings.environ))


def _ports(environ: Mapping[str, str]) -> Iterator[int]:
    yield HTTPS_PORT
    for url in filter(None, map(environ.get, URL_VARIABLES)):
        port = web_port(url)
        if port is not None:
            yield port
    is_off = environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true"
    if not is_off and not any(map(environ.get, INSTEAD_OF_METADATA)):
        yield METADATA_PORT


def _files(settings: AwsSecrets, environ: Mapping[str, str]) -> Iterator[Path]:
    yield settings.key_file
    yield from map(Path, filter(None, map(environ.get, FILE_VARIABLES)))
