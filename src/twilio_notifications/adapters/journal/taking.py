"""What the steps of a request's life do to the rows: runs in the writer's thread, inside its transaction.

It decides nothing: what a step means was decided in the core. It does enforce core/lifecycle.py: a step that
finds its request in another state fails as a defect.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, assert_never

from twilio_notifications.adapters.journal import evidence
from twilio_notifications.adapters.journal.inserts import Inserts
from twilio_notifications.adapters.journal.lanes import Lanes, of_sender
from twilio_notifications.adapters.journal.rows import (
    addressed,
    kept_status,
    paid_back,
)
from twilio_notifications.adapters.journal.standings import read_standing, read_standings, was_ended
from twilio_notifications.adapters.journal.statements import chains
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.lifecycle import ForbiddenTransition, Move, State, apply
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports import Taken, Unreported

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.charging import Charging
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.duplicates import Duplicates
    from twilio_notifications.adapters.journal.memory import Memory, Recipient, Standing
    from twilio_notifications.adapters.journal.paces import Paces
    from twilio_notifications.adapters.journal.sharing import Holder, Sharing
    from twilio_notifications.adapters.journal.turns import Turns
    from twilio_notifications.core.policy import Charge
    from twilio_notifications.core.steps import Step

MOMENT_SECONDS = 1.0
"""A wait that was shorter is not kept in the history."""


@dataclass(slots=True)
class StepChanges:
    """What the steps of one transaction change, statement by statement."""

    inserts: Inserts = field(default_factory=Inserts)
    waits: list[tuple[Any, ...]] = field(default_factory=list)
    finishes: list[tuple[Any, ...]] = field(default_factory=list)
    postponements: list[tuple[Any, ...]] = field(default_factory=list)
    doubts: list[tuple[Any, ...]] = field(default_factory=list)
    repaid: list[Charge] = field(default_factory=list)
    kept: list[tuple[int, int]] = field(default_factory=list)
    """Statuses that are not published, by position and request."""
    hastened: list[tuple[float, int]] = field(default_factory=list)
    """Chains that have something to do since a request of them failed."""
    hangups: list[tuple[str, float, int]] = field(default_factory=list)
    released: list[tuple[int, int]] = field(default_factory=list)
    """Statuses that waited for the one that answers their request, by their new and their old position."""
    recipients: dict[Recipient, None] = field(default_factory=dict)
    """Those whose turn may pass on, in the order of the steps."""

    def write(self, connection: Connection) -> None:
        """Raises ForbiddenTransition where a row was in another state than was known."""
        if self.waits:
            connection.executemany(sql.INSERT_WAIT, self.waits)
        for statement, rows in (
            (sql.FINISH, self.finishes),
            (sql.POSTPONE, self.postponements),
            (sql.DOUBT, self.doubts),
        ):
            if rows and connection.executemany(statement, rows).rowcount != len(rows):
                ids = [row[-1] for row in rows]
                raise ForbiddenTransition(f"not all rows of the requests {ids} allow their steps")
        self.inserts.flush(connection)
        if self.kept or self.hastened or self.hangups or self.released:
            self._write_chains(connection)

    def _write_chains(self, connection: Connection) -> None:
        connection.executemany(chains.KEPT_STATUS, [(position,) for position, _ in self.kept])
        connection.executemany(chains.KEPT_STATE, [(request,) for _, request in self.kept])
        connection.executemany(chains.HASTEN, self.hastened)
        if self.hangups and connection.executemany(chains.HANG_UP_ONE, self.hangups).rowcount:
            connection.execute(chains.MARK_CANCELLED)
        connection.executemany(chains.RELEASE, self.released)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Taker:
    """A kind of calls (kinds.py): each call is a sequence of steps."""

    memory: Memory
    duplicates: Duplicates
    turns: Turns
    paces: Paces
    sharing: Sharing
    charging: Charging
    leads: bool = False
    """The steps are those of the leader."""
    first: bool = True

    def lanes(self, call: Sequence[Step]) -> Lanes | None:
        known = [self.memory.standing(step.id) for step in call]
        if self.leads or any(one is not None and one.chain is not None for one in known):
            return None
        stalls = [step.stall for step in call if isinstance(step, Postpone) and step.stall is not None]
        names = frozenset(of_sender(stall.channel, stall.sender_number) for stall in stalls)
        return Lanes(names=names, requests=frozenset(step.id for step in call))

    def together(self, connection: Connection, calls: Sequence[Sequence[Step]]) -> list[Taken]:
        if self.leads:
            self.sharing.require_leadership(connection)
        if self.duplicates.count and len(calls) > 1:
            # A duplicate's status is written after its original's: call by call, the positions of an earlier
            # call stay below those of a later one.
            return [taken for call in calls for taken in self.together(connection, [call])]
        finishing = sum(isinstance(step, Finish) for steps in calls for step in steps)
        self.memory.numbers.expect("statuses", finishing)
        changes = StepChanges()
        stale: set[int] = set()
        lapsed: set[int] = set()
        if self.sharing.is_shared:
            holders = self.sharing.holders(connection, [step.id for steps in calls for step in steps])
            calls = [self._still_due(connection, steps, holders, lapsed) for steps in calls]
        others = [step.id for steps in calls for step in steps if self._known(step) is None]
        read = read_standings(connection, others)
        written = [[self._take(connection, step, read, changes, stale) for step in steps] for steps in calls]
        changes.write(connection)
        self.charging.pay_back(connection, changes.repaid)
        answered = [self._answer_duplicates(connection, steps, changes) for steps in calls]
        changes.inserts.flush(connection)
        self.turns.pass_on(connection, changes.recipients)
        self.sharing.tell_news()
        return [
            Taken(
                written=tuple([status for statuses in own for status in statuses] + others),
                failed={},
                stale=frozenset(stale),
                lapsed=frozenset(lapsed),
            )
            for own, others in zip(written, answered, strict=True)
        ]

    def _still_due(
        self,
        connection: Connection,
        steps: Sequence[Step],
        holders: dict[int, Holder],
        lapsed: set[int],
    ) -> list[Step]:
        """The steps that are to be taken; the requests of the others are `lapsed`."""
        due: list[Step] = []
        for step in steps:
            instead = self._in_place_of(connection, step, holders)
            if instead is not step:
                lapsed.add(step.id)
            if instead is not None:
                due.append(instead)
        return due

    def _in_place_of(self, connection: Connection, step: Step, holders: dict[int, Holder]) -> Step | None:
        """The step itself, or the one to take in its place; None: none."""
        holder = holders.get(step.id)
        if self.leads:  # its doubt may be settled already, or evidence settles it
            if holder is None:
                return step
            in_doubt = holder.state is State.IN_DOUBT and step.attempt in {None, holder.opened}
            overruled = holder.has_sid and evidence.overrules(connection, step, settles=True)
            return step if in_doubt and not overruled else None
        known = self._known(step)
        attempt = step.attempt if known is None else known.opened
        if not self.sharing.has_lapsed(step, attempt, holder):
            has_sid = attempt is not None and holder is not None and holder.has_sid
            overruled = has_sid and evidence.overrules(connection, step, settles=False)
            return evidence.doubt_instead(step) if overruled else step
        if known is not None:
            self.memory.closed(step.id)
        if attempt is None or holder is None:
            return None
        if holder.state is State.WAITING and isinstance(step, Finish) and step.sid is not None:
            # It was settled as one that sent nothing: without this, it would be sent once more.
            evidence.correct(connection, step, attempt, known)
            return step
        evidence.keep(connection, step, attempt)
        holders[step.id] = replace(holder, has_sid=1)  # for a step of a later attempt
        return None

    def _known(self, step: Step) -> Standing | None:
        """The open attempt that the step closes, as this connector has opened it; None: it has not."""
        if self.leads or step.outcome is None:
            return None
        known = self.memory.standing(step.id)
        return None if known is None or step.attempt not in {None, known.opened} else known

    def parts(self, call: Sequence[Step]) -> list[Sequence[Step]]:
        return [(step,) for step in call]

    def joined(self, call: Sequence[Step], outcomes: Sequence[Taken | Exception]) -> Taken:
        written: list[Unreported] = []
        failed: dict[int, Exception] = {}
        stale: set[int] = set()
        lapsed: set[int] = set()
        for step, outcome in zip(call, outcomes, strict=True):
            if isinstance(outcome, Exception):
                failed[step.id] = outcome
            else:
                written += outcome.written
                failed |= outcome.failed
                stale |= outcome.stale
                lapsed |= outcome.lapsed
        return Taken(written=tuple(written), failed=failed, stale=frozenset(stale), lapsed=frozenset(lapsed))

    def _answer_duplicates(
        self, connection: Connection, steps: Sequence[Step], changes: StepChanges
    ) -> list[Unreported]:
        return [
            status
            for step in steps
            if isinstance(step, Finish)
            for status in self.duplicates.answer(connection, step.id, at=step.at, inserts=changes.inserts)
        ]

    def _take(
        self,
        connection: Connection,
        step: Step,
        read: Mapping[int, Standing],
        changes: StepChanges,
        stale: set[int],
    ) -> Sequence[Unreported]:
        """The statuses that are in the outbox by the step."""
        known = self._known(step)
        standing = known or read.get(step.id) or read_standing(connection, step.id)
        if standing.chain is not None or (known is None and standing.charges is not None):
            self.sharing.require_journal()
        if step.outcome is None and was_ended(connection, step.id, standing):
            stale.add(step.id)
            return ()
        match step:
            case Finish():
                self._move(step, standing, Move.FINISH)
                return self._finish(connection, step, standing, changes)
            case Postpone():
                self._move(step, standing, Move.POSTPONE)
                _postpone(step, standing, changes)
                if step.stall is not None:
                    self.paces.pause(connection, step.stall)
            case Doubt():
                self._move(step, standing, Move.DOUBT)
                changes.doubts.append((step.at, step.message, step.settle_at, step.id))
            case _:
                assert_never(step)
        return ()

    def _finish(
        self, connection: Connection, step: Finish, standing: Standing, changes: StepChanges
    ) -> Sequence[Unreported]:
        if standing.state is State.WAITING:
            end_wait(step.id, standing, step.at, changes)
        else:
            # Where the step does not say how the attempt ended, it may have been carried out.
            outcome = step.outcome or AttemptOutcome.IN_DOUBT
            _close_attempt(step, standing, outcome, step.sid, changes)
        changes.finishes.append((step.at, step.counted, step.id))
        position = self.memory.next_position()
        kept = kept_status(step.status, standing.request_id)
        changes.inserts.statuses.append(
            (position, step.id, kept, step.reason, step.message, step.code, step.sid, step.at, None)
        )
        changes.recipients[standing.recipient] = None
        follow = step.follow
        if follow is not None:
            numbers = (follow.sender_number, follow.phone_number)
            changes.inserts.deliveries.append(
                (step.id, step.sid, step.at, follow.look_at, follow.word, step.at, *numbers)
            )
        if standing.chain is not None and step.reason is not None:
            changes.hastened.append((step.at, standing.chain))
        if step.sid is not None and (standing.chain is not None or standing.channel == Channel.CALL):
            changes.hangups.append((step.sid, step.at, step.id))
        if standing.chain is not None and standing.chain != step.id:
            changes.kept.append((position, step.id))
            self.memory.change(was=State.FINISHED, now=None)
            return ()
        first = addressed(position, step.id, step.status, origin=standing.origin, envelope=standing.envelope)
        if standing.chain is None:
            return (first,)
        return (first, *self._release(connection, step, standing, changes))

    def _release(
        self, connection: Connection, step: Finish, standing: Standing, changes: StepChanges
    ) -> Sequence[Unreported]:
        """The statuses that waited for this one, which now follow it."""
        released = []
        for held, status in connection.execute(chains.HELD_STATUSES, (step.id,)).fetchall():
            position = self.memory.next_position()
            changes.released.append((position, held))
            released.append(
                addressed(position, step.id, status, origin=standing.origin, envelope=standing.envelope)
            )
        return released

    def _move(self, step: Step, standing: Standing, move: Move) -> None:
        try:
            now = apply(standing.state, move)
        except ForbiddenTransition as error:
            # Not the step's repr: that holds the status, and with it whole telephone numbers.
            raise ForbiddenTransition(f"request {step.id}: {error}") from error
        if standing.state is not State.WAITING and step.attempt not in {None, standing.opened}:
            raise ForbiddenTransition(f"request {step.id}: its attempt {step.attempt} is not open")
        self.memory.closed(step.id)
        self.memory.change(was=standing.state, now=now)


def _postpone(step: Postpone, standing: Standing, changes: StepChanges) -> None:
    since = step.at
    if standing.state is not State.WAITING:
        _close_attempt(step, standing, step.outcome or AttemptOutcome.DEFERRED, None, changes)
    elif standing.waiting_reason == step.reason and standing.waiting_since is not None:
        since = standing.waiting_since  # the same wait goes on
    else:
        end_wait(step.id, standing, step.at, changes)
    changes.postponements.append(
        (step.due_at, step.at, step.reason, step.message, since, step.counted, not step.counted, step.id)
    )
    changes.recipients[standing.recipient] = None


def _close_attempt(
    step: Finish | Postpone,
    standing: Standing,
    outcome: AttemptOutcome,
    sid: str | None,
    changes: StepChanges,
) -> None:
    changes.inserts.attempts.append(
        (
            step.id,
            standing.opened,
            standing.opened_at,
            step.at,
            outcome,
            step.reason,
            step.message,
            step.code,
            sid,
        )
    )
    if standing.charges is not None:
        changes.repaid += paid_back(outcome, standing.charges)


def end_wait(id_: int, standing: Standing, at: float, changes: StepChanges) -> None:
    if standing.waiting_since is not None and at - standing.waiting_since > MOMENT_SECONDS:
        changes.waits.append((at, id_))
