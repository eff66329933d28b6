"""Reads the secrets of V1 functions at the place of the connector's own secret.

An environment and a file hold one secret, the connector's: a caller gets it by its ARN or name, and an error
for any other. Secrets Manager and a nucleus know many secrets, and decide who may read which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING

from twilio_notifications.adapters.aws_secrets import AwsSecret
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.bootstrap.secrets import candidates
from twilio_notifications.config import SecretOrigin
from twilio_notifications.core.errors import SecretAbsent, SecretUnavailable
from twilio_notifications.extras import not_installed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from twilio_notifications.adapters.greengrass import Nucleus
    from twilio_notifications.config import SecretPlace

CURRENT = "AWSCURRENT"
_PARTS_OF_AN_ARN = 7
_SUFFIX = len("-a1b2c3")
"""Secrets Manager appends a hyphen and six letters or digits to a name in its ARN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A secret, and the facts that its place knows: None for each fact that it does not know."""

    arn: str
    value: str | bytes = field(repr=False)
    stages: Sequence[str]
    version_id: str | None = None
    created_at: datetime | None = None

    @property
    def name(self) -> str:
        return name_in(self.arn)


def name_in(arn: str) -> str:
    """The name of the secret with this ARN; a text that is no ARN is a name already."""
    parts = arn.split(":", _PARTS_OF_AN_ARN - 1)
    return parts[-1][:-_SUFFIX] if len(parts) == _PARTS_OF_AN_ARN else arn


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Reads secrets at the place that the configuration names."""

    place: SecretPlace
    environ: Mapping[str, str] = field(repr=False)

    async def read(self, secret_id: str, stage: str) -> Kept:
        """The secret at any place but a nucleus.

        Raises SecretAbsent or SecretUnavailable, with a sentence.
        """
        place = self.place
        if place.source is SecretOrigin.AWS:
            return await self._from_aws(secret_id, stage)
        arn = self._only(secret_id, stage)
        if place.source is SecretOrigin.FILE and place.file is not None:
            secret = await FileSecret(*candidates(place.file, self.environ)).read()
        else:
            secret = await EnvironmentSecret(place.variable, environ=self.environ).read()
        return Kept(arn=arn, value=secret.reveal(), stages=[stage])

    async def read_from_nucleus(self, nucleus: Nucleus, secret_id: str, stage: str) -> Kept:
        """The secret from the Secret Manager of a classic nucleus, which must be connected."""
        arn = self._arn_of(secret_id)
        return Kept(arn=arn, value=await nucleus.secret(arn, label=stage), stages=[stage])

    async def _from_aws(self, secret_id: str, stage: str) -> Kept:
        arn = self._arn_of(secret_id)
        if arn == name_in(arn):
            raise SecretAbsent(
                f"the region of the secret {secret_id!r} is not known: ask for the secret by its ARN, "
                "or set TwilioAuthTokenSecretArn where it is the connector's own"
            )
        if find_spec("boto3") is None:
            raise SecretUnavailable(not_installed("boto3", needed_by='[secrets] source = "aws"', extra="aws"))
        answer = await AwsSecret(arn, label=stage).answer()
        return Kept(
            arn=answer["ARN"],
            value=answer["SecretString"] if "SecretString" in answer else answer["SecretBinary"],
            stages=answer["VersionStages"],
            version_id=answer["VersionId"],
            created_at=answer["CreatedDate"],
        )

    def _arn_of(self, secret_id: str) -> str:
        """The ARN of the connector's own secret where `secret_id` is its name; `secret_id` otherwise."""
        own = self.place.arn
        return own if own is not None and secret_id == name_in(own) else secret_id

    def _only(self, secret_id: str, stage: str) -> str:
        """The ARN of the only secret at this place; raises SecretAbsent where `secret_id` is another's."""
        own, source = self.place.arn, self.place.source
        if own is None:
            raise SecretAbsent(
                f'[secrets] source = "{source}" holds one secret, and its name is not known: '
                "set TwilioAuthTokenSecretArn in [connector.parameters]"
            )
        if secret_id not in {own, name_in(own)}:
            raise SecretAbsent(
                f'[secrets] source = "{source}" holds one secret, {name_in(own)}, and not {secret_id!r}: '
                'use source = "aws" or "greengrass" for others'
            )
        if stage != CURRENT:
            raise SecretAbsent(f'[secrets] source = "{source}" holds the version {CURRENT} only, not {stage}')
        return own
