"""[connector]: the version of the published connector, and its parameters under their published names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config.keys import Key, Section, key, keys_of
from twilio_notifications.config.kinds import FilePath, Text, WholeNumber, Written
from twilio_notifications.config.urls import Wrong
from twilio_notifications.core.parameters import VERSIONS, PublishedParameter, Unreadable, read_connector_arn

if TYPE_CHECKING:
    from pathlib import Path

    from twilio_notifications.core.parameters import ConnectorVersion

PARAMETERS_SECTION = "connector.parameters"

PARAMETERS = f"{PARAMETERS_SECTION}."
"""What the names of the published parameters begin with; core.parameters knows the rest of them."""


def _version_of(arn: str) -> ConnectorVersion | Wrong:
    version = read_connector_arn(arn)
    if isinstance(version, Unreadable):
        return Wrong(demand=f"cannot be used: {'; '.join(version.problems)}")
    return version


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorSettings:
    """The version resolved from `version`, `arn` or the definition; the other two as they were given."""

    version: int = key(
        WholeNumber(minimum=VERSIONS[0], maximum=VERSIONS[-1]),
        """The version of the connector. Versions 1 to 4 do not know the parameter IsolationMode; nothing
        else differs.""",
        default=5,
    )
    arn: ConnectorVersion | None = key(
        Written(description="the ARN of a version of the connector", read=_version_of, may_be_empty=True),
        """The version by its ARN instead, as a Greengrass group names it. The region may be the word
        "region", as the published document prints it. Where version is set too, it must agree.""",
        example="arn:aws:greengrass:us-west-2::/connectors/TwilioNotifications/versions/5",
    )
    definition: Path | None = key(
        FilePath(),
        """A Greengrass V1 connector definition in JSON, instead of [connector.parameters]: what "aws
        greengrass create-connector-definition" takes or "aws greengrass get-connector-definition-version"
        prints. It sets the version too, and it makes both secret parameters required.""",
        example="connectors.json",
    )


CONNECTOR = Section(
    name="connector",
    text="""Which version of the published connector this one stands in for, and where its parameters come
    from.""",
    keys=keys_of(ConnectorSettings),
)

_PUBLISHED = Text(may_be_empty=True)
"""What the reference says of each; the rules of the parameters are in core.parameters."""

PUBLISHED_PARAMETERS = Section(
    name=PARAMETERS_SECTION,
    text="""The published parameters, under their published names. Instead of a definition. In the
    environment: `TWILIO_NOTIFICATIONS__CONNECTOR__PARAMETERS__<NAME>`, upper or lower case, "_" for "-".""",
    keys={
        PublishedParameter.ACCOUNT_SID: Key(
            kind=_PUBLISHED,
            text="Twilio account SID. Required.",
            example="AC0123456789abcdef0123456789abcdef",
        ),
        PublishedParameter.SECRET_ARN: Key(
            kind=_PUBLISHED,
            text="""ARN of the Secrets Manager secret that holds the Twilio auth token. Never the token
            itself. Required with a definition, and where secrets.source is "aws" or "greengrass".""",
            example="arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3",
        ),
        PublishedParameter.SECRET_RESOURCE_ID: Key(
            kind=_PUBLISHED,
            text="""Name of the secret resource in the Greengrass group. Required where
            TwilioAuthTokenSecretArn is.""",
            example="TwilioAuthToken",
        ),
        PublishedParameter.DEFAULT_SENDER_NUMBER: Key(
            kind=_PUBLISHED,
            text="""Sender number of the requests that have no from_number. Left out or empty: each
            request must have its own.""",
            example="+15005550006",
        ),
        PublishedParameter.ISOLATION_MODE: Key(
            kind=_PUBLISHED,
            text="""How far the connector is shut off from its machine: "GreengrassContainer" or
            "NoContainer". Version 5 only; left out it is "GreengrassContainer".""",
            example="GreengrassContainer",
        ),
    },
)
