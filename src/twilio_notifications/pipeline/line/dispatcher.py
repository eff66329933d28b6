"""Claims what is due, asks the policy, and opens attempts.

The attempt is on disk before its POST leaves, and its end is on disk together with the status. Waiting is
never a sleeping attempt: a request that waits stands in the journal with its due time.
"""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from twilio_notifications.core import policy
from twilio_notifications.core.conclusions import NOT_SENT, turn_away
from twilio_notifications.core.lifecycle import State
from twilio_notifications.ports.events import RequestsClaimed
from twilio_notifications.ports.journal import Opening

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.admission import Admission, Verdicts
    from twilio_notifications.pipeline.line.aside import Aside
    from twilio_notifications.pipeline.line.attempts import Attempts
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.line.slots import Slots
    from twilio_notifications.pipeline.line.taking import StepTaker
    from twilio_notifications.ports import Clock, Sender
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Journal

OVERDUE_BATCH = 200
"""Overdue requests that are answered with Expired in one turn; the others follow in the next turn."""

SWEEP_SECONDS = 0.25
"""The pause between two looks for requests whose lifetime has ended: a busy dispatcher skips turns."""

HELD_SECONDS = 5.0
"""A shorter pause is over before a person has looked at the journal."""
HELD_PER_SECOND = 20

OFFLINE_PROBE_SECONDS = 1.0
"""The pause between two looks whether the network is back: a try costs next to nothing, and alarms that wait
should leave within a second or two of its return."""


@dataclass(slots=True, kw_only=True)
class Dispatcher:
    """Opens attempts, as many as the pace and the places allow."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    bells: Bells
    pacing: Pacing
    admission: Admission
    slots: Slots
    attempts: Attempts
    taker: StepTaker
    aside: Aside
    leads: Callable[[], bool]
    """Whether this connector ends what has waited too long, among those that share the journal."""
    may_attempt: Callable[[], bool]
    """Whether the leases of what is claimed last; a beat that succeeds rings the bell of the work."""
    _draining: bool = field(init=False, default=False)
    _caught_up: bool = field(init=False, default=False)
    """No request waits for a place, so that one that arrives may leave at once."""
    _place: int = field(init=False, default=0)
    """Number of the next place in its round of ten, by which no class of priority is starved."""
    _held_until: float = field(init=False, default=0.0)
    """The pause for which requests were last written down as waiting, and how many were."""
    _held: int = field(init=False, default=0)
    _sweep_at: float = field(init=False, default=0.0)
    _probe_at: float = field(init=False, default=0.0)

    async def run(self) -> None:
        """Dispatches until cancelled; attempts under way are then left open for the next start.

        Raises what ends the journal.
        """
        if self.leads():
            self.pacing.resume(await self.journal.lasting_pauses())
        await self.admission.compare_rules()
        try:
            async with asyncio.TaskGroup() as parts:
                parts.create_task(self.taker.run(), name="twilio_notifications.taker")
                parts.create_task(self.pacing.pauses.run(self.journal), name="twilio_notifications.pauses")
                while True:
                    look = await self._turn()
                    if look is None or look > self.clock.now():
                        await self.bells.work.wait(look)
        finally:
            self._draining = True
            await self.attempts.cancel()

    async def drain(self) -> None:
        """Opens no attempt any more and waits for those under way."""
        self._draining = True
        await self.slots.idle()

    # What arrives may leave at once: its attempt is opened in the transaction that records it.

    def opening(self, *, now: float) -> Opening | None:
        """Places for requests that arrive now, also where none is free; None while others wait for them."""
        if self._draining or not self._caught_up or not self.may_attempt():
            return None
        places = self._room(now)
        if not places and (self.pacing.pace.offline or now < policy.opens_at(self.pacing.pace)):
            return None
        return Opening(at=now, clock_offset=self.sender.clock_offset, places=places)

    def may_leave(self, request: Claimed, *, now: float) -> bool:
        """Whether the rules admit it without a look into the journal."""
        situation = self.admission.situation(now=now)
        return not situation.limits.counts and policy.admit(request, situation) is policy.ADMITTED

    def reserve(self, count: int) -> None:
        """`count` of the places are about to be taken."""
        self.slots.reserve(count)

    def wake(self) -> None:
        """A request waits in the journal."""
        self.bells.work.ring()

    def begin(self, requests: Sequence[Claimed], *, reserved: int, left: int) -> None:
        """Makes the attempts that are open; `left` others would be, had there been places for them."""
        if left and len(requests) == reserved:
            self._caught_up = False
        self.attempts.begin(requests, reserved=reserved)

    # One turn: decide, then do. Each part says when it has to be looked at again; None: not before the bell.

    async def _turn(self) -> float | None:
        now, pacing = self.clock.now(), self.pacing
        pacing.pauses.passed()
        if self._draining:
            return None
        opens_at = policy.opens_at(pacing.pace)
        looks = [opens_at if now < opens_at < math.inf else None, await self._sweep(now)]
        if self.admission.limits.paused:
            # What is not to be sent is answered, whether or not Twilio could be asked.
            answered = await self._turn_away_some(due_before=now, limit=OVERDUE_BATCH, now=now)
            looks.append(now if answered else (await self.journal.agenda()).next_due)
        elif pacing.pace.offline and not await self._is_back(now):
            looks.append(self._probe_at)
        else:
            looks.append(await self._dispatch(self.clock.now()))
        await self.aside.answer_broken()
        return min((look for look in looks if look is not None), default=None)

    def _nothing_waits(self) -> bool:
        return not self.journal.by_state()[State.WAITING]

    async def _sweep(self, now: float) -> float | None:
        """Ends what has waited long enough."""
        if self._nothing_waits() or not self.leads():
            return None
        if now < self._sweep_at:
            return self._sweep_at
        overdue = await self.journal.overdue(now=now, limit=OVERDUE_BATCH)
        await self.aside.each(overdue, lambda requests: self._expire(requests, now))
        if overdue or await self._decline_unauthorized(now):
            return now
        self._sweep_at = now + SWEEP_SECONDS
        return await self._next_sweep(now)

    async def _next_sweep(self, now: float) -> float | None:
        agenda, since = await self.journal.agenda(), self.pacing.pace.refused_since
        ends = [] if agenda.next_expiry is None else [agenda.next_expiry]
        if since is not None and agenda.next_due is not None and self.pacing.pace.paused_until <= now:
            ends.append(max(since, agenda.next_due) + self.pacing.timing.credential_wait)
        return max(min(ends), self._sweep_at) if ends else None

    async def _expire(self, overdue: Sequence[Claimed], now: float) -> None:
        await self._turn_away(await self.admission.expire(overdue, now=now), now)

    async def _decline_unauthorized(self, now: float) -> bool:
        """While credentials are refused, nothing is claimed but what has waited for them long enough."""
        since, wait = self.pacing.pace.refused_since, self.pacing.timing.credential_wait
        if since is None or now - since < wait or self.pacing.pace.paused_until > now:
            return False
        return bool(await self._turn_away_some(due_before=now - wait, limit=OVERDUE_BATCH, now=now))

    async def _is_back(self, now: float) -> bool:
        """Whether the network is back; looked at only so often, however many requests arrive."""
        if now < self._probe_at:
            return False
        # Even where a look succeeds and attempts do not: no faster than this.
        self._probe_at = now + OFFLINE_PROBE_SECONDS
        if not await self.sender.reachable():
            self._probe_at = self.clock.now() + OFFLINE_PROBE_SECONDS
            return False
        self.pacing.go_online()
        return True

    async def _dispatch(self, now: float) -> float | None:
        """Claims as many as there is room for, and opens attempts of those that the rules admit."""
        if self._nothing_waits() or not self.may_attempt():
            self._caught_up = True
            return None
        room = self._room(now)
        if room < max(1, self.pacing.ahead // 2):
            # A claim of one request costs nearly as much as a claim of ten, and every place is taken.
            self._caught_up = False
            return await self._hold(now)
        claimed = await self.journal.claim(due_before=now, limit=room, place=self._place, pace_at=now)
        self._caught_up = len(claimed) < room
        if claimed:
            self.events.tell(RequestsClaimed(requests=claimed))
            await self._admit(claimed, now)
        return (await self.journal.agenda()).next_due if self._caught_up else now

    def _room(self, now: float) -> int:
        """How many may be opened now: at full speed some ahead, so that no place waits for a commit."""
        in_flight = self.slots.in_flight - self.pacing.ahead
        return policy.room(self.pacing.pace, now=now, in_flight=in_flight)

    async def _hold(self, now: float) -> float | None:
        """Writes into the journal how long requests wait, where that is long.

        Bounded for each second of the pause: a large backlog would cost more to write than to keep.
        """
        until = self.pacing.pace.closed_until
        if until - now < HELD_SECONDS:
            return None
        if until != self._held_until:
            self._held_until, self._held = until, 0
        room = min(OVERDUE_BATCH, int(HELD_PER_SECOND * (until - now)) - self._held)
        if room <= 0:
            return None
        held = await self._turn_away_some(due_before=now, limit=room, now=now)
        self._held += held
        return now if held else None

    async def _admit(self, claimed: Sequence[Claimed], now: float) -> None:
        verdicts: Verdicts = []
        charges: dict[int, Sequence[policy.Charge]] = {}

        async def judge(requests: Sequence[Claimed]) -> None:
            found, charged = await self.admission.judge(requests, now=now)
            verdicts.extend(found)
            charges.update(charged)

        await self.aside.each(claimed, judge)
        admitted = [request for request, verdict in verdicts if isinstance(verdict, policy.Admit)]
        await self._turn_away(verdicts, now)
        if self._draining:  # since this turn began
            await self.journal.release([request.id for request in admitted])
        elif admitted:
            await self._open(admitted, charges, now)

    async def _open(
        self, admitted: Sequence[Claimed], charges: Mapping[int, Sequence[policy.Charge]], now: float
    ) -> None:
        opened: list[Claimed] = []

        async def open_attempts(requests: Sequence[Claimed]) -> None:
            ids = [request.id for request in requests]
            offset = self.sender.clock_offset
            begun = set(await self.journal.open_attempts(ids, at=now, clock_offset=offset, charges=charges))
            # What was cancelled since its claim has no attempt.
            opened.extend(request for request in requests if request.id in begun)

        self._place = (self._place + len(admitted)) % policy.ROUND
        self.slots.reserve(len(admitted))
        await self.aside.each(admitted, open_attempts)
        self.attempts.begin(opened, reserved=len(admitted))

    async def _turn_away_some(self, *, due_before: float, limit: int, now: float) -> int:
        """Claims requests, and postpones and ends those that the rules do not admit; how many those were."""
        claimed = await self.journal.claim(due_before=due_before, limit=limit)
        situation = self.admission.situation(now=now)
        turned = await self._turn_away([(one, policy.admit(one, situation)) for one in claimed], now)
        if turned < len(claimed):
            await self.journal.release([one.id for one in claimed])
        return turned

    async def _turn_away(self, verdicts: Verdicts, now: float) -> int:
        """Postpones and ends, all in one commit, what is not admitted; how many requests."""
        turned = {
            request.id: (request, verdict)
            for request, verdict in verdicts
            if not isinstance(verdict, policy.Admit)
        }

        async def take(requests: Sequence[Claimed]) -> None:
            ended = [
                (request, turn_away(request, turned[request.id][1], statuses=self.pacing.statuses, now=now))
                for request in requests
            ]
            tell = partial(self.taker.tell, attempted=False)
            await self.taker.take(ended, sentence=NOT_SENT, outcome=None, tell=tell)

        for _, verdict in turned.values():
            self.pacing.pauses.kept(verdict)
        await self.aside.each([request for request, _ in turned.values()], take)
        return len(turned)
