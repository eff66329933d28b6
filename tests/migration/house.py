"""Definitions of Greengrass V1 as people have them, and a migration of them that needs no file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.migration import MigrationFiles, Upload, migrate

if TYPE_CHECKING:
    from collections.abc import Mapping

ACCOUNT_SID = "AC0123456789abcdef0123456789abcdef"
SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"
OTHER_SECRET = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-Other-d4e5f6"
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:TempMonitor:GG_TempMonitor"
DEVICE = "arn:aws:iot:us-west-2:123456789012:thing/Sensor7"

TEMPLATE = Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")
"""A template of CloudFormation with short tags."""
GIVEN = {"SecretArn": SECRET, "AWS::AccountId": "123456789012"}
"""What it leaves open."""

PARAMETERS = {
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TwilioAuthTokenSecretArn": SECRET,
    "TwilioAuthTokenSecretArn-ResourceId": "TwilioAuthToken",
    "DefaultFromPhoneNumber": "+15005550006",
}


def arn(version: int = 4) -> str:
    return f"arn:aws:greengrass:us-west-2::/connectors/TwilioNotifications/versions/{version}"


def connector(version: int = 4, **changed: Any) -> dict[str, Any]:
    entry = {"Id": "MyTwilioNotificationsConnector", "ConnectorArn": arn(version), "Parameters": PARAMETERS}
    return entry | changed


def connectors(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"Connectors": list(entries or (connector(),))}


def resources(secret: str = SECRET) -> dict[str, Any]:
    """The tutorial's resource definition."""
    container = {"SecretsManagerSecretResourceData": {"ARN": secret}}
    resource = {"Id": "TwilioAuthToken", "Name": "MyTwilioAuthToken", "ResourceDataContainer": container}
    return {"Resources": [resource]}


def subscription(
    source: object, subject: object, target: object, identifier: str = "TriggerNotification"
) -> dict[str, Any]:
    """Its ends may be functions of a template."""
    return {"Id": identifier, "Source": source, "Subject": subject, "Target": target}


def subscriptions(version: int = 4) -> dict[str, Any]:
    """The tutorial's subscription definition."""
    return {
        "Subscriptions": [
            subscription(FUNCTION, "twilio/txt", arn(version)),
            subscription("cloud", "temperature/input", FUNCTION, "TemperatureInput"),
            subscription(arn(version), "twilio/message/status", "cloud", "OutputStatus"),
        ]
    }


def upload(document: object, name: str = "definitions.json") -> Upload:
    content = document if isinstance(document, str) else json.dumps(document)
    return Upload(name=name, content=content.encode())


def migrated(
    *documents: object, given: Mapping[str, str] | None = None, to_version: int | None = None
) -> MigrationFiles:
    """These documents, each a file of its own."""
    uploads = [upload(document, f"file{number}") for number, document in enumerate(documents, start=1)]
    return migrate(uploads, given=given or {}, to_version=to_version, release="1.2.3")


def problems(
    *documents: object, given: Mapping[str, str] | None = None, to_version: int | None = None
) -> tuple[str, ...]:
    """What is in the way of migrating them."""
    with pytest.raises(ConfigurationError) as caught:
        migrated(*documents, given=given, to_version=to_version)
    return caught.value.problems


def definitions(migration: MigrationFiles) -> dict[str, Any]:
    """The definitions as they go on."""
    found: dict[str, Any] = json.loads(migration.files["greengrass-v1/definitions.json"])
    return found


def parameters(migration: MigrationFiles) -> dict[str, str]:
    found: dict[str, str] = definitions(migration)["Connectors"][0]["Parameters"]
    return found
