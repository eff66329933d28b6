"""The composition root: Settings → a wired connector. The only room that hands adapters to the pipeline."""

from __future__ import annotations

from twilio_notifications.bootstrap import greengrass
from twilio_notifications.bootstrap.opening import connector, require_available
from twilio_notifications.bootstrap.outside import journal, supervisor, twilio_sender
from twilio_notifications.bootstrap.secrets import (
    identity,
    secret_copy,
    secret_files,
    secret_sources,
    signature_source,
)
from twilio_notifications.bootstrap.tracking import listeners as callback_listeners
from twilio_notifications.bootstrap.watching import WatchListeners, watch_listeners

__all__ = [
    "WatchListeners",
    "callback_listeners",
    "connector",
    "greengrass",
    "identity",
    "journal",
    "require_available",
    "secret_copy",
    "secret_files",
    "secret_sources",
    "signature_source",
    "supervisor",
    "twilio_sender",
    "watch_listeners",
]
