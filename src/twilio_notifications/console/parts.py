"""What the pages are made of: the ports they use, the settings, and the time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.config import ConsoleFileSettings
    from twilio_notifications.config.in_force import InForce
    from twilio_notifications.core.policy import Limits
    from twilio_notifications.ports import Events
    from twilio_notifications.ports.journal.orders import OrderDesk
    from twilio_notifications.ports.journal.reader import JournalReader
    from twilio_notifications.ports.visiting import Visitor


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """The outside of the console."""

    settings: ConsoleFileSettings
    reader: JournalReader
    desk: OrderDesk
    visitor: Callable[[Callable[[str, bytes], None]], Visitor | None]
    """Makes the client of the broker, which calls back with topic and payload; None without a broker."""
    in_force: Callable[[], InForce]
    """Reads the configuration."""
    limits: Callable[[], Limits]
    """The limits of the configuration; the empty value where it is wrong."""
    events: Events
    now: Callable[[], float]
    """The wall clock."""
    random_bytes: Callable[[int], bytes]
    version: str
