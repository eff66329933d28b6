"""Lets a limited number of lines of one kind into the log in each period, and counts the others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock


@dataclass(slots=True, kw_only=True)
class Limiter:
    """Admits `most` lines in each period; a period begins with its first line."""

    clock: Clock
    most: int
    period_seconds: float = 60.0
    _ends_at: float = field(init=False, default=0.0)
    _let_in: int = field(init=False, default=0)
    _left_out: int = field(init=False, default=0)

    def admits(self) -> bool:
        """Whether one more line may be written now; a line that may not is counted."""
        now = self.clock.now()
        if now >= self._ends_at:
            self._ends_at, self._let_in = now + self.period_seconds, 0
        if self._let_in < self.most:
            self._let_in += 1
            return True
        self._left_out += 1
        return False

    def count_due_at(self) -> float | None:
        """The instant for writing the number of lines that were left out; None: no line was left out."""
        return self._ends_at if self._left_out else None

    def take_count(self) -> int:
        """The number of lines that were left out since the last call."""
        left_out, self._left_out = self._left_out, 0
        return left_out
