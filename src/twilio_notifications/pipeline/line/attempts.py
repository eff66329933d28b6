"""Makes the attempts that are open in the journal, at most as many at once as there are places.

An attempt is on disk before it comes here, and its step goes to the journal as soon as Twilio has answered.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.conclusions import miss, put_back
from twilio_notifications.core.model import Unanswered
from twilio_notifications.ports.events import AttemptsOpened, Defect, TwilioAnswered

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core.delivery import CallbackUrls
    from twilio_notifications.core.model import Answer
    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.pipeline.line.admission import Admission
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.line.slots import Slots
    from twilio_notifications.pipeline.line.taking import StepTaker
    from twilio_notifications.ports import Clock, Sender
    from twilio_notifications.ports.events import Events


@dataclass(slots=True, kw_only=True)
class Attempts:
    """Each attempt under way is a coroutine of its own."""

    sender: Sender
    pacing: Pacing
    admission: Admission
    slots: Slots
    taker: StepTaker
    clock: Clock
    events: Events
    wake: Callable[[], None]
    """Wakes the dispatcher, if a request waits: a place is free."""
    callback_urls: Callable[[Claimed], CallbackUrls | None]
    """Where Twilio calls about the open attempt of a request; None: nowhere."""
    may_attempt: Callable[[], bool]
    """Whether the leases of open attempts last: otherwise another connector may make them again."""
    _under_way: set[asyncio.Task[None]] = field(init=False, default_factory=set)
    _is_over: bool = field(init=False, default=False)

    def begin(self, requests: Sequence[Claimed], *, reserved: int) -> None:
        """Makes the attempts of these requests, which are open in the journal; of `reserved` places."""
        if requests:
            self.events.tell(AttemptsOpened(requests=requests))
        self.slots.opened(requests, reserved=reserved)
        self._fill()
        if len(requests) < reserved:
            self.wake()  # the dispatcher may have found no place because of these reservations

    async def cancel(self) -> None:
        """Cuts off the attempts under way, and makes no other.

        Those that are open stay open in the journal, for the next start to settle.
        """
        self._is_over = True
        under_way = list(self._under_way)
        for attempt in under_way:
            attempt.cancel()
        if under_way:
            await asyncio.wait(under_way)

    def _fill(self) -> None:
        while not self._is_over and (request := self.slots.next()) is not None:
            attempt = asyncio.get_running_loop().create_task(self._attempt(request))
            self._under_way.add(attempt)
            attempt.add_done_callback(self._under_way.discard)

    async def _attempt(self, request: Claimed) -> None:
        try:
            step = await self._make(request)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is about this request alone
            self.taker.fail(request, error)
        else:
            self.taker.put(request, step)
        # The next attempt may begin while this one closes, but not before the pace has learned from it.
        self.slots.answered()
        self._fill()
        self.wake()

    async def _make(self, request: Claimed) -> Step:
        now = self.clock.now()
        if not self.may_attempt():
            return put_back(request, now=now)
        if now >= request.expires_at:  # a failing disk kept the opening from being recorded so long
            expired = policy.expired(request, self.admission.situation(now=now))
            return miss(request, expired, statuses=self.pacing.statuses, now=now)
        answer = await self._ask(request, seconds_left=request.expires_at - now)
        self.events.tell(TwilioAnswered(request=request, answer=answer))
        return self.pacing.conclude(request, answer)

    async def _ask(self, request: Claimed, *, seconds_left: float) -> Answer:
        try:
            return await self.sender.send(
                request.notification, seconds_left=seconds_left, callbacks=self.callback_urls(request)
            )
        except Exception as error:  # noqa: BLE001 - a defect of ours; the request may have left
            self.events.tell(Defect(name="attempt_failed", error=error))
            return Unanswered(detail=f"the connector failed: {type(error).__name__}")
