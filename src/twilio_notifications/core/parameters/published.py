"""The parameters that the published document names, and what a judgement of them gives.

The rules are in `judgement`; here are the names, the versions and the values that other rooms hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERSIONS = range(1, 6)
CONNECTOR_NAME = "TwilioNotifications"
# The document's pattern knows the partition "aws" alone; China and GovCloud had Greengrass too.
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")


class PublishedParameter(StrEnum):
    """A parameter under its published name."""

    ACCOUNT_SID = "TWILIO_ACCOUNT_SID"
    SECRET_ARN = "TwilioAuthTokenSecretArn"  # noqa: S105  (a name, not a token)
    SECRET_RESOURCE_ID = "TwilioAuthTokenSecretArn-ResourceId"  # noqa: S105  (a name, not a token)
    DEFAULT_SENDER_NUMBER = "DefaultFromPhoneNumber"
    ISOLATION_MODE = "IsolationMode"

    @property
    def display_name(self) -> str:
        """What the AWS IoT console called it."""
        return _DISPLAY_NAMES[self]

    @property
    def pattern(self) -> str:
        """The valid pattern as the document prints it; where our rules differ, `judgement` says why."""
        return _PATTERNS[self]

    @property
    def label(self) -> str:
        """Both names, as every problem begins with them."""
        return f"{self.display_name} ({self.value})"


_DISPLAY_NAMES = {
    PublishedParameter.ACCOUNT_SID: "Twilio account SID",
    PublishedParameter.SECRET_ARN: "ARN of Twilio auth token secret",
    PublishedParameter.SECRET_RESOURCE_ID: "Twilio auth token resource",
    PublishedParameter.DEFAULT_SENDER_NUMBER: "Default from phone number",
    PublishedParameter.ISOLATION_MODE: "Container isolation mode",
}

_PATTERNS = {
    PublishedParameter.ACCOUNT_SID: r".+",
    PublishedParameter.SECRET_ARN: (
        r"arn:aws:secretsmanager:[a-z0-9\-]+:[0-9]{12}:secret:"
        r"([a-zA-Z0-9\\]+/)*[a-zA-Z0-9/_+=,.@\-]+-[a-zA-Z0-9]+"
    ),
    PublishedParameter.SECRET_RESOURCE_ID: r".+",
    PublishedParameter.DEFAULT_SENDER_NUMBER: r"^$|\+[0-9]+",
    PublishedParameter.ISOLATION_MODE: r"^NoContainer$|^GreengrassContainer$",
}


class IsolationMode(StrEnum):
    """How far the connector is shut off from the rest of its machine."""

    GREENGRASS_CONTAINER = "GreengrassContainer"
    NO_CONTAINER = "NoContainer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Valid parameters. The sender number is as configured: with a plus sign, or warned about."""

    account_sid: str
    secret_arn: str | None = None
    secret_resource_id: str | None = None
    default_sender_number: str | None = None
    isolation_mode: IsolationMode = IsolationMode.GREENGRASS_CONTAINER


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One sentence for people, and the name of the parameter or setting that it is about."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidParameters:
    """The parameters can be used; each warning is worth a line in the log."""

    parameters: Parameters
    warnings: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InvalidParameters:
    """The parameters cannot be used, for each of these reasons."""

    problems: tuple[Remark, ...]


def published_in(version: int) -> tuple[PublishedParameter, ...]:
    """The parameters of one version: `IsolationMode` came with version 5 (changelog of the document)."""
    newest = version == VERSIONS[-1]
    return tuple(p for p in PublishedParameter if newest or p is not PublishedParameter.ISOLATION_MODE)
