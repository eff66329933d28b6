"""Claims what is due, asks the policy, opens attempts, makes them, and closes each with what came of it.

The attempt is on disk before its POST leaves, and its end is on disk together with the status. Waiting is
never a sleeping attempt: a request that waits stands in the journal with its due time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.core import policy, settlement
from twilio_notifications.core.answers import classify
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.model import (
    Accepted,
    Deferred,
    InDoubt,
    Refused,
    Unanswered,
)
from twilio_notifications.pipeline import judging
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.aside import PERHAPS_SENT, Aside
from twilio_notifications.pipeline.deferring import Timing, postponed
from twilio_notifications.pipeline.pauses import Pauses
from twilio_notifications.pipeline.slots import Slots
from twilio_notifications.pipeline.turning_away import TurningAway, tell
from twilio_notifications.ports import Doubt, Postpone
from twilio_notifications.ports.events import AttemptsOpened, Defect, RequestsClaimed, TwilioAnswered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from twilio_notifications.core.model import Answer, Outcome
    from twilio_notifications.pipeline.failures import Failures
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Claimed, Clock, Events, Journal, Sender, Step

AHEAD_SHARE = 8
"""At full speed, open maximum/8 more attempts than may run, so that no slot waits for a commit. A crash
leaves them in doubt too; the next start makes them again without counting a retry."""

OVERDUE_BATCH = 200
"""Overdue requests that are answered with Expired in one turn; the others follow in the next turn."""

SWEEP_SECONDS = 0.25
"""Between two looks for requests whose lifetime has ended: a busy dispatcher need not look each turn."""

HELD_SECONDS = 5.0
"""A shorter pause is over before anybody has looked at the journal."""
HELD_PER_SECOND = 20

OFFLINE_PROBE_SECONDS = 1.0
"""Between two looks whether the network is back: a connection try costs next to nothing, and alarms that wait
should leave within a second or two of its return."""


def _unheard() -> None:
    """Is called until a listener is set."""


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Runs attempts, at most `pace.maximum` at once."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    statuses: StatusWriter
    failures: Failures
    timing: Timing
    jitter: Callable[[], float]
    pace: policy.Pace
    on_status: Callable[[], None]
    on_doubt: Callable[[], None] = _unheard
    limits: policy.Limits = field(default_factory=policy.Limits)
    """The operator's, replaced as a whole when the configuration is read again."""
    _alarm: Alarm = field(init=False)
    _aside: Aside = field(init=False)
    _turning_away: TurningAway = field(init=False)
    _pauses: Pauses = field(init=False)
    _slots: Slots = field(init=False)
    _draining: bool = field(init=False, default=False)
    _place: int = field(init=False, default=0)
    """Number of the next place in its round of ten, by which no class of priority is starved."""
    _held_until: float = field(init=False, default=0.0)
    """The pause for which requests were last written down as waiting, and how many were."""
    _held: int = field(init=False, default=0)
    _sweep_at: float = field(init=False, default=0.0)
    _probe_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self._alarm = Alarm(self.clock)
        self._aside = Aside(
            journal=self.journal, statuses=self.statuses, clock=self.clock, events=self.events
        )
        self._turning_away = TurningAway(
            aside=self._aside,
            statuses=self.statuses,
            events=self.events,
            failures=self.failures,
        )
        self._pauses = Pauses(events=self.events, clock=self.clock)
        self._slots = Slots(self.pace.maximum)

    def wake(self) -> None:
        """Something may be due."""
        self._alarm.ring()

    async def limits_changed(self, limits: policy.Limits) -> None:
        """What is attempted from now on is judged by these; what waits for the old ones is judged again."""
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
        await self._slots.idle()

    # One turn: decide, then do.

    async def _turn(self, attempts: asyncio.TaskGroup) -> bool:
        """Whether there may be more to do at once."""
        now = self.clock.now()
        self._pauses.passed()
        if self._draining:
            return False
        declined = await self._sweep(now)
        if self.limits.paused:
            return await self._answer_paused(now) or declined
        if self.pace.offline and not await self._is_back(now):
            return declined
        now = self.clock.now()  # the sweep and the look at the network may have taken their time
        room = self._room(now)
        claimed = await self.journal.claim(due_before=now, limit=room, place=self._place) if room else []
        if claimed:
            self.events.tell(RequestsClaimed(requests=claimed))
            await self._admit(attempts, claimed, now)
        if await self._aside.answer_broken():
            self.on_status()
        return bool(claimed) or declined or (not room and await self._hold(now))

    async def _hold(self, now: float) -> bool:
        """Writes into the journal how long requests wait, where that is long; whether there may be more.

        Bounded for each second of the pause: a large backlog would cost more to write than to keep.
        """
        until = self.pace.closed_until
        if until - now < HELD_SECONDS:
            return False
        if until != self._held_until:
            self._held_until, self._held = until, 0
        room = min(OVERDUE_BATCH, int(HELD_PER_SECOND * (until - now)) - self._held)
        claimed = await self.journal.claim(due_before=now, limit=room) if room > 0 else []
        self._held += len(claimed)
        return await self._turn_away(((request, self._verdict(request, now)) for request in claimed), now)

    def _room(self, now: float) -> int:
        """How many may be opened now: at full speed some ahead, so that no place waits for a commit."""
        full_speed = self.pace.allowed >= self.pace.maximum and self.pace.refused_since is None
        ahead = self.pace.maximum // AHEAD_SHARE if full_speed else 0
        return policy.room(self.pace, now=now, in_flight=self._slots.in_flight - ahead)

    async def _admit(self, attempts: asyncio.TaskGroup, claimed: Sequence[Claimed], now: float) -> None:
        verdicts: list[tuple[Claimed, policy.Verdict]] = []
        charges: dict[int, Sequence[policy.Charge]] = {}

        async def judge(requests: Sequence[Claimed]) -> None:
            found, charged = await judging.judged(
                requests,
                journal=self.journal,
                limits=self.limits,
                now=now,
                admit=lambda request: self._verdict(request, now),
            )
            verdicts.extend(found)
            charges.update(charged)

        await self._aside.each(claimed, judge)
        admitted = [request for request, verdict in verdicts if isinstance(verdict, policy.Admit)]
        await self._turn_away(verdicts, now)
        if admitted and not self._draining:  # the drain may have begun since this turn did
            await self._open(attempts, admitted, charges, now)

    async def _open(
        self,
        attempts: asyncio.TaskGroup,
        admitted: Sequence[Claimed],
        charges: Mapping[int, Sequence[policy.Charge]],
        now: float,
    ) -> None:
        opened: list[Claimed] = []

        async def open_attempts(requests: Sequence[Claimed]) -> None:
            ids = [request.id for request in requests]
            offset = self.sender.clock_offset
            await self.journal.open_attempts(ids, at=now, clock_offset=offset, charges=charges)
            opened.extend(requests)

        self._place = (self._place + len(admitted)) % policy.ROUND
        self._slots.take(len(admitted))
        await self._aside.each(admitted, open_attempts)
        if opened:
            self.events.tell(AttemptsOpened(requests=opened))
        for request in opened:
            attempts.create_task(self._attempt(request), name=f"twilio_notifications.attempt.{request.id}")
        set_aside = len(admitted) - len(opened)
        self._slots.answered(set_aside)
        self._slots.closed(set_aside)

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
        verdicts = list(verdicts)
        for _, verdict in verdicts:
            self._pauses.kept(verdict)
        turned = await self._turning_away.carry_out(verdicts, now)
        if turned:
            self.on_status()
        return turned

    async def _sweep(self, now: float) -> bool:
        """Ends what has waited long enough; whether there may be more of it."""
        if now < self._sweep_at:
            return False
        overdue = await self.journal.overdue(now=now, limit=OVERDUE_BATCH)
        await self._aside.each(overdue, lambda requests: self._expire(requests, now))
        if overdue or await self._decline_unauthorized(now):
            return True
        self._sweep_at = now + SWEEP_SECONDS
        return False

    async def _expire(self, overdue: Sequence[Claimed], now: float) -> None:
        expired = await judging.expired(overdue, journal=self.journal, limits=self.limits, now=now)
        await self._turn_away(expired, now)

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
        self._pauses.reached(was_offline=True)
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
            step = await self._aside.carry_out(request, self._place_taken(request), sentence=PERHAPS_SENT)
        finally:
            self._slots.closed()
        if step is None:
            return
        tell(request, step, attempted=True, events=self.events, failures=self.failures)
        self._wake_next(step)

    async def _place_taken(self, request: Claimed) -> Step:
        try:
            async with self._slots.place:
                return await self._made(request)
        finally:
            self._free_place()

    async def _made(self, request: Claimed) -> Step:
        now = self.clock.now()
        if now >= request.expires_at:  # a failing disk kept the opening from being recorded so long
            verdict = policy.expired(judging.waiting(request), now=now)
            return self.statuses.failed(request, verdict.reason, verdict.message, at=now, counted=False)
        answer = await self._answer(request)
        self.events.tell(TwilioAnswered(request=request, answer=answer))
        outcome = classify(answer, notification=request.notification)
        return self._step(request, outcome)

    def _free_place(self) -> None:
        """The next attempt may open while this one closes, but not before the pace has learned from it."""
        self._slots.answered()
        self.wake()

    async def _answer(self, request: Claimed) -> Answer:
        try:
            return await self.sender.send(request.notification)
        except Exception as error:  # noqa: BLE001 - a defect of ours; the request may have left
            self.events.tell(Defect(name="attempt_failed", error=error))
            return Unanswered(detail=f"the connector failed: {type(error).__name__}")

    def _step(self, request: Claimed, outcome: Outcome) -> Step:
        now = self.clock.now()
        match outcome:
            case Accepted():
                self._learn_from_an_answer()
                return self.statuses.accepted(request, outcome, at=now)
            case Refused(reason=reason, message=message, code=code):
                self._learn_from_an_answer()
                return self.statuses.failed(request, reason, message, at=now, counted=True, code=code)
            case Deferred():
                return self._deferred(request, outcome, now=now)
            case InDoubt(message=message):
                look = settlement.first_look(doubt_at=now, settle_seconds=self.timing.settle)
                return Doubt(id=request.id, at=now, settle_at=look, message=message)
            case _:
                assert_never(outcome)

    def _learn_from_an_answer(self) -> None:
        self.pace = policy.after_answer(self.pace)
        self._pauses.answered()

    def _deferred(self, request: Claimed, deferred: Deferred, *, now: float) -> Postpone:
        before = self.pace
        step, self.pace = postponed(
            request, deferred, before, timing=self.timing, now=now, jitter=self.jitter()
        )
        self._pauses.began(
            deferred,
            before=before,
            after=self.pace,
            sender=request.notification.sender_number,
            fails_at=now + self.timing.credential_wait,
        )
        return step

    def _wake_next(self, step: Step) -> None:
        self.wake()
        if isinstance(step, Doubt):
            self.on_doubt()
        else:
            self.on_status()
