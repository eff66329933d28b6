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
from twilio_notifications.ports.callbacks import Callback, CallbackTaker
from twilio_notifications.ports.events.event import Event, Events, Level
from twilio_notifications.ports.journal import (
    NO_CHARGES,
    Agenda,
    Arrival,
    Arrivals,
    BrokenRow,
    Care,
    Changed,
    Deliveries,
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
from twilio_notifications.ports.twilio import DeliveryReceipts, Sender, Twilio

__all__ = [
    "NO_CHARGES",
    "Agenda",
    "Arrival",
    "Arrivals",
    "BrokenRow",
    "Callback",
    "CallbackTaker",
    "Care",
    "Changed",
    "Clock",
    "Copied",
    "Deliveries",
    "DeliveryReceipts",
    "Doubts",
    "Event",
    "Events",
    "Inbound",
    "Journal",
    "Level",
    "Mark",
    "NewRejection",
    "NewRequest",
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
