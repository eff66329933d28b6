"""Goes on with chains until a person acknowledges: takes the steps that are due, and ends what has to end.

Which step is due is decided in the core, and read again in the transaction that records the step. What came
back from telephones is read by `replies.py`, a stage of its own: a list that Twilio does not give delays no
step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.escalation import (
    Acknowledged,
    ChainEnd,
    Door,
    EndKind,
    EndOfChain,
    Over,
    Take,
    Until,
)
from twilio_notifications.core.model import Answered
from twilio_notifications.ports.events import CallHungUp, Defect, StepTaken, WishCarriedOut
from twilio_notifications.ports.journal import NewRequest, NewStep

if TYPE_CHECKING:
    from twilio_notifications.core.conclusions import ChainWriter, RunningChain
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.ended import EndedTeller
    from twilio_notifications.ports import Clock, Inbox
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Ended, Hangup, Journal, KnownReply

BATCH = 50
"""Chains and calls that are looked at in one turn; the others follow in the next turn."""

LOOK_SECONDS = 1.0
"""Between two looks for calls that are to be hung up: what Twilio takes late rings no bell."""

HANGUP_TRIES = 3
HANGUP_PAUSE_SECONDS = 5.0
"""A call rings for about a minute, so that more tries would come too late."""

_BUSY = 429
_SERVER_ERROR = 500


@dataclass(slots=True, kw_only=True)
class Escalator:
    """Takes the steps of chains, goes on with wishes, and has calls hung up."""

    journal: Journal
    inbox: Inbox
    clock: Clock
    events: Events
    bells: Bells
    writer: ChainWriter
    lifetime_seconds: float
    ended: EndedTeller
    _wish_at: float = field(init=False, default=0.0)
    """When a wish that goes on is looked at next."""

    async def run(self) -> None:
        """Goes on until cancelled. Raises what ends the journal."""
        while True:
            more = await self.turn()
            if not more:
                await self.bells.chains.wait(await self._next_look())

    async def turn(self) -> bool:
        """One look at everything; whether there may be more to do at once."""
        now = self.clock.now()
        chains = await self.journal.due_chains(now=now, limit=BATCH)
        for running in chains:
            await self._look(running)
        wished = await self._go_on_with_wish()
        hangups = await self.journal.due_hangups(now=now, limit=BATCH)
        for hangup in hangups:
            await self._hang_up(hangup)
        return wished or BATCH in {len(chains), len(hangups)}

    async def acknowledge(self, chain: int, who: Acknowledged, reply: KnownReply | None = None) -> bool:
        """Ends the chain; whether it waited until now. A reply that was carried out before ends nothing."""
        end = self._end(EndKind.ACKNOWLEDGED, who)
        ended = await self.journal.end_chain(chain, end, writer=self.writer, reply=reply)
        self._tell(ended, end)
        return bool(ended.chains)

    async def key_pressed(self, request: int) -> bool:
        """A key was pressed in the call of this request; whether that ended a chain."""
        found = await self.journal.chain_of(request)
        if found is None:
            return False
        chain, person = found
        return await self.acknowledge(chain, Acknowledged(by=person or None, door=Door.KEY))

    async def _go_on_with_wish(self) -> bool:
        """Carries out the next part of a wish that ends more than one transaction may; whether there was one.

        What a defect holds up is ended all the same, one by one: each claim sees what a wish is to end.
        """
        now = self.clock.now()
        if now < self._wish_at:
            return False
        try:
            progress = await self.journal.go_on_with_wish(at=now, writer=self.writer)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - it costs this wish a pause, and no chain anything
            self.events.tell(Defect(name="chain_failed", error=error))
            self._wish_at = now + LOOK_SECONDS * BATCH
            return False
        if progress is None:
            return False
        self._tell(progress.ended, progress.end)
        if not progress.unfinished:
            self.events.tell(
                WishCarriedOut(wish=progress.name, chains=progress.chains, requests=progress.requests)
            )
        return True

    async def _next_look(self) -> float:
        now = self.clock.now()
        look = await self.journal.next_chain_look()
        calls_at = now + LOOK_SECONDS
        return calls_at if look is None else min(max(look, now), calls_at)

    async def _look(self, running: RunningChain) -> None:
        try:
            await self._go_on(running)
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - it costs this chain a pause, and no other chain anything
            self.events.tell(Defect(name="chain_failed", error=error))
            await self.journal.put_off(running, look_at=self.clock.now() + LOOK_SECONDS * BATCH)

    async def _go_on(self, running: RunningChain) -> None:
        match self.writer.next(running, now=self.clock.now()):
            case Until(at=at):
                await self.journal.put_off(running, look_at=at)
            case Take() as due:
                await self._take(running, due)
            case EndOfChain():
                end = self._end(EndKind.UNACKNOWLEDGED, None)
                chain = running.request.id
                self._tell(await self.journal.end_chain(chain, end, writer=self.writer), end)
            case Over():
                pass
            case never:
                assert_never(never)

    async def _take(self, running: RunningChain, due: Take) -> None:
        now = self.clock.now()
        requests = tuple(
            NewRequest(
                notification=notification,
                accepted_at=now,
                expires_at=now + self.lifetime_seconds,
                hint=self.writer.hint(running.name, notification.channel),
            )
            for notification in self.writer.requests(running, due.step)
        )
        chain = running.request.id
        step = NewStep(chain=chain, position=due.position, at=now, requests=requests)
        if await self.journal.take_step(step):
            self.events.tell(
                StepTaken(
                    number=chain,
                    escalation=running.name,
                    step=due.position + 1,
                    requests=len(requests),
                )
            )
            self.bells.work.ring()
        self.bells.chains.ring()

    def _end(self, kind: EndKind, who: Acknowledged | None) -> ChainEnd:
        return ChainEnd(kind=kind, at=self.clock.now(), acknowledged=who)

    def _tell(self, ended: Ended, end: ChainEnd) -> None:
        """After the commit."""
        how = None if end.acknowledged is None else end.acknowledged.door
        self.ended.tell(ended, kind=end.kind, how=how)

    async def _hang_up(self, hangup: Hangup) -> None:
        try:
            answer = await self.inbox.hang_up(hangup.sid)
        except Exception as error:  # noqa: BLE001 - a defect of ours costs this call a try
            self.events.tell(Defect(name="chain_failed", error=error))
            answer = None
        said = isinstance(answer, Answered) and answer.http_status != _BUSY
        final = said and isinstance(answer, Answered) and answer.http_status < _SERVER_ERROR
        if not final and hangup.tries + 1 < HANGUP_TRIES:
            await self.journal.hung_up(hangup.sid, again_at=self.clock.now() + HANGUP_PAUSE_SECONDS)
            return
        await self.journal.hung_up(hangup.sid, again_at=None)
        ended = final and isinstance(answer, Answered) and answer.sid is not None
        self.events.tell(CallHungUp(number=hangup.request, ended=ended))
