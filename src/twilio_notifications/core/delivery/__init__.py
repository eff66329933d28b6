"""What became of a text or a call after Twilio accepted it: states, results, looks, and what to report.

Everything is a function of values: the stage that follows deliveries asks here and carries the answer out.
Poll and callback give the same `Sighting`, so that one function decides about both.
"""

from __future__ import annotations

from twilio_notifications.core.delivery.endings import Certainty, DeliveryEnd, ending
from twilio_notifications.core.delivery.follow_ups import FollowUp, Who, follow_up
from twilio_notifications.core.delivery.following import (
    LAST_NOTIFICATION_LOOK,
    Following,
    next_look,
    next_notification_look,
)
from twilio_notifications.core.delivery.results import CallResult, result
from twilio_notifications.core.delivery.states import (
    RANKS,
    Delivery,
    Sighting,
    accepted,
    advance,
    contradicts,
    given_up,
    is_final,
    notifications_read,
)

__all__ = [
    "LAST_NOTIFICATION_LOOK",
    "RANKS",
    "CallResult",
    "Certainty",
    "Delivery",
    "DeliveryEnd",
    "FollowUp",
    "Following",
    "Sighting",
    "Who",
    "accepted",
    "advance",
    "contradicts",
    "ending",
    "follow_up",
    "given_up",
    "is_final",
    "next_look",
    "next_notification_look",
    "notifications_read",
    "result",
]
