"""How fast each sender may send, so that Twilio's own queue stays short.

What waits at Twilio can be overtaken, expired, superseded or cancelled no more (contract, section 10). Only
senders that the operator names are paced. Decisions are values; nothing here waits or looks at a clock.
"""

from __future__ import annotations

from twilio_notifications.core.pace.buckets import FULL, MOST_SEGMENTS, Bucket, after_restart, charge, room_at
from twilio_notifications.core.pace.rates import FASTEST, SLOWEST, Rate
from twilio_notifications.core.pace.senders import (
    NO_PACES,
    PacedSender,
    SenderRates,
    amount,
    rate_of,
    sender_of,
    usual_segments_per_second,
)

__all__ = [
    "FASTEST",
    "FULL",
    "MOST_SEGMENTS",
    "NO_PACES",
    "SLOWEST",
    "Bucket",
    "PacedSender",
    "Rate",
    "SenderRates",
    "after_restart",
    "amount",
    "charge",
    "rate_of",
    "room_at",
    "sender_of",
    "usual_segments_per_second",
]
