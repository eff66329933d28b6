"""What the configuration's tests share: a configuration that is complete, loaded from text or environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from twilio_notifications.config import Settings, load
from twilio_notifications.core.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

PREFIX = "TWILIO_NOTIFICATIONS__"
ACCOUNT = '[connector.parameters]\nTWILIO_ACCOUNT_SID = "AC1"\n'
ACCOUNT_VARIABLE = f"{PREFIX}CONNECTOR__PARAMETERS__TWILIO_ACCOUNT_SID"
SECRET_ARN = "arn:aws:secretsmanager:us-west-2:123456789012:secret:greengrass-TwilioAuthToken-a1b2c3"


def write(folder: Path, text: str) -> Path:
    """A configuration file that holds exactly this."""
    path = folder / "connector.toml"
    path.write_text(text, encoding="utf-8")
    return path


def from_toml(folder: Path, text: str) -> Settings:
    """The settings of a file that holds the account and this."""
    return load(write(folder, ACCOUNT + text), {})


def from_environment(**variables: str) -> Settings:
    """The settings of the account and these variables; their names are without the prefix."""
    return load(None, environment(**variables))


def environment(**variables: str) -> dict[str, str]:
    return {ACCOUNT_VARIABLE: "AC1"} | {PREFIX + name: text for name, text in variables.items()}


def problems(path: Path | None, environ: Mapping[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load(path, environ)
    return caught.value.problems


def only_problem(path: Path | None, environ: Mapping[str, str]) -> str:
    found = problems(path, environ)
    assert 1 == len(found), found
    return found[0]


def only_problem_in_toml(folder: Path, text: str) -> str:
    return only_problem(write(folder, ACCOUNT + text), {})
