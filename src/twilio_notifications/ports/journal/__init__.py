"""The memory of the connector: one narrow port for each part of the program that needs some of it.

An adapter implements all of them in one class. What uses one of them is typed against it; what uses several,
and bootstrap and tests, name the whole (`Journal`).
"""

from __future__ import annotations

from typing import Protocol

from twilio_notifications.ports.journal.arrivals import (
    Arrival,
    Arrivals,
    Mark,
    NewRejection,
    NewRequest,
    NewWish,
    Opening,
    Recorded,
    Recording,
    Recordings,
)
from twilio_notifications.ports.journal.care import BrokenRow, Care, Recovery
from twilio_notifications.ports.journal.chains import (
    Chains,
    Ended,
    Hangup,
    KnownReply,
    NewStep,
    Notified,
    Unsuccessful,
    WishName,
    WishProgress,
)
from twilio_notifications.ports.journal.deliveries import Changed, Deliveries
from twilio_notifications.ports.journal.doubts import Doubts, Evidence
from twilio_notifications.ports.journal.facts import Facts
from twilio_notifications.ports.journal.membership import Beat, LiveMember, Members
from twilio_notifications.ports.journal.orders import (
    AcknowledgeOrder,
    CancelOrder,
    CarriedOut,
    Order,
    OrderDesk,
    OrderName,
    OrderResult,
    Orders,
    PauseOrder,
    PlacedOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
    Selected,
    Selection,
)
from twilio_notifications.ports.journal.outbox import Outbox, Unreported
from twilio_notifications.ports.journal.usage import Usage
from twilio_notifications.ports.journal.waits import Pause, Waits
from twilio_notifications.ports.journal.work import NO_CHARGES, Agenda, Taken, Work

__all__ = [
    "NO_CHARGES",
    "AcknowledgeOrder",
    "Agenda",
    "Arrival",
    "Arrivals",
    "Beat",
    "BrokenRow",
    "CancelOrder",
    "Care",
    "CarriedOut",
    "Chains",
    "Changed",
    "Deliveries",
    "Doubts",
    "Ended",
    "Evidence",
    "Facts",
    "Hangup",
    "Journal",
    "KnownReply",
    "LiveMember",
    "Mark",
    "Members",
    "NewRejection",
    "NewRequest",
    "NewStep",
    "NewWish",
    "Notified",
    "Opening",
    "Order",
    "OrderDesk",
    "OrderName",
    "OrderResult",
    "Orders",
    "Outbox",
    "Pause",
    "PauseOrder",
    "PlacedOrder",
    "Recorded",
    "Recording",
    "Recordings",
    "Recovery",
    "ResendOrder",
    "ResolveOrder",
    "ResumeOrder",
    "Selected",
    "Selection",
    "Taken",
    "Unreported",
    "Unsuccessful",
    "Usage",
    "Waits",
    "WishName",
    "WishProgress",
    "Work",
]


class Journal(
    Arrivals,
    Work,
    Doubts,
    Usage,
    Outbox,
    Deliveries,
    Chains,
    Orders,
    Waits,
    Facts,
    Care,
    Members,
    Protocol,
):
    """Everything; a call that changes something is done when its change is on disk."""
