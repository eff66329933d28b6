"""Twilio's REST API over HTTP: what is asked, how much of an answer is read, and what an answer says."""

from __future__ import annotations

from twilio_notifications.adapters.twilio.answers import DateReader, retry_after_seconds
from twilio_notifications.adapters.twilio.api import PAGE_SIZE, TwilioSender

__all__ = ["PAGE_SIZE", "DateReader", "TwilioSender", "retry_after_seconds"]
