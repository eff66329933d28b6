"""Configuration: the shipped defaults, one TOML file and the environment → frozen Settings.

`load` is the way in; `load_client` and `load_secret_place` are for programs other than the connector.
A ConfigurationError names everything that is wrong at once, before anything starts:
an unknown key is an error, a value out of range is an error, and no message ever shows a secret.
"""

from __future__ import annotations

from twilio_notifications.config.loading import load, load_client, load_journal, load_secret_place, log_format
from twilio_notifications.config.settings import (
    CallSettings,
    ClientSettings,
    ConnectorSettings,
    DeliverySettings,
    JournalFileSettings,
    JournalPlace,
    JournalSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    MetricsSettings,
    Ordering,
    ProtocolVersion,
    PubSub,
    SecretOrigin,
    SecretPlace,
    SecretsSettings,
    Settings,
    StatusDetail,
    StatusesTo,
    StatusSettings,
    TransportKind,
    TransportSettings,
    TwilioSettings,
)
from twilio_notifications.config.sources import CONFIG_VARIABLE, find

__all__ = [
    "CONFIG_VARIABLE",
    "CallSettings",
    "ClientSettings",
    "ConnectorSettings",
    "DeliverySettings",
    "JournalFileSettings",
    "JournalPlace",
    "JournalSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "MetricsSettings",
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
    "TransportKind",
    "TransportSettings",
    "TwilioSettings",
    "find",
    "load",
    "load_client",
    "load_journal",
    "load_secret_place",
    "log_format",
]
