"""How many parts (segments) a text has, as Twilio counts and charges them."""

from __future__ import annotations

from twilio_notifications.core.segments.alphabet import GSM7, GSM7_ALL, GSM7_ESCAPED
from twilio_notifications.core.segments.clusters import clusters
from twilio_notifications.core.segments.counting import count_segments

__all__ = ["GSM7", "GSM7_ALL", "GSM7_ESCAPED", "clusters", "count_segments"]
