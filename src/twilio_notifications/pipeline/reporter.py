"""The outbox: publishes each status until the broker has acknowledged it, then notes that it did.

A status may be published twice, with the same bytes: after a crash, or when a connection ended between the
broker's acknowledgement and our noting it. It is never noted before it was acknowledged.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core.errors import NotAcknowledged
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports import Level, Milestone

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Journal, Milestones, Observer, Transport, Unreported

WINDOW = 256
"""Statuses that may be unacknowledged at once: enough to keep a broker busy, few enough to hold in memory."""

RETRY_SECONDS = 5.0
"""Pause after a status that the broker refused; a new connection ends it at once."""

MOST_REFUSED = 4 * WINDOW
"""So many may be refused before nothing else is tried either. One side of a transport may refuse, or one
status be too large, and the others go on; a broker that refuses all is not asked for each of a million."""


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Publishes statuses on `topic`."""

    journal: Journal
    transport: Transport
    clock: Clock
    observer: Observer
    milestones: Milestones
    topic: str
    _alarm: Alarm = field(init=False)
    _noting: Alarm = field(init=False)
    _outstanding: set[int] = field(init=False, default_factory=set)
    _acknowledged: list[int] = field(init=False, default_factory=list)
    _position: int = field(init=False, default=0)
    _refused: set[int] = field(init=False, default_factory=set)
    _told: set[str] = field(init=False, default_factory=set)
    _blocked: bool = field(init=False, default=True)
    _connection: int = field(init=False, default=0)
    """How many there were: what an earlier one fails with says nothing of this one."""
    _retry_at: float | None = field(init=False, default=None)
    _flushed: asyncio.Event = field(init=False)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)
        self._noting = Alarm(self.clock)
        self._flushed = asyncio.Event()

    def wake(self) -> None:
        """There may be a status."""
        self._flushed.clear()
        self._alarm.ring()

    def connected(self) -> None:
        """There is a new connection: what was not acknowledged on the last one is published again."""
        self._told.clear()
        self._connection += 1
        self._blocked = False
        self._begin_anew()

    async def flushed(self) -> None:
        """Returns when no status waits any more: at once where there is none, broker or no broker.

        What the broker refuses is not waited for; it stays in the journal for the next start.
        """
        if await self.journal.unreported(after=0, limit=1):
            await self._flushed.wait()

    async def run(self) -> None:
        """Reports until cancelled."""
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._publish_all(), name="twilio_notifications.reporter.publish")
            loops.create_task(self._note_all(), name="twilio_notifications.reporter.note")

    async def _publish_all(self) -> None:
        while True:
            if self._retry_at is not None and self.clock.now() >= self._retry_at:
                self._begin_anew()
            if self._blocked or not await self._publish_some():
                await self._alarm.wait(self._retry_at)

    async def _publish_some(self) -> bool:
        """Whether there may be more at once."""
        free = min(WINDOW - len(self._outstanding), MOST_REFUSED - len(self._refused))
        if free <= 0:
            return False
        after = self._position
        waiting = await self.journal.unreported(after=after, limit=free)
        if self._position != after:
            return True  # a connection ended and another began meanwhile: from the start again
        for status in waiting:
            # Nothing is awaited in this loop, so a connection that ends cannot end between two of them.
            if self._blocked:
                return False
            self._position = status.position
            if status.id not in self._outstanding:
                self._publish(status)
        if not waiting and not self._outstanding and not self._blocked:
            self._flushed.set()
        return bool(waiting)

    def _publish(self, status: Unreported) -> None:
        self._outstanding.add(status.id)
        try:
            published = self.transport.publish(self.topic, status.status, origin=status.origin)
        except Exception as error:  # noqa: BLE001 - a status that cannot be published must not stop the others
            published = asyncio.get_running_loop().create_future()
            published.set_exception(error)
        connection = self._connection
        published.add_done_callback(lambda done: self._answered(status.id, done, connection=connection))
        self.milestones.passed(Milestone.STATUS_PUBLISHED)

    def _answered(self, id_: int, published: asyncio.Future[None], *, connection: int) -> None:
        if published.cancelled():
            return
        error = published.exception()
        if error is None:
            self.milestones.passed(Milestone.STATUS_ACKNOWLEDGED)
            self._acknowledged.append(id_)
            self._noting.ring()
            return
        self._outstanding.discard(id_)
        if not isinstance(error, NotAcknowledged):
            self.observer.defect("status_not_published", error)
            self._leave_alone(id_)
        elif error.refused:
            self._refuse(id_, str(error))
        elif connection == self._connection:
            self._blocked = True
        else:  # an earlier one has ended, as is known; over this one it has not been published yet
            self._position = 0
        self._alarm.ring()

    def _leave_alone(self, id_: int) -> None:
        """For a while."""
        self._refused.add(id_)
        if self._retry_at is None:
            self._retry_at = self.clock.now() + RETRY_SECONDS

    def _refuse(self, id_: int, error: str) -> None:
        """Told once for each reason and connection."""
        self._leave_alone(id_)
        if error not in self._told:
            self._told.add(error)
            self.observer.event("status_refused", level=Level.ERROR, topic=self.topic, error=error)

    def _begin_anew(self) -> None:
        """All that is not acknowledged is published again, what was refused too."""
        self._refused.clear()
        self._retry_at = None
        self._position = 0
        self.wake()

    async def _note_all(self) -> None:
        while True:
            await self._noting.wait()
            ids, self._acknowledged = self._acknowledged, []
            await self.journal.report(ids, at=self.clock.now())
            self._outstanding.difference_update(ids)
            self.milestones.passed(Milestone.STATUS_REPORTED)
            self._alarm.ring()
