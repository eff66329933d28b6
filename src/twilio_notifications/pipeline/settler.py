"""Brings attempts in doubt to an end. Doubt is named, never guessed away, and never sent again by itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import Reason
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports import Level, Milestone

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Clock, Doubtful, Journal, Milestones, Observer

BATCH = 50


@dataclass(slots=True, kw_only=True)
class Settler:
    journal: Journal
    clock: Clock
    observer: Observer
    milestones: Milestones
    statuses: StatusWriter
    on_status: Callable[[], None]
    _alarm: Alarm = field(init=False)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)

    def wake(self) -> None:
        """There may be an attempt in doubt."""
        self._alarm.ring()

    async def run(self) -> None:
        """Settles until cancelled."""
        while True:
            for doubtful in await self.journal.doubtful(now=self.clock.now(), limit=BATCH):
                await self._settle(doubtful)
            agenda = await self.journal.agenda()
            await self._alarm.wait(agenda.next_settlement)

    async def _settle(self, doubtful: Doubtful) -> None:
        request = doubtful.request
        step = self.statuses.failed(
            request,
            Reason.OUTCOME_UNKNOWN,
            "Twilio may or may not have carried out this request; it is not sent again",
            at=self.clock.now(),
            counted=True,
        )
        await self.journal.apply(step)
        self.milestones.passed(Milestone.SETTLED)
        self.observer.event("outcome_unknown", level=Level.WARNING, notification_id=request.id)
        self.on_status()
