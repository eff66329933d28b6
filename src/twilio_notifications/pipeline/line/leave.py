"""When the tracker may ask Twilio: within its budget, and only while sending leaves room."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.delivery import Budget
from twilio_notifications.ports.events import DeliveriesReadable, DeliveriesUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.model import Unreadable
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.events import Events

YIELD_SECONDS: Final = 1.0
"""Between two looks whether sending leaves room, while it does not."""

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
"""Pauses while Twilio does not answer, or refuses; each is twice the one before."""


@dataclass(slots=True, kw_only=True)
class Leave:
    """The budget of all looks."""

    per_minute: int
    is_free: Callable[[], bool]
    """Whether an attempt that came now would leave at once."""
    clock: Clock
    events: Events
    _budget: Budget = field(init=False)
    _paused_until: float = field(init=False, default=0.0)
    _pause: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._budget = Budget.of(self.per_minute, now=self.clock.now())

    async def take(self) -> None:
        """Returns when one request may be made."""
        while True:
            now = self.clock.now()
            self._budget = self._budget.filled(now=now)
            at = max(self._budget.may_ask_at(), self._paused_until)
            if at > now:
                await self.clock.sleep(at - now)
            elif not self.is_free():
                await self.clock.sleep(YIELD_SECONDS)
            else:
                self._budget = self._budget.spent()
                return

    def unreadable(self, why: Unreadable) -> None:
        """Twilio did not answer, or refused: pauses, and tells of the first time."""
        if not self._pause:
            self.events.tell(DeliveriesUnreadable(error=why.detail))
        self._pause = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, 2 * self._pause))
        self._paused_until = self.clock.now() + max(self._pause, why.retry_after or 0.0)

    def readable(self) -> None:
        """Twilio has answered."""
        if self._pause:
            self._pause = 0.0
            self.events.tell(DeliveriesReadable())
