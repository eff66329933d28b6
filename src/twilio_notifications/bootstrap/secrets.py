"""Where the configuration says that the secrets are: sources, the local copy, and the files to look at."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, assert_never

from twilio_notifications.adapters.aws_secrets import AwsSecret
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.bootstrap import greengrass
from twilio_notifications.config import AwsSecrets, EnvironmentSecrets, FileSecrets, GreengrassSecrets
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.extras import not_installed
from twilio_notifications.pipeline.logins.credentials import Identity, Sources
from twilio_notifications.pipeline.logins.kept_secret import KeptSecret

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.config import CredentialFile, KeptSecrets, Settings
    from twilio_notifications.ports import Clock, Events, SecretCopy, SecretSource


def identity(settings: Settings) -> Identity:
    """Whose secret it is."""
    return Identity(account_sid=settings.parameters.account_sid, api_key_sid=settings.secrets.api_key_sid)


def secret_sources(
    settings: Settings, environ: Mapping[str, str], *, nucleus: Nucleus | None = None
) -> Sources:
    """Where the configuration says that the secrets are; `nucleus` is needed where they are there."""
    match settings.secrets:
        case EnvironmentSecrets(variable=first, second_variable=second):
            return Sources(
                first=EnvironmentSecret(first, environ=environ),
                second=None if second is None else EnvironmentSecret(second, environ=environ),
            )
        case FileSecrets():
            files = secret_files(settings, environ)
            return Sources(
                first=FileSecret(*files.first), second=FileSecret(*files.second) if files.second else None
            )
        case AwsSecrets() as secrets:
            return _labelled(secrets, partial(_aws_secret, _secret_arn(settings), json_key=secrets.json_key))
        case GreengrassSecrets() as secrets:
            assert nucleus is not None, "it is opened where the configuration wants it"
            arn = _secret_arn(settings)
            return _labelled(secrets, partial(greengrass.secret, nucleus, arn=arn, json_key=secrets.json_key))
        case _:
            assert_never(settings.secrets)


def signature_source(
    settings: Settings, environ: Mapping[str, str], *, nucleus: Nucleus | None = None
) -> SecretSource | None:
    """Where the account's primary auth token is, which signs callbacks; None: it is what logs in."""
    match settings.secrets:
        case EnvironmentSecrets(signature_variable=variable):
            return None if variable is None else EnvironmentSecret(variable, environ=environ)
        case FileSecrets():
            files = secret_files(settings, environ).signature
            return FileSecret(*files) if files else None
        case AwsSecrets(signature_arn=None, signature_json_key=None):
            return None
        case GreengrassSecrets(signature_arn=None, signature_json_key=None):
            return None
        case AwsSecrets() as secrets:
            arn = secrets.signature_arn or _secret_arn(settings)
            return _aws_secret(arn, label=secrets.staging_label, json_key=secrets.signature_json_key)
        case GreengrassSecrets() as secrets:
            assert nucleus is not None, "it is opened where the configuration wants it"
            arn = secrets.signature_arn or _secret_arn(settings)
            return greengrass.secret(
                nucleus, arn=arn, label=secrets.staging_label, json_key=secrets.signature_json_key
            )
        case _:
            assert_never(settings.secrets)


def _labelled(settings: KeptSecrets, secret: Callable[..., SecretSource]) -> Sources:
    """One source for each version of the secret; `secret` makes the source for a `label`."""
    second = settings.second_label
    return Sources(
        first=secret(label=settings.staging_label), second=None if second is None else secret(label=second)
    )


def _aws_secret(arn: str, *, label: str, json_key: str | None) -> AwsSecret:
    for package in ("boto3", "cryptography"):
        if find_spec(package) is None:
            sentence = not_installed(package, needed_by='[secrets] source = "aws"', extra="aws")
            raise ConfigurationError([sentence])
    return AwsSecret(arn, label=label, json_key=json_key)


def _secret_arn(settings: Settings) -> str:
    arn = settings.parameters.secret_arn
    assert arn is not None, "the configuration requires it for this source"
    return arn


def secret_copy(settings: Settings) -> SecretCopy | None:
    """The local copy of the first secret, for "aws"; the others have theirs on this machine anyway."""
    secrets = settings.secrets
    if not isinstance(secrets, AwsSecrets):
        return None
    name = json.dumps([_secret_arn(settings), secrets.staging_label, secrets.json_key])
    return EncryptedCopy(secrets.copy_path, key_file=secrets.key_file, name=name)


def kept(sources: Sources, copy: SecretCopy | None, *, clock: Clock, events: Events) -> Sources:
    """The same, the first of them with its local copy where there is one."""
    if copy is None:
        return sources
    return replace(sources, first=KeptSecret(sources.first, copy, clock=clock, events=events))


class SecretFiles(NamedTuple):
    """Where each secret may be, in the order in which the places are looked up; empty: there is none."""

    first: Sequence[Path] = ()
    second: Sequence[Path] = ()
    signature: Sequence[Path] = ()


def secret_files(settings: Settings, environ: Mapping[str, str]) -> SecretFiles:
    """Where the secrets may be, for "file"; none for the other sources."""
    match settings.secrets:
        case FileSecrets(file=first, second_file=second, signature_file=signature):
            return SecretFiles(
                first=candidates(first, environ),
                second=[] if second is None else candidates(second, environ),
                signature=[] if signature is None else candidates(signature, environ),
            )
        case _:
            return SecretFiles()


def candidates(file: CredentialFile, environ: Mapping[str, str]) -> list[Path]:
    """A relative name is looked up where systemd puts credentials first, then next to the configuration."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    is_relative = not Path(file.name).is_absolute()
    return [Path(directory) / file.name, file.path] if directory and is_relative else [file.path]
