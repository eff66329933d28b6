"""Where the configuration says that the secrets are: sources, the local copy, and the files to look at."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.aws_secrets import AwsSecret
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.bootstrap import greengrass
from twilio_notifications.config import SecretOrigin
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.extras import not_installed
from twilio_notifications.pipeline.credentials import Identity, Sources
from twilio_notifications.pipeline.kept_secret import KeptSecret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.config import Settings
    from twilio_notifications.ports import Clock, Observer, SecretCopy


def identity(settings: Settings) -> Identity:
    """Whose secret it is."""
    return Identity(account_sid=settings.parameters.account_sid, api_key_sid=settings.secrets.api_key_sid)


def secret_sources(
    settings: Settings, environ: Mapping[str, str], *, nucleus: Nucleus | None = None
) -> Sources:
    """Where the configuration says that the secrets are; `nucleus` is needed where they are there."""
    secrets = settings.secrets
    match secrets.source:
        case SecretOrigin.ENVIRONMENT:
            second = secrets.second_variable
            return Sources(
                first=EnvironmentSecret(secrets.variable, environ=environ),
                second=None if second is None else EnvironmentSecret(second, environ=environ),
            )
        case SecretOrigin.FILE:
            files, second_files = secret_files(settings, environ)
            return Sources(
                first=FileSecret(*files), second=FileSecret(*second_files) if second_files else None
            )
        case SecretOrigin.AWS:
            label = secrets.second_label
            return Sources(
                first=_aws_secret(settings, secrets.staging_label),
                second=None if label is None else _aws_secret(settings, label),
            )
        case SecretOrigin.GREENGRASS:
            assert nucleus is not None, "it is opened where the configuration wants it"
            return _kept_by(nucleus, settings)
        case _:
            assert_never(secrets.source)


def _kept_by(nucleus: Nucleus, settings: Settings) -> Sources:
    arn, label = _secret_arn(settings), settings.secrets.second_label
    return Sources(
        first=greengrass.secret(settings, nucleus, arn=arn, label=settings.secrets.staging_label),
        second=None if label is None else greengrass.secret(settings, nucleus, arn=arn, label=label),
    )


def _aws_secret(settings: Settings, label: str) -> AwsSecret:
    for package in ("boto3", "cryptography"):
        if find_spec(package) is None:
            sentence = not_installed(package, needed_by='[secrets] source = "aws"', extra="aws")
            raise ConfigurationError([sentence])
    return AwsSecret(_secret_arn(settings), label=label, json_key=settings.secrets.json_key)


def _secret_arn(settings: Settings) -> str:
    arn = settings.parameters.secret_arn
    assert arn is not None, "the configuration requires it for this source"
    return arn


def secret_copy(settings: Settings) -> SecretCopy | None:
    """The local copy of the first secret, for "aws"; the others have theirs on this machine anyway."""
    secrets = settings.secrets
    if secrets.source is not SecretOrigin.AWS or secrets.key_file is None:
        return None
    name = json.dumps([_secret_arn(settings), secrets.staging_label, secrets.json_key])
    return EncryptedCopy(secrets.copy_path, key_file=secrets.key_file, name=name)


def kept(sources: Sources, copy: SecretCopy | None, *, clock: Clock, observer: Observer) -> Sources:
    """The same, the first of them with its local copy where there is one."""
    if copy is None:
        return sources
    return replace(sources, first=KeptSecret(sources.first, copy, clock=clock, observer=observer))


def secret_files(settings: Settings, environ: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Where the first and the second secret may be, for "file"; none for the other sources."""
    secrets = settings.secrets
    if secrets.source is not SecretOrigin.FILE:
        return [], []
    return (
        candidates(secrets.path, secrets.path_as_given, environ),
        candidates(secrets.second_path, secrets.second_path_as_given, environ),
    )


def candidates(path: Path | None, given: str | None, environ: Mapping[str, str]) -> list[Path]:
    """A relative name is looked up where systemd puts credentials first, then next to the configuration."""
    if path is None or given is None:
        return []
    directory = environ.get("CREDENTIALS_DIRECTORY")
    return [Path(directory) / given, path] if directory and not Path(given).is_absolute() else [path]
