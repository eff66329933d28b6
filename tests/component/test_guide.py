"""The guide to Greengrass V2 shows configurations that the connector takes, and says what the build says."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.docs.markdown import HOW_TO, blocks, prose
from twilio_notifications.component import NucleusKind, configured
from twilio_notifications.config import load

(GUIDE,) = (path for path in HOW_TO if path.name == "greengrass-v2.md")
PARAMETERS: dict[str, Any] = {
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TwilioAuthTokenSecretArn": "arn:aws:secretsmanager:us-west-2:123456789012:secret:t-a1b2c3",
}
KEY_FILE = "/etc/twilio-notifications/device.key"
"""The device's key; here any file that can be read stands for it."""


def shown() -> list[str]:
    """Every JSON object of the guide that says how the component is configured."""
    inline = re.findall(r"`(\{\".*?\})`", prose(GUIDE))
    # The value of InputTopics stands without its name.
    named = [f'{{"InputTopics": {text}}}' if text.startswith('{"txt"') else text for text in inline]
    return [*named, *(f"{{{text}}}" for text in re.findall(r"`(\"\w+\": \".*?\")`", prose(GUIDE)))] + [
        block.text for block in blocks(GUIDE, "json")
    ]


@pytest.mark.parametrize("kind", NucleusKind)
@pytest.mark.parametrize("text", shown())
def test_a_configuration_is_taken_without_a_warning(text: str, kind: NucleusKind) -> None:
    given = json.loads(text.replace(KEY_FILE, __file__))
    assert () == load(None, {}, component=configured(kind, {**PARAMETERS, **given})).warnings


def test_there_are_configurations() -> None:
    assert len(shown()) > 6
