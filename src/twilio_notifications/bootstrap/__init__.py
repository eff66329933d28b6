"""The composition root: Settings → a wired connector. The only room that hands adapters to the pipeline."""

from __future__ import annotations

from twilio_notifications.bootstrap import greengrass
from twilio_notifications.bootstrap.counting import metrics_listeners
from twilio_notifications.bootstrap.opening import connector, require_available
from twilio_notifications.bootstrap.outside import sqlite_journal, supervisor, twilio_sender
from twilio_notifications.bootstrap.secrets import (
    identity,
    secret_copy,
    secret_files,
    secret_sources,
    signature_source,
)
from twilio_notifications.bootstrap.tracking import listeners as callback_listeners

__all__ = [
    "callback_listeners",
    "connector",
    "greengrass",
    "identity",
    "metrics_listeners",
    "require_available",
    "secret_copy",
    "secret_files",
    "secret_sources",
    "signature_source",
    "sqlite_journal",
    "supervisor",
    "twilio_sender",
]
