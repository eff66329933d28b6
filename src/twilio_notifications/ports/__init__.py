"""The ports: what the pipeline needs from the outside, and the values that cross them.

Adapters implement these; the pipeline and the core know nothing else of the outside. A port stays under a
dozen methods. Nothing here has behaviour, except that an event says what its line holds, so that a
conformance suite per port is the whole specification.
"""

from __future__ import annotations

from twilio_notifications.ports.around import (
    Clock,
    Copied,
    Pulse,
    SecretCopy,
    SecretSource,
    Supervisor,
)
from twilio_notifications.ports.events.event import Event, Events, Level
from twilio_notifications.ports.journal import (
    NO_CHARGES,
    Agenda,
    BrokenRow,
    Claimed,
    Doubt,
    Doubtful,
    Finish,
    Journal,
    Mark,
    NewRejection,
    NewRequest,
    Postpone,
    Recording,
    Recovery,
    Step,
)
from twilio_notifications.ports.outbox import Outbox, Unreported
from twilio_notifications.ports.transport import Inbound, Origin, Transport
from twilio_notifications.ports.twilio import Sender, Twilio

__all__ = [
    "NO_CHARGES",
    "Agenda",
    "BrokenRow",
    "Claimed",
    "Clock",
    "Copied",
    "Doubt",
    "Doubtful",
    "Event",
    "Events",
    "Finish",
    "Inbound",
    "Journal",
    "Level",
    "Mark",
    "NewRejection",
    "NewRequest",
    "Origin",
    "Outbox",
    "Postpone",
    "Pulse",
    "Recording",
    "Recovery",
    "SecretCopy",
    "SecretSource",
    "Sender",
    "Step",
    "Supervisor",
    "Transport",
    "Twilio",
    "Unreported",
]
