"""How a command shows what it has read."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.reading.times import Calendar


class OutputForm(Enum):
    """Lines for people, an object of JSON a line, or CSV."""

    LINES = "lines"
    JSON = "json"
    CSV = "csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Display:
    """What the options of a command say of its output."""

    form: OutputForm
    calendar: Calendar
    reveal: bool = False
    """Whole numbers, names and texts."""
