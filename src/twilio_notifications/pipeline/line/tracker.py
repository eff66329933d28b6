"""Asks Twilio what became of the texts and calls that it accepted, until each has its end.

It uses no place of the attempts, and lets attempts that wait for a place go first, but not without end. When
to look is kept in the journal, so that nothing is forgotten at a restart.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, TypeVar, assert_never

from twilio_notifications.core.conclusions import (
    Numbers,
    conclude_nothing,
    conclude_notices,
    conclude_sighting,
)
from twilio_notifications.core.delivery import (
    PAGE_PRICE,
    Covered,
    DeliveryReceipt,
    Following,
    LearnedFrom,
    NoReceipt,
    is_final,
)
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.model import Channel, Unreadable
from twilio_notifications.ports.events import Defect, DeliveryLookedUp

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from twilio_notifications.core.conclusions import StatusWriter
    from twilio_notifications.core.delivery import Change, Followed, Notices, ReceiptPage
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.line.leave import Leave
    from twilio_notifications.pipeline.line.sightings import Sightings
    from twilio_notifications.ports import Clock, DeliveryReceipts
    from twilio_notifications.ports.events import Events, LookedAt, LookKind
    from twilio_notifications.ports.journal import Deliveries

Said = TypeVar("Said")

BATCH: Final = 1000
"""Deliveries of which one round of looks may learn: what five pages of a list hold."""

UNREADABLE_PAUSES: Final = 180
"""How long notifications that cannot be read are waited for, in first pauses: a quarter of an hour."""

UNREADABLE_LIFETIMES: Final = 2
"""How long deliveries are followed that Twilio does not give, in times of the usual end: a login may be
allowed to send, and to read nothing. Their rows must not fill the journal."""

_RESOURCES: Final[Mapping[bool, LookedAt]] = MappingProxyType({False: "records", True: "notifications"})
"""Where Twilio is asked for a delivery, by whether it has its last word."""

AHEAD_SHARE: Final = 0.2
"""A look takes those along that are due within this share of the first pause: one page is cheaper than many
looks, one after the other."""

MOST_SINGLY: Final = 20
"""Looks at single deliveries between two readings of the journal: where very many are due, to read them costs
more than a look."""


@dataclass(slots=True, kw_only=True)
class Tracker:
    """One request at a time."""

    journal: Deliveries
    receipts: DeliveryReceipts
    sightings: Sightings
    leave: Leave
    statuses: StatusWriter
    clock: Clock
    events: Events
    bell: Alarm
    """Rung when a look may be due earlier than the tracker knows."""
    _wakes_at: float = field(init=False, default=0.0)
    """Until when it sleeps; 0 while it is awake."""
    _first_pages: dict[Channel, Covered] = field(init=False, default_factory=dict)
    """What the first page covered when it was read last, where it was not the whole list."""
    _alone: set[str] = field(init=False, default_factory=set)
    """SIDs that a page did not show where it should have: they are looked at by themselves."""

    def expect(self, look_at: float) -> None:
        """A delivery is followed from now on, and to be looked at by then."""
        if look_at < self._wakes_at:
            self.bell.ring()

    async def run(self) -> None:
        """Follows until cancelled; returns at once where deliveries are not followed."""
        while self.statuses.tracking.following is not Following.OFF:
            at = await self.journal.next_look()
            if at is None or at > self.clock.now():
                self._wakes_at = float("inf") if at is None else at
                await self.bell.wait(at)
                self._wakes_at = 0.0
                continue
            opens_at = max(map(self.leave.opens_at, _RESOURCES.values()))
            if opens_at > self.clock.now() and not await self._ready():
                await self._give_up()
                # Only what Twilio did not give is due. Something else may be, before that is asked for again.
                await self.clock.sleep(AHEAD_SHARE * self.statuses.tracking.initial)
                continue
            await self.leave.take()
            if ready := await self._ready():
                await self._look(ready)

    async def _ready(self) -> list[Followed]:
        """What is to be looked at now or soon, the longest due first; without what is paused."""
        now = self.clock.now()
        soon = now + AHEAD_SHARE * self.statuses.tracking.initial
        due = await self.journal.due_deliveries(now=soon, limit=BATCH)
        open_for = {
            is_ended: self.leave.opens_at(resource) <= now for is_ended, resource in _RESOURCES.items()
        }
        return [each for each in due if open_for[is_final(each.delivery)]]

    async def _give_up(self) -> None:
        """Ends the following of what Twilio has not given for very long.

        Twilio must have been asked for a while first: after a long time without power everything is old, and
        one list that fails says nothing.
        """
        now, tracking = self.clock.now(), self.statuses.tracking
        longest = UNREADABLE_LIFETIMES * tracking.give_up_after
        tried_long = {
            is_ended: self.leave.unreadable_for(resource) >= UNREADABLE_PAUSES * tracking.initial
            for is_ended, resource in _RESOURCES.items()
        }
        due = await self.journal.due_deliveries(now=now, limit=BATCH)
        old = [each for each in due if now - each.begun_at >= longest and tried_long[is_final(each.delivery)]]
        await self.sightings.take([(each, self._nothing) for each in old])

    async def _look(self, due: Sequence[Followed]) -> None:
        """Reads pages where they cost less and show the longest due; else looks at some singly."""
        together = {channel: self._worth_pages(due, channel) for channel in Channel}
        channel = due[0].delivery.channel
        if due[0].sid in together[channel]:
            await self._read_pages(channel, self._listed(due, channel), expected=together[channel])
            return
        for place, each in enumerate(due[:MOST_SINGLY]):
            if place > 0:
                if each.sid in together[each.delivery.channel] or (each.look_at or 0.0) > self.clock.now():
                    return  # a page is worth it, or it is not due yet: the next round sees
                await self.leave.take()
            looking = self._read_notices(each) if is_final(each.delivery) else self._fetch(each)
            if not await looking:
                return

    def _listed(self, due: Sequence[Followed], channel: Channel) -> dict[str, Followed]:
        """What the list of the channel may show, by SID."""
        return {
            each.sid: each
            for each in due
            if each.delivery.channel is channel
            and not is_final(each.delivery)
            and each.sid not in self._alone
        }

    def _worth_pages(self, due: Sequence[Followed], channel: Channel) -> frozenset[str]:
        """Those that pages of the channel's list probably show for less than a look at each."""
        listed = self._listed(due, channel)
        begun_at = [each.begun_at for each in listed.values()]
        first = self._first_pages.get(channel)
        if first is not None:
            down_to = first.worth_reading(begun_at)
        else:  # as far as is known, the first page shows all
            down_to = min(begun_at) if len(begun_at) >= PAGE_PRICE else None
        return frozenset(
            sid for sid, each in listed.items() if down_to is not None and each.begun_at >= down_to
        )

    async def _fetch(self, followed: Followed) -> bool:
        """Looks at one; whether Twilio said anything."""
        self._alone.discard(followed.sid)
        channel, sid = followed.delivery.channel, followed.sid
        found: DeliveryReceipt | NoReceipt | Unreadable = await self._ask(
            "single", self.receipts.fetch(channel, sid)
        )
        match found:
            case Unreadable():
                return False
            case NoReceipt():
                await self.sightings.take([(followed, self._nothing)])
            case DeliveryReceipt():
                await self.sightings.take([(followed, partial(self._seen, found))])
            case _:
                assert_never(found)
        return True

    async def _read_notices(self, followed: Followed) -> bool:
        """Reads the notifications of a call that has ended; whether Twilio gave them."""
        found: Notices | Unreadable = await self._ask("notifications", self.receipts.notices(followed.sid))
        ended_for = self.clock.now() - followed.delivery.changed_at
        waited = min(ended_for, self.leave.unreadable_for("notifications"))
        if not isinstance(found, Unreadable) or waited > UNREADABLE_PAUSES * self.statuses.tracking.initial:
            # What cannot be read says nothing more: a login may not be allowed to read notifications.
            codes = () if isinstance(found, Unreadable) else found.codes

            def conclude(call: Followed) -> Change | None:
                if call.delivery.notification_looks != followed.delivery.notification_looks:
                    return None
                now = self.clock.now()
                return conclude_notices(call, codes, statuses=self.statuses, now=now)

            await self.sightings.take([(followed, conclude)])
        return not isinstance(found, Unreadable)

    async def _read_pages(
        self, channel: Channel, missing: dict[str, Followed], *, expected: frozenset[str]
    ) -> None:
        """Reads the list from its beginning for as long as further pages cost less than looks at these.

        What is `expected` and not shown is looked at by itself, so that it is not expected again.
        """
        path, covered = None, None
        while True:
            page: ReceiptPage | Unreadable = await self._ask("page", self.receipts.receipts(channel, path))
            if isinstance(page, Unreadable):
                return
            shown = [
                (missing.pop(receipt.sid), partial(self._seen, receipt))
                for receipt in page.receipts
                if receipt.sid in missing
            ]
            await self.sightings.take(shown)
            covered = Covered.by(page)
            if covered is None or page.next_path is None:
                break
            if path is None:
                self._first_pages[channel] = covered
            if covered.worth_reading_after(each.begun_at for each in missing.values()) is None:
                break
            path = page.next_path
            await self.leave.take()
        self._alone.update(
            sid
            for sid, each in missing.items()
            if sid in expected or covered is None or page.next_path is None or covered.reaches(each.begun_at)
        )

    async def _ask(self, kind: LookKind, asking: Awaitable[Said | Unreadable]) -> Said | Unreadable:
        """What Twilio says; where it does not say it, the next request waits a while."""
        try:
            said = await asking
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - a defect of ours: following must not end for one answer
            self.events.tell(Defect(name="look_up_failed", error=error))
            said = Unreadable(detail=f"the connector failed: {type(error).__name__}")
        self.events.tell(DeliveryLookedUp(kind=kind, answered=not isinstance(said, Unreadable)))
        resource: LookedAt = "notifications" if kind == "notifications" else "records"
        if isinstance(said, Unreadable):
            self.leave.unreadable(resource, said)
        else:
            self.leave.readable(resource)
        return said

    def _seen(self, receipt: DeliveryReceipt, followed: Followed) -> Change | None:
        now = self.clock.now()
        return conclude_sighting(
            followed,
            receipt.sighting(at=now),
            source=LearnedFrom.POLL,
            statuses=self.statuses,
            now=now,
            numbers=Numbers(sender_number=receipt.sender_number, phone_number=receipt.phone_number),
        )

    def _nothing(self, followed: Followed) -> Change:
        return conclude_nothing(followed, statuses=self.statuses, now=self.clock.now())
