"""What became of a text or a call after Twilio accepted it: states, results, looks, and what to report.

Everything is a function of values: the stage that follows deliveries asks here and carries the answer out.
Poll and callback give the same `Sighting`, so that one function decides about both.
"""

from __future__ import annotations

from twilio_notifications.core.delivery.budget import Budget
from twilio_notifications.core.delivery.callback_keys import (
    AttemptName,
    CallbackUrls,
    callback_url,
    named_attempt,
)
from twilio_notifications.core.delivery.endings import NO_RECEIPT, Certainty, DeliveryEnd, ending, result_word
from twilio_notifications.core.delivery.follow_ups import FollowUp, Who, follow_up
from twilio_notifications.core.delivery.followed import (
    Change,
    Followed,
    FollowUpStatus,
    Happened,
    Happening,
    LearnedFrom,
)
from twilio_notifications.core.delivery.following import (
    LAST_NOTIFICATION_LOOK,
    Following,
    next_look,
    next_notification_look,
)
from twilio_notifications.core.delivery.paging import PAGE_PRICE, Covered
from twilio_notifications.core.delivery.receipts import DeliveryReceipt, NoReceipt, Notices, ReceiptPage
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
from twilio_notifications.core.delivery.tracking import Tracking, first_word

__all__ = [
    "LAST_NOTIFICATION_LOOK",
    "NO_RECEIPT",
    "PAGE_PRICE",
    "RANKS",
    "AttemptName",
    "Budget",
    "CallResult",
    "CallbackUrls",
    "Certainty",
    "Change",
    "Covered",
    "Delivery",
    "DeliveryEnd",
    "DeliveryReceipt",
    "FollowUp",
    "FollowUpStatus",
    "Followed",
    "Following",
    "Happened",
    "Happening",
    "LearnedFrom",
    "NoReceipt",
    "Notices",
    "ReceiptPage",
    "Sighting",
    "Tracking",
    "Who",
    "accepted",
    "advance",
    "callback_url",
    "contradicts",
    "ending",
    "first_word",
    "follow_up",
    "given_up",
    "is_final",
    "named_attempt",
    "next_look",
    "next_notification_look",
    "notifications_read",
    "result",
    "result_word",
]
