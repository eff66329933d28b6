"""Reads, only while a chain waits, the texts and calls that came back, and finds what they mean.

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
    from twilio_notifications.core.model import CameBack
    from twilio_notifications.ports import Clock, Inbox
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Chains, Notified

Acknowledge = Callable[[int, Acknowledged, KnownReply], Awaitable[bool]]

CLOCKS_SECONDS: Final = 2.0
"""Twilio dates what came in whole seconds, and our measure of its clock is as rough."""


@dataclass(slots=True, kw_only=True)
class Replies:
    """Looks at Twilio's lists of what came in; `period_seconds` None: never."""

    journal: Chains
    inbox: Inbox
    clock: Clock
    events: Events
    writer: ChainWriter
    period_seconds: float | None
    _look_at: float = field(init=False, default=0.0)
    _unreadable: set[tuple[Channel, str | None]] = field(init=False, default_factory=set)
    """Lists that could not be read at the last look."""
    _seen: set[str] = field(init=False, default_factory=set)
    """SIDs of this run that need not be looked at again while they stand in the lists."""

    async def look(self, acknowledge: Acknowledge) -> None:
        """Reads the lists if it is time to, and gives `acknowledge` what acknowledges."""
        now = self.clock.now()
        if self.period_seconds is None or now < self._look_at:
            return
        self._look_at = now + self.period_seconds
        notified = await self.journal.notified()
        if not notified:
            self._seen.clear()
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
                        await self._understand(
                            channel, one, at=one.created_at - offset, acknowledge=acknowledge
                        )
        self._seen = stands

    async def _read(self, channel: Channel, number: str | None, *, since: float) -> tuple[CameBack, ...]:
        try:
            found = await self.inbox.came_back(channel, to=number, since=since)
        except Exception as error:  # noqa: BLE001 - a defect of ours must not stop the steps of chains
            self.events.tell(Defect(name="chain_failed", error=error))
            return ()
        if isinstance(found, Unreadable):
            if not self._unreadable:
                self.events.tell(InboundUnreadable(error=found.detail))
            self._unreadable.add((channel, number))
            return ()
        if (channel, number) in self._unreadable:
            self._unreadable.remove((channel, number))
            if not self._unreadable:
                self.events.tell(InboundReadable())
        return found

    async def _understand(
        self, channel: Channel, came: CameBack, *, at: float, acknowledge: Acknowledge
    ) -> None:
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
            await acknowledge(meant.chain, Acknowledged(by=person or None, door=door), reply)
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
