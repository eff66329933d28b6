"""Recognises connectors, subscriptions, secret resources and groups by their members, in any kind of file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from twilio_notifications.core.parameters import PublishedParameter
from twilio_notifications.migration.partly import Partly

if TYPE_CHECKING:
    from collections.abc import Mapping

BAG = frozenset({PublishedParameter.ACCOUNT_SID, PublishedParameter.SECRET_ARN})
ENDS = ("Source", "Subject", "Target")
_SECRET_ARN_KEYS = ("ARN", "Arn")
_SECRET_ARN_DEPTH = 4
_VERSION_ARN = "DefinitionVersionArn"
_PHONE_NUMBER = re.compile(r"\+?[0-9]{7,15}")
_SHOWN_DIGITS = 4
# Other tools spell these names differently: connector_arn, connectorArn, source.
_CANONICAL = {
    "connectorarn": "ConnectorArn",
    "id": "Id",
    "parameters": "Parameters",
    "source": "Source",
    "subject": "Subject",
    "target": "Target",
}


def canonical(value: Mapping[object, object]) -> dict[str, object]:
    """The object with Greengrass's own names in addition to other spellings of them."""
    content = {str(name): member for name, member in value.items()}
    for name, member in list(content.items()):
        known = _CANONICAL.get(name.replace("_", "").casefold())
        if known is not None:
            content.setdefault(known, member)
    return content


def is_of_interest(content: Mapping[str, object]) -> bool:
    """Whether the migration looks at an object of this kind. Its functions need not be resolved yet."""
    return (
        is_connector(content)
        or is_subscription(content)
        or is_bag(content)
        or is_group(content)
        or "FunctionArn" in content
        or "LatestVersion" in content
        or ("Id" in content and _arn_below(content, _SECRET_ARN_DEPTH) is not None)
    )


def is_connector(content: Mapping[str, object]) -> bool:
    return "ConnectorArn" in content


def is_subscription(content: Mapping[str, object]) -> bool:
    """Whether it has Source, Subject and Target, or an `Id` and two of these."""
    present = [name for name in ENDS if name in content]
    return len(present) == len(ENDS) or (len(present) == len(ENDS) - 1 and "Id" in content)


def is_bag(content: Mapping[str, object]) -> bool:
    return content.keys() >= BAG


def is_group(content: Mapping[str, object]) -> bool:
    return any(name.endswith(_VERSION_ARN) and name != "LatestVersionArn" for name in content)


def secret_arn(content: Mapping[str, object]) -> object | None:
    """The ARN of the secret in a secret resource, at any depth below its `Id`; None for any other object."""
    return None if "Id" not in content else _arn_below(content, _SECRET_ARN_DEPTH)


def _arn_below(content: Mapping[str, object], depth: int) -> object | None:
    for key, value in content.items():
        if key in _SECRET_ARN_KEYS and (
            isinstance(value, Partly)
            or (isinstance(value, dict) and len(value) == 1 and next(iter(value)) not in _SECRET_ARN_KEYS)
            or (isinstance(value, str) and (":secretsmanager:" in value or "{" in value or "$" in value))
        ):
            return value
        if isinstance(value, dict) and depth:
            below = _arn_below(value, depth - 1)
            if below is not None:
                return below
    return None


def phone_masked(text: str) -> str:
    """The text; where it is a phone number, with its last four digits alone."""
    return masked(text) if _PHONE_NUMBER.fullmatch(text) else text


def masked(number: str) -> str:
    """A phone number with its last four digits, and asterisks in place of the others."""
    hidden = max(len(number) - _SHOWN_DIGITS, 0)
    return "*" * hidden + number[hidden:]
