"""Twilio's REST API over HTTP: makes requests, and reads answers within bounds."""

from __future__ import annotations

from twilio_notifications.adapters.twilio.answers import DateReader, retry_after_seconds
from twilio_notifications.adapters.twilio.api import PAGE_SIZE, TwilioSender

__all__ = ["PAGE_SIZE", "DateReader", "TwilioSender", "retry_after_seconds"]
