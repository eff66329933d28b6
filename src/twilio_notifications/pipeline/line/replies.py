"""Reads, only while a chain waits, the texts and calls that came back, and finds what they mean.

Each page is one request of the budget that all looks share. It yields to no attempt: it takes no place of
them, and in a storm of alarms the person who acknowledges must be heard.

It answers no one: a text from a number that no chain has notified is not looked at further.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from twilio_notifications.core import escalation
from twilio_notifications.core.escalation import Acknowledged, Door, OptOut
from twilio_notifications.core.model import Channel, Unreadable
from twilio_notifications.core.phone_numbers import spellings
from twilio_notifications.ports.events import (
    Defect,
    InboundReadable,
    InboundUnreadable,
    ReplyFromOptedOut,
)
from twilio_notifications.ports.journal import KnownReply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.core.escalation import WaitingAt
    from twilio_notifications.core.model import CameBack, InboundPage
    from twilio_notifications.pipeline.line.leave import Leave
    from twilio_notifications.ports import Clock, Inbox
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Chains, Notified

Acknowledge = Callable[[int, Acknowledged, KnownReply], Awaitable[bool]]

CLOCKS_SECONDS: Final = 2.0
"""Twilio dates what came in whole seconds, and our measure of its clock is as rough."""

MOST_PAGES: Final = 5
"""The most pages that are read of one list: it is read every few seconds."""

LONGEST_PAUSE_SECONDS: Final = 60.0
"""Between two looks while lists cannot be read: a person who acknowledges waits no longer than that."""


@dataclass(slots=True, kw_only=True)
class Replies:
    """Looks at Twilio's lists of what came in, with `period_seconds` between two looks; None: never."""

    journal: Chains
    inbox: Inbox
    leave: Leave
    clock: Clock
    events: Events
    writer: ChainWriter
    acknowledge: Acknowledge
    """Is given what acknowledges."""
    period_seconds: float | None
    _unreadable: set[tuple[Channel, str | None]] = field(init=False, default_factory=set)
    """Lists that could not be read at the last look."""
    _seen: set[str] = field(init=False, default_factory=set)
    """SIDs of this run that need not be looked at again while they stand in the lists."""

    async def run(self) -> None:
        """Looks until cancelled; returns at once where nothing is to be read. Raises JournalError."""
        if self.period_seconds is None:
            return
        pause, longest = self.period_seconds, max(self.period_seconds, LONGEST_PAUSE_SECONDS)
        while True:
            began = self.clock.now()
            await self.look()
            pause = min(2 * pause, longest) if self._unreadable else self.period_seconds
            await self.clock.sleep(max(0.0, began + pause - self.clock.now()))

    async def look(self) -> None:
        """Reads the lists once, if a chain waits, and acknowledges what is to be acknowledged."""
        notified = await self.journal.notified()
        if not notified:
            self._seen.clear()
            self._unreadable.clear()
            return
        offset = self.inbox.clock_offset or 0.0
        since = min(one.waiting.notified_at for one in notified) + offset - CLOCKS_SECONDS
        stands: set[str] = set()
        # The numbers to which something can come back; None where a Messaging Service chose them.
        called = {one.sender_number if one.sender_number.startswith("+") else None for one in notified}
        numbers = [None] if None in called else sorted(called, key=str)
        for channel in (Channel.SMS, Channel.CALL):
            for number in numbers:
                found = await self._read(channel, number, since=since)
                stands |= {one.sid for one in found}
                for one in sorted(found, key=lambda each: (each.created_at, each.sid)):
                    if one.sid not in self._seen:
                        await self._understand(channel, one, at=one.created_at - offset)
        self._seen = stands

    async def _read(self, channel: Channel, number: str | None, *, since: float) -> list[CameBack]:
        """What came in since, of the newest pages, as far as Twilio gives them."""
        found: list[CameBack] = []
        path = None
        for _ in range(MOST_PAGES):
            page = await self._page(channel, number, path)
            if page is None:
                return found
            found += [one for one in page.found if one.created_at >= since]
            path = page.next_path
            if path is None or page.oldest_at is None or page.oldest_at < since:
                break
        if (channel, number) in self._unreadable:
            self._unreadable.remove((channel, number))
            if not self._unreadable:
                self.events.tell(InboundReadable())
        return found

    async def _page(self, channel: Channel, number: str | None, path: str | None) -> InboundPage | None:
        await self.leave.take(yields=False)
        try:
            page = await self.inbox.came_back(channel, to=number, path=path)
        except Exception as error:  # noqa: BLE001 - a defect of ours costs this look, and no later one
            self.events.tell(Defect(name="chain_failed", error=error))
            return None
        if not isinstance(page, Unreadable):
            return page
        if not self._unreadable:
            self.events.tell(InboundUnreadable(error=page.detail))
        self._unreadable.add((channel, number))
        return None

    async def _understand(self, channel: Channel, came: CameBack, *, at: float) -> None:
        # Read again for each: what came before may have ended a chain.
        same = set(spellings(came.phone_number))
        here = [one for one in await self.journal.notified() if one.phone_number in same]
        if not here:
            return
        meant, meaning = self._meant(channel, came, here, at=at)
        reply = KnownReply(sid=came.sid, phone_number=here[0].phone_number, at=at, meaning=meaning)
        if meant is not None:
            person = next(one.person for one in here if one.waiting == meant)
            door = Door.TEXT if channel is Channel.SMS else Door.CALL
            await self.acknowledge(meant.chain, Acknowledged(by=person or None, door=door), reply)
        elif meaning == "opt-out" and await self.journal.note_reply(reply, chain=here[0].waiting.chain):
            self.events.tell(ReplyFromOptedOut(phone_number=came.phone_number))

    def _meant(
        self, channel: Channel, came: CameBack, here: Sequence[Notified], *, at: float
    ) -> tuple[WaitingAt | None, str]:
        if channel is Channel.CALL:
            return escalation.newest([one.waiting for one in here], at=at), "call"
        # Each chain has words of its own: a text is read with those of the chains that wait at the telephone.
        words = {word for one in here for word in self.writer.chain(one.name).acknowledge_words}
        reply = escalation.read_reply(came.body, words=words)
        if isinstance(reply, OptOut):
            return None, "opt-out"
        return escalation.acknowledged_by(reply, [one.waiting for one in here], at=at), "text"
