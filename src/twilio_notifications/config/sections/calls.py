"""[calls]: how calls are made."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from twilio_notifications.config.keys import Section, key, keys_of
from twilio_notifications.config.kinds import Choice, Seconds


class MachineDetection(StrEnum):
    """Whether Twilio finds out if a person or a machine takes a call."""

    OFF = "off"
    DETECT = "detect"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSettings:
    """How calls are made."""

    machine_detection: MachineDetection = key(
        Choice(words=MachineDetection),
        """"detect" has Twilio listen whether a person or a machine takes the call, so that a call to a
        voicemail counts as NotReached. Twilio bills it, and is right in 85 to 94 of 100 calls. It listens
        while the voice document plays already, so that no person waits in silence. "off" leaves it out: such
        a call has the result "unknown", unless a key was pressed.""",
        default="off",
    )
    ring_seconds: float = key(
        Seconds(maximum=600),
        """How long Twilio lets a telephone ring before the call counts as not answered. Rounded up to whole
        seconds; Twilio may add five. About 15 seconds end before most voicemails answer.""",
        default=60,
    )
    time_limit_seconds: float = key(
        Seconds(maximum=86_400),
        """After how long Twilio ends a call, whatever its document does: ten minutes. Rounded up to whole
        seconds. Without a limit a call whose document waits, or forwards it, could go on for four hours.""",
        default=600,
    )


CALLS = Section(name="calls", text="How calls are made.", keys=keys_of(CallSettings))
