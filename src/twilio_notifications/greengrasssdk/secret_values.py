"""`client("secretsmanager")`: gives a secret in the form in which V1 gave it.

Every failure is a SecretsManagerError with a sentence, for each place from which a secret can come.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from twilio_notifications.core.errors import ConnectorError
from twilio_notifications.greengrasssdk.courier import courier
from twilio_notifications.greengrasssdk.publisher import required

if TYPE_CHECKING:
    from twilio_notifications.greengrasssdk.vault import Kept

CURRENT = "AWSCURRENT"


class SecretsManagerError(Exception):
    """The secret cannot be read; says why."""


class SecretValues:
    """Gives the secrets at the place that the connector's configuration names."""

    def get_secret_value(self, **given: Any) -> dict[str, Any]:
        """The secret `SecretId`, an ARN or a name, in the version with the label `VersionStage`.

        The answer has `SecretString`, or `SecretBinary` as a text in base64. A field that the place of the
        secret does not know, `CreatedDate` for instance, is None. Raises SecretsManagerError, and ValueError
        without a `SecretId`.
        """
        secret_id = str(required(given, "SecretId"))
        if given.get("VersionId"):
            raise SecretsManagerError("Query by VersionId is not yet supported")
        stage = str(given.get("VersionStage") or CURRENT)
        try:
            kept = courier().carry(lambda outside: outside.secret(secret_id, stage))
        except ConnectorError as error:
            raise SecretsManagerError(str(error)) from error
        return _answer(kept)


def _answer(kept: Kept) -> dict[str, Any]:
    if isinstance(kept.value, bytes):
        content = {"SecretBinary": base64.b64encode(kept.value).decode()}
    else:
        content = {"SecretString": kept.value}
    return {
        "ARN": kept.arn,
        "Name": kept.name,
        "VersionId": kept.version_id,
        **content,
        "VersionStages": list(kept.stages),
        "CreatedDate": kept.created_at,
    }
