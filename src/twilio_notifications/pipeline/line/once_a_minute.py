"""Keeps one kind of line of the log to one in a minute, however often a client brings it about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock

_SECONDS_BETWEEN_LINES = 60.0


@dataclass(slots=True, kw_only=True)
class OnceAMinute:
    """Counts what happens, and says when there is to be a line about it."""

    clock: Clock
    _count: int = field(init=False, default=0)
    """What no line has counted yet."""
    _next_at: float = field(init=False, default=0.0)

    def count(self) -> int | None:
        """It has happened: how often since the last line, or None where that was less than a minute ago."""
        self._count += 1
        now = self.clock.now()
        if now < self._next_at:
            return None
        count, self._count, self._next_at = self._count, 0, now + _SECONDS_BETWEEN_LINES
        return count
