"""Claims what is due, asks the policy, opens attempts, makes them, and closes each with what came of it.

The attempt is on disk before its POST leaves, and its end is on disk together with the status. Waiting is
never a sleeping attempt: a request that waits stands in the journal with its due time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import policy, retry, settlement
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Accepted,
    DeferralScope,
    Deferred,
    InDoubt,
    Refused,
    Unanswered,
)
from twilio_notifications.pipeline import judging
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.deferring import Timing, postponed
from twilio_notifications.pipeline.metering import Meter, Unmetered
from twilio_notifications.ports import Doubt, Level, Milestone, Postpone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from twilio_notifications.core.model import Answer, Outcome
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Claimed, Clock, Journal, Milestones, Observer, Sender, Step

AHEAD_SHARE = 8
"""At full speed, one attempt for each so many that may be made at once is opened ahead: about as many as find
a place while a commit takes its time. A crash leaves them in doubt too, which costs them nothing."""

OVERDUE_BATCH = 200
"""Requests that are told at once that they expired; the next ones follow in the next turn."""

SWEEP_SECONDS = 0.25
"""Between two looks for requests whose lifetime has ended: a busy dispatcher need not look each turn."""

OFFLINE_PROBE_SECONDS = 1.0
"""Between two looks whether the network is back: a connection try costs next to nothing, and alarms that wait
should leave within a second or two of its return."""


def _nobody() -> None:
    """Who is woken as long as nobody is named."""


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Runs attempts, at most `pace.maximum` at once."""

    journal: Journal
    sender: Sender
    clock: Clock
    observer: Observer
    milestones: Milestones
    statuses: StatusWriter
    timing: Timing
    jitter: Callable[[], float]
    pace: policy.Pace
    on_status: Callable[[], None]
    on_doubt: Callable[[], None] = _nobody
    limits: policy.Limits = field(default_factory=policy.Limits)
    """The operator's, replaced as a whole when the configuration is read again."""
    meter: Meter = field(default_factory=Unmetered)
    _alarm: Alarm = field(init=False)
    _in_flight: int = field(init=False, default=0)
    """Attempts that Twilio has not answered yet: what the pace bounds."""
    _under_way: int = field(init=False, default=0)
    """Attempts that are not closed yet: what a drain waits for."""
    _draining: bool = field(init=False, default=False)
    _sweep_at: float = field(init=False, default=0.0)
    _probe_at: float = field(init=False, default=0.0)
    _idle: asyncio.Event = field(init=False)
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)
        self._places = asyncio.Semaphore(self.pace.maximum)
        self._idle = asyncio.Event()
        self._idle.set()

    def wake(self) -> None:
        """Something may be due."""
        self._alarm.ring()

    async def limits_changed(self, limits: policy.Limits) -> None:
        """What is attempted from now on is judged by these; what waits for the old ones is judged anew."""
        self.limits = limits
        await self.journal.hasten(Reason.QUOTA_EXCEEDED, now=self.clock.now())
        self.wake()

    def credentials_renewed(self) -> None:
        """There is a login that Twilio has not refused: what waits need not wait for the next probe."""
        self.pace = policy.credentials_renewed(self.pace)
        self.wake()

    async def run(self) -> None:
        """Dispatches until cancelled; attempts under way are then left open for the next start."""
        async with asyncio.TaskGroup() as attempts:
            while True:
                if not await self._turn(attempts):
                    await self._alarm.wait(await self._next_instant())

    async def drain(self) -> None:
        """Opens no attempt any more and waits for those under way."""
        self._draining = True
        await self._idle.wait()

    # One turn: decide, then do.

    async def _turn(self, attempts: asyncio.TaskGroup) -> bool:
        """Whether there may be more to do at once."""
        now = self.clock.now()
        if self._draining:
            return False
        declined = await self._sweep(now)
        if self.limits.paused:
            return await self._answer_paused(now) or declined
        if self.pace.offline and not await self._is_back(now):
            return declined
        now = self.clock.now()  # the sweep and the look at the network may have taken their time
        room = self._room(now)
        claimed = await self.journal.claim(due_before=now, limit=room) if room else []
        if claimed:
            self.milestones.passed(Milestone.CLAIMED)
            await self._admit(attempts, claimed, now)
        return bool(claimed) or declined

    def _room(self, now: float) -> int:
        """How many may be opened now: at full speed some ahead, so that no place waits for a commit."""
        full_speed = self.pace.allowed >= self.pace.maximum and self.pace.refused_since is None
        ahead = self.pace.maximum // AHEAD_SHARE if full_speed else 0
        return policy.room(self.pace, now=now, in_flight=self._in_flight - ahead)

    async def _admit(self, attempts: asyncio.TaskGroup, claimed: Sequence[Claimed], now: float) -> None:
        verdicts, charges = await judging.judged(
            claimed,
            journal=self.journal,
            limits=self.limits,
            now=now,
            admit=lambda request: self._verdict(request, now),
        )
        admitted = [request for request, verdict in verdicts if isinstance(verdict, policy.Admit)]
        await self._turn_away(verdicts, now)
        if not admitted or self._draining:  # the drain may have begun since this turn did
            return
        self._in_flight += len(admitted)
        self._under_way += len(admitted)
        self._idle.clear()
        ids = [request.id for request in admitted]
        offset = self.sender.clock_offset
        await self.journal.open_attempts(ids, at=now, clock_offset=offset, charges=charges)
        self.milestones.passed(Milestone.ATTEMPT_OPENED)
        for request in admitted:
            attempts.create_task(self._attempt(request), name=f"twilio_notifications.attempt.{request.id}")

    def _verdict(self, request: Claimed, now: float) -> policy.Verdict:
        wait = self.timing.credential_wait
        return policy.admit(judging.waiting(request), self.pace, now=now, credential_wait_seconds=wait)

    async def _answer_paused(self, now: float) -> bool:
        """What is not to be sent is answered, whether or not Twilio could be asked; whether there was any."""
        limits = self.limits
        claimed = await self.journal.claim(due_before=now, limit=OVERDUE_BATCH)
        nothing_used = policy.Tally({})
        verdicts = [
            (request, policy.judge(request.notification, limits, nothing_used, now=now))
            for request in claimed
        ]
        return await self._turn_away(verdicts, now)

    async def _turn_away(self, verdicts: Iterable[tuple[Claimed, policy.Verdict]], now: float) -> bool:
        """Postpones and ends, all in one commit, what was not admitted; whether that was any."""
        steps = [
            (request, step)
            for request, verdict in verdicts
            if (step := self._turned_away(request, verdict, now)) is not None
        ]
        await asyncio.gather(*(self.journal.apply(step) for _, step in steps))
        for request, step in steps:
            self.meter.turned_away(request, step)
            self._tell(request, step)
        if steps:
            self.on_status()
        return bool(steps)

    def _turned_away(self, request: Claimed, verdict: policy.Verdict, now: float) -> Step | None:
        match verdict:
            case policy.Admit():
                return None
            case policy.Defer(until=until, reason=reason, message=message):
                return Postpone(id=request.id, at=now, due_at=until, reason=reason, message=message)
            case policy.Decline(reason=reason, message=message):
                return self.statuses.failed(request, reason, message, at=now, counted=False)
            case _:
                assert_never(verdict)

    async def _sweep(self, now: float) -> bool:
        """Ends what has waited long enough; whether there may be more of it."""
        if now < self._sweep_at:
            return False
        overdue = await self.journal.overdue(now=now, limit=OVERDUE_BATCH)
        expired = await judging.expired(overdue, journal=self.journal, limits=self.limits, now=now)
        if await self._turn_away(expired, now) or await self._decline_unauthorized(now):
            return True
        self._sweep_at = now + SWEEP_SECONDS
        return False

    async def _decline_unauthorized(self, now: float) -> bool:
        """While credentials are refused, nothing is claimed but what has waited for them long enough."""
        since, wait = self.pace.refused_since, self.timing.credential_wait
        if since is None or now - since < wait:
            return False
        claimed = await self.journal.claim(due_before=now - wait, limit=OVERDUE_BATCH)
        return await self._turn_away(((request, self._verdict(request, now)) for request in claimed), now)

    async def _is_back(self, now: float) -> bool:
        """Whether the network is back; looked at only so often, however many requests arrive."""
        if now < self._probe_at:
            return False
        # Even where a look succeeds and attempts do not: no faster than this.
        self._probe_at = now + OFFLINE_PROBE_SECONDS
        if not await self.sender.reachable():
            self._probe_at = self.clock.now() + OFFLINE_PROBE_SECONDS
            return False
        self.pace = policy.online(self.pace)
        self.observer.event("twilio_reachable")
        return True

    async def _next_instant(self) -> float | None:
        """When to look again without being woken; None: not before."""
        if self._draining:
            return None
        now, pace = self.clock.now(), self.pace
        agenda = await self.journal.agenda()
        opens_at = policy.opens_at(pace)
        instants = [opens_at] if opens_at > now else []
        if agenda.next_expiry is not None:
            instants.append(max(agenda.next_expiry, self._sweep_at))
        if agenda.next_due is not None and pace.refused_since is not None:
            waiting_since = max(pace.refused_since, agenda.next_due)
            instants.append(max(waiting_since + self.timing.credential_wait, self._sweep_at))
        if pace.offline and not self.limits.paused:
            instants.append(self._probe_at)
        elif agenda.next_due is not None and (self.limits.paused or self._room(now)):
            instants.append(agenda.next_due)
        return min(instants, default=None)

    # One attempt.

    async def _attempt(self, request: Claimed) -> None:
        try:
            try:
                async with self._places:
                    step = await self._made(request)
            finally:
                self._free_place()
            await self.journal.apply(step)
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._idle.set()
        doubt = isinstance(step, Doubt)
        self.milestones.passed(Milestone.DOUBT_RECORDED if doubt else Milestone.ATTEMPT_CLOSED)
        self.meter.attempted(request, step)
        self._tell(request, step)
        self._wake_next(step)

    async def _made(self, request: Claimed) -> Step:
        now = self.clock.now()
        if now >= request.expires_at:  # a failing disk kept the opening from being recorded so long
            verdict = policy.expired(judging.waiting(request), now=now)
            return self.statuses.failed(request, verdict.reason, verdict.message, at=now, counted=False)
        answer = await self._answer(request)
        self.milestones.passed(Milestone.ANSWERED)
        outcome = retry.classify(answer, notification=request.notification)
        return self._step(request, outcome)

    def _free_place(self) -> None:
        """The next attempt may open while this one closes, but not before the pace has learned from it."""
        self._in_flight -= 1
        self.wake()

    async def _answer(self, request: Claimed) -> Answer:
        try:
            return await self.sender.send(request.notification)
        except Exception as error:  # noqa: BLE001 - a defect of ours; the request may have left
            self.observer.defect("attempt_failed", error)
            return Unanswered(detail=f"the connector failed: {type(error).__name__}")

    def _step(self, request: Claimed, outcome: Outcome) -> Step:
        now = self.clock.now()
        match outcome:
            case Accepted():
                self.pace = policy.after_answer(self.pace)
                return self.statuses.accepted(request, outcome, at=now)
            case Refused(reason=reason, message=message, code=code):
                self.pace = policy.after_answer(self.pace)
                return self.statuses.failed(request, reason, message, at=now, counted=True, code=code)
            case Deferred():
                return self._deferred(request, outcome, now=now)
            case InDoubt(message=message):
                look = settlement.first_look(doubt_at=now, settle_seconds=self.timing.settle)
                return Doubt(id=request.id, at=now, settle_at=look, message=message)
            case _:
                assert_never(outcome)

    def _deferred(self, request: Claimed, deferred: Deferred, *, now: float) -> Postpone:
        match deferred.scope:
            case DeferralScope.NETWORK if not self.pace.offline:
                self.observer.event("twilio_unreachable", level=Level.WARNING, error=deferred.message)
            case DeferralScope.CREDENTIALS if self.pace.refused_since is None:
                self.observer.event(
                    "credentials_refused",
                    level=Level.ERROR,
                    error="Twilio refuses the account SID or the secret; requests wait for a new one",
                )
            case _:
                pass
        step, self.pace = postponed(
            request, deferred, self.pace, timing=self.timing, now=now, jitter=self.jitter()
        )
        return step

    def _wake_next(self, step: Step) -> None:
        self.wake()
        if isinstance(step, Doubt):
            self.on_doubt()
        else:
            self.on_status()

    def _tell(self, request: Claimed, step: Step) -> None:
        name, level = {
            "Finish": ("request_finished", Level.DEBUG),
            "Postpone": ("request_postponed", Level.DEBUG),
            "Doubt": ("attempt_in_doubt", Level.WARNING),
        }[type(step).__name__]
        self.observer.event(
            name,
            level=level,
            notification_id=request.id,
            phone_number=request.notification.recipient.phone_number,
            reason=getattr(step, "reason", None),
        )
