"""Configuration: the declarations in `sections`, one TOML file and the environment → frozen Settings.

`load` is the way in; `load_client` and `load_secret_place` are for programs other than the connector.
A ConfigurationError names everything that is wrong at once, before anything starts:
an unknown key is an error, a value out of range is an error, and no message ever shows a secret.
"""

from __future__ import annotations

from twilio_notifications.config.loading import (
    load,
    load_client,
    load_console,
    load_journal,
    load_secret_place,
    log_format,
)
from twilio_notifications.config.sections.calls import CallSettings, MachineDetection
from twilio_notifications.config.sections.connector import ConnectorSettings
from twilio_notifications.config.sections.console import ConsoleSettings, ConsoleUser
from twilio_notifications.config.sections.delivery import DeliverySettings, Ordering
from twilio_notifications.config.sections.health import HealthSettings
from twilio_notifications.config.sections.heartbeat import HeartbeatSettings
from twilio_notifications.config.sections.journal import JournalPlace, JournalSettings
from twilio_notifications.config.sections.log import LogFormat, LogLevel, LogSettings
from twilio_notifications.config.sections.metrics import MetricsSettings
from twilio_notifications.config.sections.secrets import (
    AwsSecrets,
    CredentialFile,
    EnvironmentSecrets,
    FileSecrets,
    GreengrassSecrets,
    KeptSecrets,
    SecretOrigin,
    SecretsSettings,
)
from twilio_notifications.config.sections.status import StatusDetail, StatusSettings
from twilio_notifications.config.sections.traces import TracesSettings
from twilio_notifications.config.sections.tracking import TrackingSettings
from twilio_notifications.config.sections.transport import (
    GreengrassSettings,
    MqttSettings,
    ProtocolVersion,
    PubSub,
    StatusesTo,
    TransportKind,
    TransportSettings,
)
from twilio_notifications.config.sections.twilio import TwilioSettings
from twilio_notifications.config.settings import (
    ClientSettings,
    ConsoleFileSettings,
    JournalFileSettings,
    SecretPlace,
    Settings,
)
from twilio_notifications.config.sources import CONFIG_VARIABLE, find

__all__ = [
    "CONFIG_VARIABLE",
    "AwsSecrets",
    "CallSettings",
    "ClientSettings",
    "ConnectorSettings",
    "ConsoleFileSettings",
    "ConsoleSettings",
    "ConsoleUser",
    "CredentialFile",
    "DeliverySettings",
    "EnvironmentSecrets",
    "FileSecrets",
    "GreengrassSecrets",
    "GreengrassSettings",
    "HealthSettings",
    "HeartbeatSettings",
    "JournalFileSettings",
    "JournalPlace",
    "JournalSettings",
    "KeptSecrets",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "MachineDetection",
    "MetricsSettings",
    "MqttSettings",
    "Ordering",
    "ProtocolVersion",
    "PubSub",
    "SecretOrigin",
    "SecretPlace",
    "SecretsSettings",
    "Settings",
    "StatusDetail",
    "StatusSettings",
    "StatusesTo",
    "TracesSettings",
    "TrackingSettings",
    "TransportKind",
    "TransportSettings",
    "TwilioSettings",
    "find",
    "load",
    "load_client",
    "load_console",
    "load_journal",
    "load_secret_place",
    "log_format",
]
