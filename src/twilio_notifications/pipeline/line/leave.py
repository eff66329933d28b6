"""When Twilio may be asked what became of messages: within one budget, in the order of asking."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.delivery import Budget
from twilio_notifications.ports.events import DeliveriesReadable, DeliveriesUnreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.core.model import Unreadable
    from twilio_notifications.ports import Clock
    from twilio_notifications.ports.events import Events, LookedAt

YIELD_SECONDS: Final = 1.0
"""Between two looks whether sending leaves room, while it does not."""
MOST_YIELDS: Final = 5
"""So often sending goes first, and then one look is made all the same: Twilio may slow sending down for
hours, and deliveries are to be followed meanwhile."""

FIRST_PAUSE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 300.0
"""Pauses while Twilio does not answer, or refuses; each is twice the one before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pause:
    seconds: float
    until: float
    began_at: float


@dataclass(slots=True, kw_only=True)
class Leave:
    """The budget of all looks, and the pauses of each resource: one may be refused, and the other not.

    Those who look at deliveries and those who read what came in share it. Neither can use it up: the first
    that asks gets the next request.
    """

    per_minute: int
    is_free: Callable[[], bool]
    """Whether an attempt that came now would leave at once."""
    is_open: Callable[[], bool]
    """Whether attempts leave at all: Twilio has asked for no pause, and can be reached."""
    clock: Clock
    events: Events
    _budget: Budget = field(init=False)
    _turns: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    """Its waiters come in the order in which they asked."""
    _pauses: dict[LookedAt, _Pause] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._budget = Budget.of(self.per_minute, now=self.clock.now())

    async def take(self, *, yields: bool = True) -> None:
        """Returns when one request may be made; where it `yields`, attempts that wait go first a while."""
        for yielded in count():
            async with self._turns:
                await self._fill()
                if not yields or self.is_free() or (yielded >= MOST_YIELDS and self.is_open()):
                    self._budget = self._budget.spent()
                    return
            await self.clock.sleep(YIELD_SECONDS)

    async def _fill(self) -> None:
        """Returns when the budget has room for a request."""
        now = self.clock.now()
        self._budget = self._budget.filled(now=now)
        while (at := self._budget.may_ask_at()) > now:
            await self.clock.sleep(at - now)
            now = self.clock.now()
            self._budget = self._budget.filled(now=now)

    def opens_at(self, resource: LookedAt) -> float:
        """Until when that resource is not asked for, because Twilio did not give it."""
        pause = self._pauses.get(resource)
        return 0.0 if pause is None else pause.until

    def unreadable_for(self, resource: LookedAt) -> float:
        """For how many seconds Twilio has not given it in this run, though it was asked; 0.0: it gives it."""
        pause = self._pauses.get(resource)
        return 0.0 if pause is None else self.clock.now() - pause.began_at

    def unreadable(self, resource: LookedAt, why: Unreadable) -> None:
        """Twilio did not give it: it is not asked for again for a while. The log has the first time."""
        before = self._pauses.get(resource)
        if before is None:
            self.events.tell(DeliveriesUnreadable(resource=resource, error=why.detail))
        seconds = 0.0 if before is None else 2 * before.seconds
        seconds = min(LONGEST_PAUSE_SECONDS, max(FIRST_PAUSE_SECONDS, seconds))
        now = self.clock.now()
        self._pauses[resource] = _Pause(
            seconds=seconds,
            until=now + max(seconds, why.retry_after or 0.0),
            began_at=now if before is None else before.began_at,
        )

    def readable(self, resource: LookedAt) -> None:
        """Twilio gave it."""
        if self._pauses.pop(resource, None) is not None:
            self.events.tell(DeliveriesReadable(resource=resource))
