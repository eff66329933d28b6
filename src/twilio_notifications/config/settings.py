"""The settings as the rest of the program sees them: frozen, complete and valid.

Each section is a class of `config/sections/`; here they are put together for the programs that need them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.contract import Extensions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.config.sections.calls import CallSettings
    from twilio_notifications.config.sections.connector import ConnectorSettings
    from twilio_notifications.config.sections.console import ConsoleSettings
    from twilio_notifications.config.sections.delivery import DeliverySettings
    from twilio_notifications.config.sections.health import HealthSettings
    from twilio_notifications.config.sections.heartbeat import HeartbeatSettings
    from twilio_notifications.config.sections.journal import JournalSettings
    from twilio_notifications.config.sections.log import LogSettings
    from twilio_notifications.config.sections.metrics import MetricsSettings
    from twilio_notifications.config.sections.secrets import CredentialFile, SecretOrigin, SecretsSettings
    from twilio_notifications.config.sections.status import StatusSettings
    from twilio_notifications.config.sections.traces import TracesSettings
    from twilio_notifications.config.sections.tracking import TrackingSettings
    from twilio_notifications.config.sections.transport import TransportSettings
    from twilio_notifications.config.sections.twilio import TwilioSettings
    from twilio_notifications.core.escalation import Chain
    from twilio_notifications.core.model import Contact
    from twilio_notifications.core.pace import SenderRates
    from twilio_notifications.core.parameters import Parameters
    from twilio_notifications.core.policy import Limits
    from twilio_notifications.core.quiet_hours import QuietHours


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The whole configuration. `warnings` are sentences for the log: a setting works but may be a mistake."""

    connector: ConnectorSettings
    parameters: Parameters
    transport: TransportSettings
    secrets: SecretsSettings
    journal: JournalSettings
    twilio: TwilioSettings
    delivery: DeliverySettings
    calls: CallSettings
    tracking: TrackingSettings
    limits: Limits
    pace: Mapping[str, SenderRates]
    """By sender number or SID of a Messaging Service."""
    quiet_hours: QuietHours
    status: StatusSettings
    contacts: Mapping[str, Contact]
    escalations: Mapping[str, Chain]
    metrics: MetricsSettings
    health: HealthSettings
    heartbeat: HeartbeatSettings
    traces: TracesSettings
    console: ConsoleSettings
    log: LogSettings
    warnings: tuple[str, ...]

    @property
    def extensions(self) -> Extensions:
        """The names that a request may use."""
        return Extensions(contacts=self.contacts, escalations=frozenset(self.escalations))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings:
    """The settings of a program that publishes requests for the connector."""

    transport: TransportSettings
    log: LogSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFileSettings:
    """The settings of a command that reads the journal, or orders something in it."""

    journal: JournalSettings
    limits: Limits
    """Of which `status` says how much is used; none where they were not asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFileSettings:
    """The settings of the console, which works next to the connector or without one."""

    console: ConsoleSettings
    transport: TransportSettings
    log: LogSettings
    journal: JournalSettings
    secret_variables: tuple[str, ...]
    """Environment variables with secrets of the connector, which the console has no use for."""
    warnings: tuple[str, ...]
    """Sentences for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPlace:
    """Where the connector's secret is, for a program that may read it too.

    `variable` is the name for `source` "environment". `file` is None where secrets.path is not set.
    `arn` is None where the configuration does not name the secret.
    """

    source: SecretOrigin
    variable: str
    file: CredentialFile | None
    arn: str | None
