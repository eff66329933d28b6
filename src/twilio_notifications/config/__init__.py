"""Configuration: the shipped defaults, one TOML file and the environment → frozen Settings.

`load` is the way in. Whatever is wrong is said at once, in a ConfigurationError, before anything starts:
an unknown key is an error, a value out of range is an error, and no message ever shows a secret.
"""

from __future__ import annotations

from twilio_notifications.config.loading import load
from twilio_notifications.config.settings import (
    ConnectorSettings,
    DeliverySettings,
    JournalSettings,
    LogFormat,
    LogLevel,
    LogSettings,
    MetricsSettings,
    Ordering,
    ProtocolVersion,
    PubSub,
    SecretOrigin,
    SecretsSettings,
    Settings,
    StatusDetail,
    StatusesTo,
    StatusSettings,
    TransportKind,
    TransportSettings,
    TwilioSettings,
)

__all__ = [
    "ConnectorSettings",
    "DeliverySettings",
    "JournalSettings",
    "LogFormat",
    "LogLevel",
    "LogSettings",
    "MetricsSettings",
    "Ordering",
    "ProtocolVersion",
    "PubSub",
    "SecretOrigin",
    "SecretsSettings",
    "Settings",
    "StatusDetail",
    "StatusSettings",
    "StatusesTo",
    "TransportKind",
    "TransportSettings",
    "TwilioSettings",
    "load",
]
