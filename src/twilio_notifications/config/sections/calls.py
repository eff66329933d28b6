"""[calls]: how calls are made."""

from __future__ import annotations

from dataclasses import dataclass

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How calls are made."""

    time_limit_seconds: float = key(
        Seconds(maximum=86_400),
        """After how long Twilio ends a call, whatever its document does: ten minutes. Rounded up to whole
        seconds. Without a limit a call whose document waits, or forwards it, could go on for four hours.""",
        default=600,
    )


CALLS = Section(name="calls", text="How calls are made.", keys=keys_of(CallSettings))
