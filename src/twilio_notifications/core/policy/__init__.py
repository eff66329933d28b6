"""Whether a request may be attempted now: its life, the pace Twilio allows, the limits the operator sets.

Decisions are values; nothing here waits, looks at a clock or draws a random number.
"""

from __future__ import annotations

from twilio_notifications.core.policy.departures import (
    Allowance,
    Head,
    departing,
    departs_at,
    expected_departures,
    left,
    next_departure,
)
from twilio_notifications.core.policy.lifetime import expired
from twilio_notifications.core.policy.limits import (
    LONGEST_PERIOD_SECONDS,
    Destinations,
    Exceeding,
    Limits,
    Period,
    Quota,
    Unit,
    bounds,
    charges,
    forbidden_number,
    permits,
    present_charge,
    scope_of,
    scopes,
)
from twilio_notifications.core.policy.pace import (
    Pace,
    after_answer,
    after_deferral,
    closed_still,
    credentials_renewed,
    online,
    opens_at,
    paused,
    resized,
    room,
    sender_stalled,
    setback,
)
from twilio_notifications.core.policy.places import ROUND, interleaved, next_class, place_after, reserved
from twilio_notifications.core.policy.rules import ADMITTED, RULES, admit
from twilio_notifications.core.policy.situation import Situation, fingerprint
from twilio_notifications.core.policy.tally import NOTHING_USED, Charge, Tally
from twilio_notifications.core.policy.verdicts import Admit, Decline, Defer, Verdict
from twilio_notifications.core.policy.voice_locations import is_prefix

__all__ = [
    "ADMITTED",
    "LONGEST_PERIOD_SECONDS",
    "NOTHING_USED",
    "ROUND",
    "RULES",
    "Admit",
    "Allowance",
    "Charge",
    "Decline",
    "Defer",
    "Destinations",
    "Exceeding",
    "Head",
    "Limits",
    "Pace",
    "Period",
    "Quota",
    "Situation",
    "Tally",
    "Unit",
    "Verdict",
    "admit",
    "after_answer",
    "after_deferral",
    "bounds",
    "charges",
    "closed_still",
    "credentials_renewed",
    "departing",
    "departs_at",
    "expected_departures",
    "expired",
    "fingerprint",
    "forbidden_number",
    "interleaved",
    "is_prefix",
    "left",
    "next_class",
    "next_departure",
    "online",
    "opens_at",
    "paused",
    "permits",
    "place_after",
    "present_charge",
    "reserved",
    "resized",
    "room",
    "scope_of",
    "scopes",
    "sender_stalled",
    "setback",
]
