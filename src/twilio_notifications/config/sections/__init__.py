"""The sections of the configuration, a module for each; what they declare is all that can be configured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.config.sections.calls import CALLS
from twilio_notifications.config.sections.connector import CONNECTOR, PUBLISHED_PARAMETERS
from twilio_notifications.config.sections.console import CONSOLE
from twilio_notifications.config.sections.contacts import CONTACTS
from twilio_notifications.config.sections.delivery import DELIVERY
from twilio_notifications.config.sections.escalations import ESCALATIONS
from twilio_notifications.config.sections.health import HEALTH
from twilio_notifications.config.sections.heartbeat import HEARTBEAT
from twilio_notifications.config.sections.journal import JOURNAL
from twilio_notifications.config.sections.limits import LIMITS
from twilio_notifications.config.sections.log import LOG
from twilio_notifications.config.sections.metrics import METRICS
from twilio_notifications.config.sections.pace import PACE
from twilio_notifications.config.sections.quiet_hours import QUIET_HOURS
from twilio_notifications.config.sections.secrets import SECRETS
from twilio_notifications.config.sections.status import STATUS
from twilio_notifications.config.sections.traces import TRACES
from twilio_notifications.config.sections.tracking import TRACKING
from twilio_notifications.config.sections.transport import TRANSPORT
from twilio_notifications.config.sections.twilio import TWILIO

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.keys import Key, Section

_OWN = (
    CONNECTOR,
    TRANSPORT,
    SECRETS,
    JOURNAL,
    TWILIO,
    DELIVERY,
    CALLS,
    TRACKING,
    LIMITS,
    PACE,
    QUIET_HOURS,
    STATUS,
    CONTACTS,
    ESCALATIONS,
    METRICS,
    HEALTH,
    HEARTBEAT,
    TRACES,
    CONSOLE,
    LOG,
)

SECTIONS = (CONNECTOR, PUBLISHED_PARAMETERS, *_OWN[1:])
"""In the order of the reference, with the published parameters, whose rules are in core.parameters."""

KEYS: Mapping[str, Mapping[str, Key]] = {section.name: section.keys for section in _OWN}
"""All settings but the published parameters, by section and key."""

TABLES: Mapping[str, Section] = {section.name: section for section in _OWN if section.example}
"""The sections of tables that users name."""

LISTS: Mapping[str, Key] = {section.name: section.whole for section in _OWN if section.whole is not None}
"""The sections that are lists of tables, such as [[pace]]; each is one setting."""

SETTINGS: Mapping[str, Key] = {
    f"{section}.{name}": key
    for section, keys in KEYS.items()
    if section not in TABLES and section not in LISTS
    for name, key in keys.items()
} | dict(LISTS)
"""All settings but the published parameters and those in tables, by dotted name: "log.level", and "pace"."""
