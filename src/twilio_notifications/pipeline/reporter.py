"""The outbox: publishes each status until the broker has acknowledged it, then notes that it did.

A status may be published twice, with the same bytes: after a crash, or when a connection ended between the
broker's acknowledgement and our noting it. It is never noted before it was acknowledged.
A status that the broker does not take holds up no other: it is shortened, or published after all others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import contract, suspicion
from twilio_notifications.core.errors import JournalError, NotAcknowledged
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports.events import (
    Defect,
    StatusAcknowledged,
    StatusesHeld,
    StatusesReported,
    StatusPublished,
    StatusRefused,
    StatusSetAside,
    StatusShortened,
    StatusTooLarge,
)

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock, Events, Outbox, Transport, Unreported

WINDOW = 256
"""Statuses that may be unacknowledged at once: enough to keep a broker busy, few enough to hold in memory."""

RETRY_SECONDS = 5.0
"""Pause after a status that the broker refused; a new connection ends it at once."""

MOST_REFUSED = 4 * WINDOW
"""Statuses that may be refused before no other is tried either. One side of a transport may refuse, or one
status be too large, and the others go on; a broker that refuses all is not asked for each of a million."""

MOST_SUSPECTS = 64
"""Suspects that are looked at to find one that may be published now."""

REMEMBERED_SECONDS = 7 * 86_400.0
"""How long the size over which a broker hung up is remembered: by then it may have another configuration."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """A status on its way to the broker, and the connection over which it went."""

    status: Unreported
    size: int
    connection: int


@dataclass(slots=True, kw_only=True)
class Reporter:
    """Publishes statuses on `topic`."""

    journal: Outbox
    transport: Transport
    clock: Clock
    events: Events
    topic: str
    _alarm: Alarm = field(init=False)
    _noting: Alarm = field(init=False)
    _outstanding: set[int] = field(init=False, default_factory=set)
    """Published, and not noted as acknowledged yet."""
    _on_their_way: dict[int, _Sent] = field(init=False, default_factory=dict)
    """Those of them that the broker has not answered."""
    _acknowledged: list[int] = field(init=False, default_factory=list)
    _position: int = field(init=False, default=0)
    _refused: set[int] = field(init=False, default_factory=set)
    _told: set[str] = field(init=False, default_factory=set)
    _told_aside: set[int] = field(init=False, default_factory=set)
    _blocked: bool = field(init=False, default=True)
    _connection: int = field(init=False, default=0)
    """How many there were: what an earlier one fails with says nothing of this one."""
    _judged: int = field(init=False, default=0)
    """The last connection whose end was held against what was on its way."""
    _fruitless: int = field(init=False, default=0)
    """Connections in a row that ended under statuses, none of which had been acknowledged."""
    _held_until: float = field(init=False, default=0.0)
    _points: dict[int, int] = field(init=False, default_factory=dict)
    _remarks: dict[int, str] = field(init=False, default_factory=dict)
    _largest: int | None = field(init=False, default=None)
    """Bytes that fit through the present connection, as far as the transport has said."""
    _too_large: int | None = field(init=False, default=None)
    _has_grown: bool = field(init=False, default=False)
    """`_too_large` is to be written down."""
    _not_before: dict[int, float] = field(init=False, default_factory=dict)
    """When a suspect may be published again."""
    _began_at: float = field(init=False, default=0.0)
    _retry_at: float | None = field(init=False, default=None)
    _is_closing: bool = field(init=False, default=False)
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
        self._largest = None
        self._connection += 1
        self._blocked = False
        seconds = suspicion.hold(self._fruitless)
        self._held_until = self.clock.now() + seconds
        if seconds:
            self.events.tell(StatusesHeld(seconds=seconds))
        self._begin_anew()

    def closing(self) -> None:
        """The connector ends the connection itself, which says nothing against what is on its way."""
        self._is_closing = True

    async def flushed(self) -> None:
        """Returns when no status waits any more: at once where there is none, broker or no broker.

        What the broker refuses is not waited for; it stays in the journal for the next start.
        """
        if await self.journal.unreported(after=0, limit=1) or await self.journal.suspects(limit=1):
            await self._flushed.wait()

    async def run(self) -> None:
        """Reports until cancelled."""
        self._began_at = self.clock.now()
        self._too_large = await self.journal.too_large(since=self._began_at - REMEMBERED_SECONDS)
        async with asyncio.TaskGroup() as loops:
            loops.create_task(self._publish_all(), name="twilio_notifications.reporter.publish")
            loops.create_task(self._note_all(), name="twilio_notifications.reporter.note")

    async def _publish_all(self) -> None:
        while True:
            if self._retry_at is not None and self.clock.now() >= self._retry_at:
                self._begin_anew()
            await self._write_down()
            if self.clock.now() < self._held_until:
                await self._alarm.wait(self._held_until)
            elif self._blocked or not await self._publish_some():
                await self._alarm.wait(self._retry_at)

    async def _write_down(self) -> None:
        """What the end of a connection taught, before the next one is used."""
        points, self._points = self._points, {}
        remarks, self._remarks = self._remarks, {}
        if points:
            await self.journal.suspect(points)
        for id_, remark in remarks.items():
            await self.journal.remark(id_, remark)
        if self._has_grown and self._too_large is not None:
            self._has_grown = False
            await self._remember(self._too_large)

    async def _remember(self, size: int) -> None:
        try:
            await self.journal.note_too_large(size, at=self.clock.now())
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - then it is only known in this run
            self.events.tell(Defect(name="journal_step_failed", error=error))

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
        if waiting or self._blocked:
            return bool(waiting)
        await self._publish_suspect()
        return False

    async def _publish_suspect(self) -> None:
        """One at a time, after all others, so that a connection that ends points at it."""
        connection = self._connection
        suspects = await self.journal.suspects(limit=MOST_SUSPECTS)
        if self._blocked or connection != self._connection:
            return
        now, due = self.clock.now(), None
        for status in suspects:
            if status.id in self._refused:
                continue
            if status.id in self._outstanding:
                return
            at = self._not_before.get(status.id, self._began_at + suspicion.pause(status.suspicion))
            if at <= now:
                self._publish(status)
                return
            due = at if due is None else min(due, at)
        if due is not None and (self._retry_at is None or due < self._retry_at):
            self._retry_at = due
        if not self._outstanding:
            self._flushed.set()

    def _publish(self, status: Unreported) -> None:
        """In full, or shortened to what is known to fit."""
        payload, limit = status.status, self._limit(len(status.status))
        if limit is not None and len(payload) > limit:
            shortened = contract.shortened(payload, limit=limit)
            if shortened is None:
                self._set_aside(status, f"the broker takes {limit} bytes, and it cannot be that short")
                return
            self._tell_shortened(status, len(shortened))
            payload = shortened
        self._send(status, payload)

    def _limit(self, size: int) -> int | None:
        limits = (self._largest, suspicion.fitting(size, too_large=self._too_large))
        return min((limit for limit in limits if limit is not None), default=None)

    def _send(self, status: Unreported, payload: bytes) -> None:
        self._outstanding.add(status.id)
        try:
            published = self.transport.publish(self.topic, payload, origin=status.origin)
        except Exception as error:  # noqa: BLE001 - a status that cannot be published must not stop the others
            published = asyncio.get_running_loop().create_future()
            published.set_exception(error)
        sent = _Sent(status, len(payload), self._connection)
        if not published.done():  # otherwise there was no connection, and so it never was on its way
            self._on_their_way[status.id] = sent
        published.add_done_callback(lambda done: self._answered(sent, done))
        self.events.tell(StatusPublished(status=sent.status))

    def _answered(self, sent: _Sent, published: asyncio.Future[None]) -> None:
        if published.cancelled():
            return
        error = published.exception()
        if isinstance(error, NotAcknowledged) and not error.refused:
            self._judge(sent.connection)
        id_ = sent.status.id
        if self._on_their_way.get(id_) is sent:
            del self._on_their_way[id_]
        if error is None:
            self.events.tell(StatusAcknowledged(status=sent.status))
            self._fruitless = 0
            self._acknowledged.append(id_)
            self._noting.ring()
            return
        self._outstanding.discard(id_)
        self._failed(sent, error)
        self._alarm.ring()

    def _failed(self, sent: _Sent, error: BaseException) -> None:
        if not isinstance(error, NotAcknowledged):
            self.events.tell(Defect(name="status_not_published", error=error))
            self._leave_alone(sent.status.id)
        elif error.largest is not None and error.largest < sent.size:
            self._largest = error.largest
            self._publish(sent.status)
        elif error.refused:
            self._refuse(sent.status.id, str(error))
        elif sent.connection == self._connection:
            self._blocked = True
        else:  # an earlier one has ended, as is known; over this one it has not been published yet
            self._position = 0

    def _judge(self, connection: int) -> None:
        """Holds the end of a connection against what was on its way, once."""
        if connection <= self._judged or self._is_closing:
            return
        self._judged = connection
        on_their_way = [sent for sent in self._on_their_way.values() if sent.connection == connection]
        so_far = {sent.status.id: sent.status.suspicion for sent in on_their_way}
        if so_far and min(so_far.values()) < suspicion.SUSPECT:
            self._fruitless += 1
        for id_, more in suspicion.points(so_far).items():
            self._points[id_] = self._points.get(id_, 0) + more
            if so_far[id_] + more >= suspicion.CONVICTED:
                self._convict(self._on_their_way[id_], so_far[id_] + more)

    def _convict(self, sent: _Sent, points: int) -> None:
        """Its size is the reason, or something else that only a person can find."""
        status = sent.status
        if suspicion.is_too_large(sent.size, points):
            self._too_large, self._has_grown = sent.size, True
            self._not_before[status.id] = self.clock.now()
            self.events.tell(StatusTooLarge(number=status.id, bytes=sent.size))
            return
        self._not_before[status.id] = self.clock.now() + suspicion.pause(points)
        self._told_aside.discard(status.id)
        self._tell_aside(status, "the connection ends when it is published")

    def _set_aside(self, status: Unreported, why: str) -> None:
        self._leave_alone(status.id)
        self._tell_aside(status, why)

    def _tell_aside(self, status: Unreported, why: str) -> None:
        if status.id in self._told_aside:
            return
        self._told_aside.add(status.id)
        size = len(status.status)
        self._remarks[status.id] = f"the status of {size} bytes is set aside: {why}"
        self.events.tell(StatusSetAside(number=status.id, bytes=size, error=why))
        self._alarm.ring()

    def _tell_shortened(self, status: Unreported, size: int) -> None:
        whole = len(status.status)
        self._remarks[status.id] = f"the status of {whole} bytes was published shortened to {size}"
        self.events.tell(StatusShortened(number=status.id, bytes=whole, published=size))
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
            self.events.tell(StatusRefused(topic=self.topic, error=error))

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
            for id_ in self._not_before.keys() & set(ids):
                del self._not_before[id_]
            self.events.tell(StatusesReported(ids=ids))
            self._alarm.ring()
