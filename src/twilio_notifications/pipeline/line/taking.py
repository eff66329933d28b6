"""Has the journal take steps: those of one turn of the event loop in one transaction.

What a step means was decided in the core. After the commit, events say what became of each request, and then
its status goes to the reporter.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core.conclusions import PERHAPS_SENT
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports.events import AttemptInDoubt, AttemptLapsed, RequestFinished, RequestPostponed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.line.aside import Aside
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.slots import Slots
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Taken, Work

    Ended = tuple[Claimed, Step]


@dataclass(slots=True, kw_only=True)
class StepTaker:
    """Takes the steps of attempts as they come, without a caller that waits."""

    journal: Work
    aside: Aside
    slots: Slots
    wake: Callable[[], None]
    """Wakes the dispatcher, if a request waits."""
    doubts: Alarm
    """Rung when an attempt is in doubt."""
    events: Events
    failures: Failures
    on_followed: Callable[[Finish], None]
    """Hears of each accepted request whose delivery is followed from now on."""
    failing: Alarm
    """Wakes `run` for a step that was not taken."""
    _pending: list[Ended] = field(init=False, default_factory=list)
    _failed: list[tuple[Claimed, Exception]] = field(init=False, default_factory=list)
    _error: BaseException | None = field(init=False, default=None)

    def put(self, request: Claimed, step: Step) -> None:
        """The step closes an attempt, together with all others of this turn of the event loop."""
        if not self._pending:
            asyncio.get_running_loop().call_soon(self._flush)
        self._pending.append((request, step))

    def fail(self, request: Claimed, error: Exception) -> None:
        """A defect keeps the step of an attempt from being made or taken: it ends with InternalError."""
        self._failed.append((request, error))
        self.failing.ring()

    async def take(
        self,
        ended: Sequence[Ended],
        *,
        sentence: str,
        outcome: AttemptOutcome | None,
        tell: Callable[[Claimed, Step], None],
        leads: bool = False,
    ) -> None:
        """Takes the steps and tells of each, before its status is published. Raises JournalError.

        Where they are the leader's (`leads`), NotLeading says that another connector leads.

        A request whose step the journal does not take ends with InternalError: `sentence` is what its status
        says, `outcome` is that of its open attempt.
        """
        if not ended:
            return
        taken = await self.journal.take([step for _, step in ended], leads=leads)
        untaken = taken.failed.keys() | taken.stale | taken.lapsed
        for request, step in ended:
            if request.id not in untaken:
                tell(request, step)
                self._follow(step)
        self.aside.on_written(taken.written)
        for request, _ in ended:
            if request.id in taken.failed:
                error = taken.failed[request.id]
                finish = await self.aside.answer(
                    request, error, sentence=sentence, outcome=outcome, leads=leads
                )
                if finish is not None:
                    tell(request, finish)

    def tell(self, request: Claimed, step: Step, *, attempted: bool) -> None:
        """Tells what became of a request, after the commit."""
        match step:
            case Finish():
                if step.reason is not None:
                    self.failures.failed(request, step)
                self.events.tell(RequestFinished(request=request, step=step, attempted=attempted))
            case Postpone():
                self.events.tell(RequestPostponed(request=request, step=step, attempted=attempted))
            case Doubt():
                self.events.tell(AttemptInDoubt(request=request, step=step))
            case _:
                assert_never(step)

    def _follow(self, step: Step) -> None:
        if isinstance(step, Finish) and step.follow is not None:
            self.on_followed(step)

    async def run(self) -> None:
        """Answers requests whose steps fail, until cancelled. Raises what ends the journal."""
        while True:
            await self.failing.wait()
            if self._error is not None:
                raise self._error
            failed, self._failed = self._failed, []
            for request, error in failed:
                finish = await self.aside.answer(
                    request, error, sentence=PERHAPS_SENT, outcome=AttemptOutcome.IN_DOUBT
                )
                if finish is None:
                    self.slots.closed()
                else:
                    self._close([(request, finish)])

    def _flush(self) -> None:
        ended, self._pending = self._pending, []
        taking = self.journal.take([step for _, step in ended])
        taking.add_done_callback(partial(self._end_batch, ended))

    def _end_batch(self, ended: Sequence[Ended], taking: asyncio.Future[Taken]) -> None:
        if taking.cancelled():
            return
        error = taking.exception()
        if error is not None:
            self._fail_all(ended, error)
            return
        taken = taking.result()
        for request, step in ended:
            if request.id in taken.failed:
                self.fail(request, taken.failed[request.id])
            elif request.id in taken.lapsed:
                sid = step.sid if isinstance(step, Finish) else None
                self.events.tell(AttemptLapsed(number=request.id, sid=sid))
                self.slots.closed()
        untaken = taken.failed.keys() | taken.lapsed
        self._close([(request, step) for request, step in ended if request.id not in untaken])
        self.aside.on_written(taken.written)

    def _fail_all(self, ended: Sequence[Ended], error: BaseException) -> None:
        if isinstance(error, JournalError) or not isinstance(error, Exception):
            self._error = error
            self.failing.ring()
            return
        for request, _ in ended:
            self.fail(request, error)

    def _close(self, ended: Sequence[Ended]) -> None:
        self.slots.closed(len(ended))
        for request, step in ended:
            self.tell(request, step, attempted=True)
            self._follow(step)
            if isinstance(step, Doubt):
                self.doubts.ring()
        self.wake()
