"""The ports: what the pipeline needs from the outside, and the values that cross them.

Adapters implement these; the pipeline and the core know nothing else of the outside. A port stays under a
dozen methods. Nothing here has behaviour, so that a conformance suite per port is the whole specification.
"""

from __future__ import annotations

from twilio_notifications.ports.around import (
    Clock,
    Copied,
    Level,
    Milestone,
    Milestones,
    Observer,
    Pulse,
    SecretCopy,
    SecretSource,
    Supervisor,
)
from twilio_notifications.ports.journal import (
    NO_CHARGES,
    Agenda,
    Arrival,
    Arrivals,
    BrokenRow,
    Care,
    Doubts,
    Journal,
    Mark,
    NewRejection,
    NewRequest,
    Opening,
    Outbox,
    Recorded,
    Recording,
    Recordings,
    Recovery,
    Taken,
    Unreported,
    Usage,
    Work,
)
from twilio_notifications.ports.transport import Inbound, Origin, Transport
from twilio_notifications.ports.twilio import Sender, Twilio

__all__ = [
    "NO_CHARGES",
    "Agenda",
    "Arrival",
    "Arrivals",
    "BrokenRow",
    "Care",
    "Clock",
    "Copied",
    "Doubts",
    "Inbound",
    "Journal",
    "Level",
    "Mark",
    "Milestone",
    "Milestones",
    "NewRejection",
    "NewRequest",
    "Observer",
    "Opening",
    "Origin",
    "Outbox",
    "Pulse",
    "Recorded",
    "Recording",
    "Recordings",
    "Recovery",
    "SecretCopy",
    "SecretSource",
    "Sender",
    "Supervisor",
    "Taken",
    "Transport",
    "Twilio",
    "Unreported",
    "Usage",
    "Work",
]
