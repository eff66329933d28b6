"""All that this program knows about Twilio's error codes: what each calls for, and what it means in words.

The table is split by family; a new code goes into the module of its family. `treatment_of` says what an
answer to a creation calls for, `explained` has the words for every code, known or not.
"""

from __future__ import annotations

from twilio_notifications.core.twilio_codes.lookup import (
    BY_CODE,
    CODES,
    FAMILIES,
    Family,
    about_a_voice_document,
    explained,
    sentence,
    treatment_of,
)
from twilio_notifications.core.twilio_codes.treatments import (
    ACCOUNT_WAITS,
    ADDRESS_WAITS,
    CREDENTIALS_WAIT,
    OPTED_OUT,
    REFUSE,
    SENDER_WAITS,
    SETTLE,
    Concern,
    Refuse,
    Settle,
    Treatment,
    TwilioCode,
    Wait,
)

__all__ = [
    "ACCOUNT_WAITS",
    "ADDRESS_WAITS",
    "BY_CODE",
    "CODES",
    "CREDENTIALS_WAIT",
    "FAMILIES",
    "OPTED_OUT",
    "REFUSE",
    "SENDER_WAITS",
    "SETTLE",
    "Concern",
    "Family",
    "Refuse",
    "Settle",
    "Treatment",
    "TwilioCode",
    "Wait",
    "about_a_voice_document",
    "explained",
    "sentence",
    "treatment_of",
]
