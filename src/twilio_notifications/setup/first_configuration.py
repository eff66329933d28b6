"""The configuration file that `init` writes, with a comment for each setting from its declaration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.config.reference import configuration_file
from twilio_notifications.config.sections.connector import PARAMETERS
from twilio_notifications.config.sources import FILE_NAME
from twilio_notifications.core.parameters import IsolationMode, PublishedParameter

if TYPE_CHECKING:
    from collections.abc import Mapping

CONFIG_NAME: Final = FILE_NAME
TOKEN_NAME: Final = "twilio-auth-token"  # noqa: S105 - the name of a file

_OPENING = """\
# The configuration of twilio-notifications, written by `twilio-notifications init`.
# It holds what differs from the defaults, and the limits. Every other setting: docs/reference/settings.md.
# After a change: `twilio-notifications check`, then start the connector again, or send SIGHUP for [limits].
"""

_SERVICE: Mapping[str, object] = {
    "journal.url": "sqlite:////var/lib/twilio-notifications/journal.db",
    "log.format": "json",
}
"""What the units of systemd in deploy/ need in addition."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the connector will run: as a service of systemd or by hand, and confined or not."""

    as_service: bool
    can_confine: bool


def first_configuration(answers: Mapping[str, object], machine: Machine) -> str:
    """The text of the file. `answers` are values by the dotted names of their settings.

    The token stands in a file of its own, next to this one.
    """
    isolation = IsolationMode.GREENGRASS_CONTAINER if machine.can_confine else IsolationMode.NO_CONTAINER
    values = {
        **answers,
        PARAMETERS + PublishedParameter.ISOLATION_MODE: str(isolation),
        "secrets.source": "file",
        "secrets.path": TOKEN_NAME,
        **(_SERVICE if machine.as_service else {}),
    }
    return f"{_OPENING}\n{configuration_file(values)}"
