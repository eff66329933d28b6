"""Keeps this connector a member of those that share its journal, and knows whether it leads.

A connector that does not hear from the database for as long as its lease makes no attempt any more: by then
another one may have taken its requests over. What it still writes names a lease that has ended, and so is not
written.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.errors import NotLeading
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.ports import events
from twilio_notifications.ports.journal import Beat

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.line.slots import Slots
    from twilio_notifications.ports import Clock, Events
    from twilio_notifications.ports.journal import Members

BEATS_IN_A_LEASE: Final = 10
"""A lease outlives several beats that are late, as while the database is restarted."""


@dataclass(slots=True, kw_only=True)
class Leading:
    """`name` is this connector's, and new at each start."""

    journal: Members
    clock: Clock
    events: Events
    name: str
    places: int
    """The attempts that the account may make at once."""
    lease_seconds: float
    slots: Slots
    pacing: Pacing
    work: Alarm
    """Rung when this connector may make more attempts at once."""
    look_around: Callable[[bool], Awaitable[None]]
    """Brings in what the other connectors have written; the argument says whether this one leads."""
    _beat: Beat = field(init=False)
    _fresh_until: float = field(init=False, default=0.0)
    _is_member: bool = field(init=False, default=False)
    _beaten: Alarm = field(init=False)
    """Rung by each beat, for the one stage that waits for the leadership or for its end."""

    def __post_init__(self) -> None:
        self._beaten = Alarm(self.clock)
        self._beat = Beat(leads=False, members=1, share=self.places)

    @property
    def is_shared(self) -> bool:
        return self.journal.is_shared

    @property
    def leads(self) -> bool:
        return self._beat.leads

    def may_attempt(self) -> bool:
        """Whether the lease of what this connector has claimed and opened lasts, by its own clock."""
        return not self.is_shared or self.clock.now() < self._fresh_until

    async def beat(self) -> None:
        """Joins, or stays a member; takes or keeps the leadership where that is free. Raises JournalError."""
        began_at = self.clock.now()
        beat = await self.journal.beat(places=self.places, in_use=self.slots.in_flight, at=began_at)
        self._fresh_until = began_at + self.lease_seconds
        before, self._beat = self._beat, beat
        if beat.share != before.share:
            self.slots.resize(beat.share)
            self.pacing.resize(beat.share)
            self.work.ring()
        self._tell(before)
        self._beaten.ring()

    async def run(self) -> None:
        """Beats until cancelled; returns at once where no other connector can use the journal."""
        while self.is_shared:
            await self.next_beat()
            await self.look_around(self.leads)

    async def next_beat(self) -> None:
        """Beats when it is time to: at once where the last one took so long. Raises JournalError."""
        period = self.lease_seconds / BEATS_IN_A_LEASE
        took = max(0.0, self.clock.now() - (self._fresh_until - self.lease_seconds))
        await self.clock.sleep(max(0.0, period - took))
        await self.beat()

    async def gained(self) -> None:
        """Returns when this connector leads."""
        while not self.leads:
            await self._beaten.wait()

    async def lost(self) -> None:
        """Raises NotLeading when another connector leads, or may lead as far as this one's clock can say.

        After a standstill, the connector must not connect to the broker again before it has asked.
        """
        while self.leads and self.may_attempt():
            await self._beaten.wait(self._fresh_until if self.is_shared else None)
        self.step_down()
        raise NotLeading(f"{self._beat.leader or 'no connector'} leads")

    def step_down(self) -> None:
        """Until the next beat says that it leads, it does not."""
        if self.leads:
            self.events.tell(events.LeadershipLost(member=self.name))
            self._beat = replace(self._beat, leads=False, leader=None)

    async def leave(self) -> None:
        """Ends the membership, so that another connector need not wait for the end of the lease."""
        await self.journal.leave(at=self.clock.now())

    def _tell(self, before: Beat) -> None:
        beat = self._beat
        if not self.is_shared:
            return
        if beat.joined and self._is_member:
            self.events.tell(events.MembershipRenewed(member=self.name))
        self._is_member = True
        for name in beat.removed:
            self.events.tell(events.MemberRemoved(member=name))
        if (beat.members, beat.share) != (before.members, before.share) or before.leader is None:
            self.events.tell(events.MembersChanged(members=beat.members, share=beat.share))
        if before.leads and not beat.leads:
            self.events.tell(events.LeadershipLost(member=self.name))
        if beat.leads and not before.leads:
            self.events.tell(events.LeadershipTaken(member=self.name))
        if not beat.leads and (before.leads or before.leader is None):
            self.events.tell(events.ConnectorStandsBy(member=self.name, leader=beat.leader))
