"""The line with a settler, and a Twilio by hand whose lists the test writes, hides and withholds."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from tests.pipeline.line import TIMING, Line, a_line
from tests.support.factories import DARLA, SENDER_NUMBER
from tests.support.fakes import ScriptedSender
from twilio_notifications.core.model import Record, Records, Unanswered, Unreadable
from twilio_notifications.pipeline.line.assembly import build_line

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.clock import HandClock
    from twilio_notifications.core.model import Answer, Login, Notification

TIME_OUT = Unanswered(detail="operation timed out")
NO_NETWORK = Unreadable(detail="dns error")
SETTLE = 30.0
HELLO = "Hello from the edge"


@dataclass(frozen=True, slots=True)
class Shown:
    """A record, and from when on the lists show it, by Twilio's clock."""

    record: Record
    at: float


class ListingSender(ScriptedSender):
    """Its lists show what the test says was carried out, cut at `since` as the adapter cuts them."""

    def __init__(self, clock: HandClock) -> None:
        super().__init__(clock)
        self.ahead = 0.0
        """Twilio's clock minus ours; told by each list, as by the `Date` header."""
        self.looked: list[tuple[str, float]] = []
        """The recipient and the instant of each look."""
        self.unreadable: dict[str, Unreadable | Exception] = {}
        self._shown: list[Shown] = []
        self._withheld: dict[str, asyncio.Event] = {}

    def carries_out(self, phone_number: str = DARLA, *, sid: str, lag: float = 0.0, **fields: Any) -> None:
        """A text or a call of these fields is made now; the lists show it so many seconds later."""
        now = self.clock.now() + self.ahead
        fields = {"sender_number": SENDER_NUMBER, "message_status": "sent", "body": HELLO} | fields
        created_at = float(math.floor(now))
        record = Record(sid=sid, phone_number=phone_number, created_at=created_at, **fields)
        self._shown.append(Shown(record, now + lag))

    def withhold(self, phone_number: str) -> None:
        """Looks for this recipient hang until `give`."""
        self._withheld[phone_number] = asyncio.Event()

    def give(self, phone_number: str) -> None:
        self._withheld.pop(phone_number).set()

    async def look_up(
        self,
        notification: Notification,
        *,
        since: float,
        login: Login | None = None,  # noqa: ARG002 - the records are the same for every login
    ) -> Records | Unreadable:
        phone_number, asked_at = notification.recipient.phone_number, self.clock.now()
        self.looked.append((phone_number, asked_at))
        if phone_number in self._withheld:
            await self._withheld[phone_number].wait()
        unreadable = self.unreadable.get(phone_number)
        if isinstance(unreadable, Exception):
            raise unreadable
        if unreadable is not None:
            return unreadable
        self.clock_offset = self.ahead
        listed = [shown.record for shown in self._shown if shown.at <= asked_at + self.ahead]
        return Records(
            found=tuple(
                record
                for record in reversed(listed)
                if record.phone_number == phone_number and record.created_at >= since
            ),
            clock_offset=self.clock_offset,
        )


@dataclass(slots=True, kw_only=True)
class Scene:
    """A line in motion with its settler."""

    line: Line
    sender: ListingSender

    async def doubt(self, phone_number: str = DARLA, answer: Answer = TIME_OUT, **request: Any) -> None:
        """A request whose attempt gets no answer."""
        self.sender.script(phone_number, answer)
        await self.line.accept(phone_number, **request)

    async def advance(self, seconds: float) -> None:
        await self.line.clock.advance(seconds)

    async def results(self) -> list[tuple[str, str]]:
        return await self.line.results()

    async def errors(self) -> list[str]:
        """The sentences of the failures."""
        return [status["response"]["error_message"] for status in await self.line.statuses()]

    def looks(self, phone_number: str = DARLA) -> list[float]:
        return [at for number, at in self.sender.looked if number == phone_number]

    def told(self, name: str) -> int:
        return self.line.events.count(name)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A dispatcher and a settler of their own run, as at a start; leaving cuts them off like a crash."""
        line = build_line(self.line.surroundings)
        stages = [
            asyncio.create_task(stage, name=name)
            for name, stage in (("dispatcher", line.dispatcher.run()), ("settler", line.settler.run()))
        ]
        try:
            await self.line.clock.settle()
            yield
            assert not any(stage.done() for stage in stages), stages
        finally:
            for stage in stages:
                stage.cancel()
            await asyncio.wait(stages)

    async def recover(self) -> None:
        """What a start does before its stages run."""
        await self.line.journal.recover(now=self.line.clock.now())


@asynccontextmanager
async def a_scene(*, settle: float = SETTLE, jitter: float = 1.0) -> AsyncIterator[Scene]:
    """A line with a settler that stands still."""
    timing = replace(TIMING, settle=settle, backoff_initial=4.0)
    async with a_line(twilio=ListingSender, timing=timing, jitter=lambda: jitter) as line:
        yield Scene(line=line, sender=cast("ListingSender", line.sender))


@asynccontextmanager
async def a_running_scene(*, settle: float = SETTLE, jitter: float = 1.0) -> AsyncIterator[Scene]:
    """A line with a settler, in motion."""
    async with a_scene(settle=settle, jitter=jitter) as scene, scene.running():
        yield scene
