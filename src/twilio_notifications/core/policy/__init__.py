"""Whether a request may be attempted now: its life, the pace Twilio allows, the limits the operator sets.

Decisions are values; nothing here waits, looks at a clock or draws a random number.
"""

from __future__ import annotations

from twilio_notifications.core.policy.admission import Waiting, admit, expired, waited_for_credentials
from twilio_notifications.core.policy.limits import (
    LONGEST_PERIOD_SECONDS,
    Charge,
    Destinations,
    Exceeding,
    Limits,
    Period,
    Quota,
    Tally,
    Unit,
    charges,
    forbidden_number,
    judge,
    permits,
    scopes,
    standing,
)
from twilio_notifications.core.policy.pace import (
    Pace,
    after_answer,
    after_deferral,
    credentials_renewed,
    online,
    opens_at,
    room,
    setback,
)
from twilio_notifications.core.policy.places import ROUND, interleaved, reserved
from twilio_notifications.core.policy.verdicts import Admit, Decline, Defer, Verdict
from twilio_notifications.core.policy.voice_locations import is_prefix

__all__ = [
    "LONGEST_PERIOD_SECONDS",
    "ROUND",
    "Admit",
    "Charge",
    "Decline",
    "Defer",
    "Destinations",
    "Exceeding",
    "Limits",
    "Pace",
    "Period",
    "Quota",
    "Tally",
    "Unit",
    "Verdict",
    "Waiting",
    "admit",
    "after_answer",
    "after_deferral",
    "charges",
    "credentials_renewed",
    "expired",
    "forbidden_number",
    "interleaved",
    "is_prefix",
    "judge",
    "online",
    "opens_at",
    "permits",
    "reserved",
    "room",
    "scopes",
    "setback",
    "standing",
    "waited_for_credentials",
]
