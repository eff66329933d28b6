"""What the rules look at besides the request: one value for all requests of one look at the journal."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.quiet_hours import QuietHours

if TYPE_CHECKING:
    from twilio_notifications.core.policy.limits import Limits
    from twilio_notifications.core.policy.pace import Pace
    from twilio_notifications.core.policy.tally import Tally

_DIGEST_BYTES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The instant, what Twilio allows, and what the operator allows."""

    now: float
    pace: Pace
    limits: Limits
    tally: Tally
    """What was used of the operator's limits so far."""
    credential_wait_seconds: float
    """Seconds that a request waits for a login that Twilio takes."""
    quiet_hours: QuietHours = field(default_factory=QuietHours)


def fingerprint(limits: Limits, quiet_hours: QuietHours) -> str:
    """The same for equal rules, in each run of the program; another one for others."""
    windows = [(None, quiet_hours.windows), *sorted(quiet_hours.by_phone_number.items())]
    written = [(number, [str(window) for window in those]) for number, those in windows]
    rules = repr((limits, quiet_hours.then, written))
    return hashlib.blake2b(rules.encode("utf-8", "surrogatepass"), digest_size=_DIGEST_BYTES).hexdigest()
