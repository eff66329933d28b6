"""Twilio's REST API over HTTP: makes requests, and reads answers within bounds."""

from __future__ import annotations

from twilio_notifications.adapters.twilio.answers import DateReader, retry_after_seconds
from twilio_notifications.adapters.twilio.api import PAGE_SIZE, TwilioSender
from twilio_notifications.adapters.twilio.callbacks import CallbackEndpoint, callback_listeners
from twilio_notifications.adapters.twilio.form import CallForm

__all__ = [
    "PAGE_SIZE",
    "CallForm",
    "CallbackEndpoint",
    "DateReader",
    "TwilioSender",
    "callback_listeners",
    "retry_after_seconds",
]
