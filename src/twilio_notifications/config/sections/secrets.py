"""[secrets]: where the Twilio auth token comes from, with a class for each of the four places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from twilio_notifications.config.keys import Key, Section, key, keys_of, made
from twilio_notifications.config.kinds import Choice, FilePath, Seconds, Text, Written
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.parameters import secret_arn_demand

if TYPE_CHECKING:
    from twilio_notifications.config.keys import Values

COPY_NAME = "twilio-auth-token.copy"
"""The local copy of the secret, next to the journal: the folder that the connector may write to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CredentialFile:
    """A file that holds a secret: the name as it was written, and the path that it means.

    A relative name is looked up in $CREDENTIALS_DIRECTORY before the path. The file need not be there yet.
    """

    name: str
    path: Path


_CREDENTIAL = Written(
    description="the path of a file",
    read=lambda text: CredentialFile(name=text, path=Path(text)),
    may_be_empty=True,
)


def _read_arn(text: str) -> str | Wrong:
    demand = secret_arn_demand(text)
    return text if demand is None else Wrong(demand=demand)


class SecretOrigin(StrEnum):
    """Where the auth token comes from."""

    ENVIRONMENT = "environment"
    FILE = "file"
    AWS = "aws"
    GREENGRASS = "greengrass"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnySecrets:
    """What counts wherever the secret is."""

    api_key_sid: str | None = key(
        # Not shown: where a key is copied from, its secret stands next to its SID.
        Written(
            description="the SID of an API key, SK and 32 hexadecimal digits",
            read=lambda text: text if re.fullmatch(r"SK[0-9a-fA-F]{32}", text) else None,
            may_be_empty=True,
            is_shown=False,
        ),
        """SID of a Twilio API key: the secret is that key's secret then, and not the account's auth
        token. A secret may also be SID and secret in one, "SK…:…", from any source: both change together
        then.""",
        example="SK0123456789abcdef0123456789abcdef",
    )
    refresh_seconds: float = key(
        Seconds(minimum=0),
        """How often the secrets are read again: each hour. 0 reads them only on SIGHUP and when Twilio
        refuses them.""",
        default=3600,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentSecrets(AnySecrets):
    """Each secret is in a variable; `second_variable` is for the time of a rotation."""

    source: ClassVar = SecretOrigin.ENVIRONMENT
    variable: str = key(
        Text(without="="),
        'The variable that holds the token, for "environment".',
        default="TWILIO_AUTH_TOKEN",
    )
    second_variable: str | None = key(
        Text(without="="),
        """A variable with a second token, which is tried where Twilio refuses the first: for the time of
        a rotation. It need not be set. The same goes for second_path and second_label.""",
        example="TWILIO_AUTH_TOKEN_2",
    )
    signature_variable: str | None = key(
        Text(without="="),
        """A variable with the account's primary auth token, with which Twilio signs its callbacks: needed
        for tracking.listen where an API key logs in. Left out: the secrets above sign. signature_path,
        signature_arn and signature_json_key are the same for the other sources.""",
        example="TWILIO_PRIMARY_AUTH_TOKEN",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSecrets(AnySecrets):
    """Each secret is in a file; the second one is for the time of a rotation."""

    source: ClassVar = SecretOrigin.FILE
    file: CredentialFile = key(
        _CREDENTIAL,
        """The file that holds the token and nothing else, for "file". A relative path is looked up in
        $CREDENTIALS_DIRECTORY first, where systemd puts credentials.""",
        example="twilio-auth-token",
        is_filled_in=True,
        name="path",
    )
    second_file: CredentialFile | None = key(
        _CREDENTIAL,
        "The file with a second token. It need not exist.",
        example="twilio-auth-token-2",
        name="second_path",
    )
    signature_file: CredentialFile | None = key(
        _CREDENTIAL,
        "The file with the account's primary auth token, for the signatures of callbacks.",
        example="twilio-primary-auth-token",
        name="signature_path",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSecrets(AnySecrets):
    """The secret is one of many that a service keeps; `second_label` is for the time of a rotation."""

    staging_label: str = key(
        Text(),
        """Which version of the secret is read, by its staging label, for "aws" and "greengrass". The
        secret itself is named by TwilioAuthTokenSecretArn in [connector.parameters].""",
        default="AWSCURRENT",
    )
    second_label: str | None = key(
        Text(), "The label of the version with a second token. There need not be one.", example="AWSPENDING"
    )
    json_key: str | None = key(
        Text(),
        """The key whose value is the token, where the secret is a JSON object. Left out: the secret is
        the token.""",
        example="auth_token",
    )
    signature_arn: str | None = key(
        # Not shown: it may be the token itself by mistake.
        Written(description="the ARN of a secret", read=_read_arn, may_be_empty=True, is_shown=False),
        """The secret that holds the account's primary auth token, for the signatures of callbacks, for
        "aws" and "greengrass". There is no local copy of it.""",
        example="arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioPrimary-d4e5f6",
    )
    signature_json_key: str | None = key(
        Text(),
        """The key whose value is the account's primary auth token, where that secret is a JSON object.
        Without signature_arn it is a key of the secret that holds the API key.""",
        example="primary_auth_token",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsSecrets(KeptSecrets):
    """AWS Secrets Manager keeps the secret, and the connector a copy that is encrypted by `key_file`."""

    source: ClassVar = SecretOrigin.AWS
    copy_path: Path = key(
        FilePath(must_exist=False),
        """The local copy of the secret, for "aws": with it the connector starts and works with no
        network. Left out: twilio-auth-token.copy next to the journal.""",
        example=COPY_NAME,
        is_filled_in=True,
    )
    key_file: Path = key(
        FilePath(),
        """A private key of this device, in PEM, without a pass phrase: the local copy is encrypted with a
        key that is derived from it. The device's key for AWS IoT will do; left out, transport.key_file is
        used.""",
        example="device.key",
        is_filled_in=True,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class GreengrassSecrets(KeptSecrets):
    """The Secret Manager of a Greengrass V2 nucleus keeps the secret."""

    source: ClassVar = SecretOrigin.GREENGRASS


SecretsSettings = EnvironmentSecrets | FileSecrets | AwsSecrets | GreengrassSecrets

SECRETS = Section(
    name="secrets",
    text="Where the Twilio auth token comes from. Never write the token itself into this file.",
    keys={
        "source": Key(
            kind=Choice(words=SecretOrigin),
            text=""""environment" is a variable, "file" a file, "aws" Secrets Manager, "greengrass" the
            Secret Manager of Greengrass V2.""",
            default="environment",
        ),
        **keys_of(EnvironmentSecrets, FileSecrets, KeptSecrets, AwsSecrets, AnySecrets),
    },
)


def secrets(values: Values, *, journal: Path) -> SecretsSettings:
    """The settings of the place that `source` names. The copy of the secret lies next to the `journal`."""
    match values["secrets.source"]:
        case SecretOrigin.ENVIRONMENT:
            return made(EnvironmentSecrets, "secrets", values)
        case SecretOrigin.FILE:
            return made(FileSecrets, "secrets", values)
        case SecretOrigin.GREENGRASS:
            return made(GreengrassSecrets, "secrets", values)
        case _:
            return made(
                AwsSecrets,
                "secrets",
                values,
                copy_path=values["secrets.copy_path"] or journal.with_name(COPY_NAME),
                key_file=values["secrets.key_file"] or values["transport.key_file"],
            )
