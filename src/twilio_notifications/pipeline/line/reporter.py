"""The outbox: publishes each status until the broker has acknowledged it, then notes that it did.

A status that was written just now goes out from memory; the journal is read where there are older ones.

A status may be published twice, with the same bytes: after a crash, or when a connection ended between the
broker's acknowledgement and our noting it. It is never noted before it was acknowledged.
A status that the broker does not take holds up no other: it is shortened, or published after all others.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications.core import contract, suspicion
from twilio_notifications.core.errors import JournalError, NotAcknowledged, NotLeading
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line import reporting_limits as most
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
    from collections.abc import Sequence

    from twilio_notifications.ports import Clock, Transport
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Outbox, Unreported


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
    _caught_up: bool = field(init=False, default=False)
    """Each status up to `_position` was published: the next one need not be read from the journal."""
    _outstanding: set[int] = field(init=False, default_factory=set)
    """Published, and not noted as acknowledged yet."""
    _noted: set[int] = field(init=False, default_factory=set)
    """Noted since the journal was last read: what it has read may be older."""
    _on_their_way: dict[int, _Sent] = field(init=False, default_factory=dict)
    """Those of them that the broker has not answered."""
    _acknowledged: list[int] = field(init=False, default_factory=list)
    _position: int = field(init=False, default=0)
    _refused: set[int] = field(init=False, default_factory=set)
    _told: set[str] = field(init=False, default_factory=set)
    _told_aside: set[int] = field(init=False, default_factory=set)
    _blocked: bool = field(init=False, default=True)
    _connection: int = field(init=False, default=0)
    """The number of the connection: an error of an earlier one says nothing of this one."""
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
    _to_remember: int | None = field(init=False, default=None)
    """A size over which the broker hung up, and which the journal does not have yet."""
    _not_before: dict[int, float] = field(init=False, default_factory=dict)
    """When a suspect may be published again."""
    _began_at: float = field(init=False, default=0.0)
    _retry_at: float | None = field(init=False, default=None)
    _is_closing: bool = field(init=False, default=False)
    _is_flushing: bool = field(init=False, default=False)
    _flushed: asyncio.Event = field(init=False)
    _error: BaseException | None = field(init=False, default=None)
    """The error by which the journal is lost."""

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)
        self._flushed = asyncio.Event()

    def publish(self, written: Sequence[Unreported]) -> None:
        """These statuses are in the outbox now, by position."""
        if not written:
            return
        self._flushed.clear()
        for status in written:
            if status.position in self._outstanding or status.position in self._refused:
                continue  # a look into the journal has found it already
            if not self._caught_up or self._blocked or self._free() <= 0:
                # The journal is read from here on, when there is a connection and room again. Statuses
                # of one transaction may come out of their order, so "here" may be an earlier position.
                self._position = min(self._position, status.position - 1)
                self._caught_up = False
                self._alarm.ring()
                return
            self._position = max(self._position, status.position)
            self._publish(status)

    def follow_up(self, written: Sequence[Unreported]) -> None:
        """The same where another connector may just have written earlier statuses of their requests."""
        if written:
            self._flushed.clear()
            self.look()

    def _free(self) -> int:
        return min(most.WINDOW - len(self._on_their_way), most.MOST_REFUSED - len(self._refused))

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

    def look(self) -> None:
        """Another connector may have put statuses into the outbox, also below positions that were read."""
        if not self._blocked:
            self._position = 0
            self._caught_up = False
            self._alarm.ring()

    def closing(self) -> None:
        """The connector ends the connection itself, which says nothing against what is on its way."""
        self._is_closing = True

    async def flushed(self) -> None:
        """Returns when no status waits any more: at once where there is none, broker or no broker.

        What the broker refuses is not waited for; it stays in the journal for the next start.
        """
        if await self.journal.unreported(after=0, limit=1) or await self.journal.suspects(limit=1):
            self._is_flushing = True
            self._alarm.ring()
            await self._flushed.wait()
            await self.journal.flush()

    async def run(self) -> None:
        """Reports until cancelled. Raises what ends the journal."""
        self._began_at, self._is_closing = self.clock.now(), False
        self._too_large = await self.journal.too_large(since=self._began_at - most.REMEMBERED_SECONDS)
        while True:
            if self._error is not None:
                raise self._error
            if self._retry_at is not None and self.clock.now() >= self._retry_at:
                self._begin_anew()
            await self._write_down()
            if self.clock.now() < self._held_until:
                await self._alarm.wait(self._held_until)
            elif self._blocked or not await self._publish_some():
                await self._alarm.wait(self._retry_at)

    async def _write_down(self) -> None:
        """Notes what the end of a connection has shown, before the next connection is used."""
        points, self._points = self._points, {}
        remarks, self._remarks = self._remarks, {}
        size, self._to_remember = self._to_remember, None
        if points:
            await self.journal.suspect(points)
        for position, remark in remarks.items():
            await self.journal.remark(position, remark)
        if size is not None:
            await self._remember(size)

    async def _remember(self, size: int) -> None:
        try:
            await self.journal.note_too_large(size, at=self.clock.now())
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - then it is only known in this run
            self.events.tell(Defect(name="journal_step_failed", error=error))

    async def _publish_some(self) -> bool:
        """Whether there may be more to publish at once."""
        free = self._free()
        if free <= 0:
            return False
        after = self._position
        self._noted.clear()
        waiting = await self.journal.unreported(after=after, limit=free)
        if self._position != after:
            return True  # a connection ended and another began meanwhile: from the start again
        for status in waiting:
            # Nothing is awaited in this loop, so a connection that ends cannot end between two of them.
            if self._blocked:
                return False
            self._position = status.position
            if not any(status.position in known for known in (self._outstanding, self._noted, self._refused)):
                self._publish(status)
        if waiting or self._blocked:
            return bool(waiting)
        self._caught_up = True
        await self._publish_suspect()
        return False

    async def _publish_suspect(self) -> None:
        """One at a time, after all others, so that a connection that ends points at it."""
        connection = self._connection
        suspects = await self.journal.suspects(limit=most.MOST_SUSPECTS)
        if self._blocked or connection != self._connection:
            return
        now, due = self.clock.now(), None
        for status in suspects:
            if status.position in self._refused:
                continue
            if status.position in self._on_their_way:
                return
            if status.position in self._outstanding:
                continue  # acknowledged, as the journal will know soon
            at = self._not_before.get(status.position, self._began_at + suspicion.pause(status.suspicion))
            if at <= now:
                self._publish(status)
                return
            due = at if due is None else min(due, at)
        if due is not None and (self._retry_at is None or due < self._retry_at):
            self._retry_at = due
        if not self._on_their_way:
            self._flushed.set()

    def _publish(self, status: Unreported) -> None:
        """Publishes the status in full, or shortened to what is known to fit."""
        payload, limit = status.status, self._limit(len(status.status))
        if limit is not None and len(payload) > limit:
            shortened = contract.shortened(payload, limit=limit)
            if shortened is None:
                self._leave_alone(status.position)
                self._tell_aside(status, f"the broker takes {limit} bytes, and it cannot be that short")
                return
            self._tell_shortened(status, len(shortened))
            payload = shortened
        self._send(status, payload)

    def _limit(self, size: int) -> int | None:
        if self._largest is None and self._too_large is None:
            return None
        limits = (self._largest, suspicion.fitting(size, too_large=self._too_large))
        return min((limit for limit in limits if limit is not None), default=None)

    def _send(self, status: Unreported, payload: bytes) -> None:
        self._outstanding.add(status.position)
        try:
            published = self.transport.publish(
                self.topic, payload, origin=status.origin, envelope=status.envelope
            )
        except Exception as error:  # noqa: BLE001 - a status that cannot be published must not stop the others
            published = asyncio.get_running_loop().create_future()
            published.set_exception(error)
        sent = _Sent(status, len(payload), self._connection)
        if not published.done():  # otherwise there was no connection, and so it never was on its way
            self._on_their_way[status.position] = sent
        published.add_done_callback(lambda done: self._handle_answer(sent, done))
        self.events.tell(StatusPublished(status=sent.status))

    def _handle_answer(self, sent: _Sent, published: asyncio.Future[None]) -> None:
        if published.cancelled():
            return
        error = published.exception()
        if isinstance(error, NotAcknowledged) and not error.refused:
            self._judge(sent.connection)
        position = sent.status.position
        if self._on_their_way.get(position) is sent:
            del self._on_their_way[position]
        if error is None:
            self.events.tell(StatusAcknowledged(status=sent.status))
            self._fruitless = 0
            self._note(sent.status)
            return
        self._outstanding.discard(position)
        self._handle_failure(sent, error)
        self._alarm.ring()

    def _handle_failure(self, sent: _Sent, error: BaseException) -> None:
        if not isinstance(error, NotAcknowledged):
            self.events.tell(Defect(name="status_not_published", error=error))
            self._leave_alone(sent.status.position)
        elif error.largest is not None and error.largest < sent.size:
            self._largest = error.largest
            self._publish(sent.status)
        elif error.refused:
            self._refuse(sent.status.position, str(error))
        elif sent.connection == self._connection:
            self._blocked = True
        else:  # an earlier one has ended, as is known; over this one it has not been published yet
            self.look()

    def _judge(self, connection: int) -> None:
        """Holds the end of a connection against what was on its way, once."""
        if connection <= self._judged or self._is_closing:
            return
        self._judged = connection
        on_their_way = [sent for sent in self._on_their_way.values() if sent.connection == connection]
        so_far = {sent.status.position: sent.status.suspicion for sent in on_their_way}
        if so_far and min(so_far.values()) < suspicion.SUSPECT:
            self._fruitless += 1
        for position, more in suspicion.points(so_far).items():
            self._points[position] = self._points.get(position, 0) + more
            if so_far[position] + more >= suspicion.CONVICTED:
                self._convict(self._on_their_way[position], so_far[position] + more)

    def _convict(self, sent: _Sent, points: int) -> None:
        """Its size is the reason, or something else that only a person can find."""
        status = sent.status
        if suspicion.is_too_large(sent.size, points):
            self._too_large = self._to_remember = sent.size
            self._not_before[status.position] = self.clock.now()
            self.events.tell(StatusTooLarge(number=status.request, bytes=sent.size))
            return
        self._not_before[status.position] = self.clock.now() + suspicion.pause(points)
        self._told_aside.discard(status.position)
        self._tell_aside(status, "the connection ends when it is published")

    def _tell_aside(self, status: Unreported, why: str) -> None:
        if status.position in self._told_aside:
            return
        self._told_aside.add(status.position)
        size = len(status.status)
        self._remarks[status.position] = f"the status of {size} bytes is set aside: {why}"
        self.events.tell(StatusSetAside(number=status.request, bytes=size, error=why))
        self._alarm.ring()

    def _tell_shortened(self, status: Unreported, size: int) -> None:
        whole = len(status.status)
        self._remarks[status.position] = f"the status of {whole} bytes was published shortened to {size}"
        self.events.tell(StatusShortened(number=status.request, bytes=whole, published=size))
        self._alarm.ring()

    def _leave_alone(self, position: int) -> None:
        """Does not publish the status again before `_retry_at` or a new connection."""
        self._refused.add(position)
        if self._retry_at is None:
            self._retry_at = self.clock.now() + most.RETRY_SECONDS

    def _refuse(self, position: int, error: str) -> None:
        """Told once for each reason and connection."""
        self._leave_alone(position)
        if error not in self._told:
            self._told.add(error)
            self.events.tell(StatusRefused(topic=self.topic, error=error))

    def _begin_anew(self) -> None:
        """All that is not acknowledged is published again, what was refused too."""
        self._refused.clear()
        self._retry_at = None
        self._flushed.clear()
        self.look()

    def _note(self, status: Unreported) -> None:
        """All that the broker acknowledges in one turn of the event loop is noted together."""
        if not self._acknowledged:
            asyncio.get_running_loop().call_soon(self._note_all)
        self._acknowledged.append(status.position)
        # After a suspect, the next suspect is published.
        if not self._caught_up or self._is_flushing or status.suspicion >= suspicion.SUSPECT:
            self._alarm.ring()

    def _note_all(self) -> None:
        positions, self._acknowledged = self._acknowledged, []
        noting = self.journal.report(positions, at=self.clock.now())
        noting.add_done_callback(partial(self._handle_note, positions))

    def _handle_note(self, positions: Sequence[int], done: asyncio.Future[None]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is not None and not isinstance(error, NotLeading):
            self._error = error
            self._alarm.ring()
            return
        self._outstanding.difference_update(positions)
        if error is not None:
            return  # the connector that leads publishes them again
        self._noted.update(positions)
        for position in self._not_before.keys() & set(positions):
            del self._not_before[position]
        self.events.tell(StatusesReported(positions=positions))
