"""What the journal should hold, without a database: a dictionary, and the table of core/lifecycle.py.

Every change of a state goes through `lifecycle.apply`, so the model reaches no state that the table forbids;
the journal is compared with it after each step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twilio_notifications.core import lifecycle
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import UNFINISHED, Move, State
from twilio_notifications.core.model import Priority
from twilio_notifications.ports import Agenda, Mark, Recovery

if TYPE_CHECKING:
    from collections.abc import Iterable

    from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
    from twilio_notifications.ports import NewRejection, NewRequest

RANKS = {Priority.URGENT: 0, Priority.NORMAL: 1, Priority.LOW: 2}


@dataclass(slots=True, kw_only=True)
class Doubted:
    """The attempt that is open, as far as settling goes."""

    cut_off: bool = False
    doubt_at: float | None = None
    settle_at: float | None = None


@dataclass(slots=True, kw_only=True)
class Kept:
    """One request, as it should stand in the journal."""

    id: int
    state: State
    recipient: str | None = None
    rank: int = 1
    accepted_at: float
    expires_at: float = 0.0
    due_at: float = 0.0
    attempts: int = 0
    deferrals: int = 0
    openings: int = 0
    open: Doubted | None = None
    outcomes: list[AttemptOutcome] = field(default_factory=list)
    """Of the attempts that are closed, in their order."""
    status: bytes | None = None
    unknown: bool = False
    """It was answered with OutcomeUnknown."""
    sid: str | None = None
    finished_at: float | None = None
    mark: Mark | None = None

    def close(self, outcome: AttemptOutcome | None) -> None:
        """The step names an outcome just where an attempt is open."""
        assert (self.open is None) == (outcome is None)
        if outcome is not None:
            self.outcomes.append(outcome)
        self.open = None

    def take(self, move: Move) -> None:
        self.state = lifecycle.apply(self.state, move)


@dataclass(slots=True, kw_only=True)
class Model:
    """All requests that are kept, the outbox, and what became of those that are gone."""

    ordered: bool
    """By acceptance for each recipient, or by due time."""
    kept: dict[int, Kept] = field(default_factory=dict)
    outbox: list[int] = field(default_factory=list)
    written: dict[int, int] = field(default_factory=dict)
    """How many statuses were written for each request that was ever accepted."""
    purged: set[int] = field(default_factory=set)
    latest: int = 0

    # What is there.

    def unfinished(self) -> list[Kept]:
        return [kept for kept in self.kept.values() if kept.state in UNFINISHED]

    def unfinished_of(self, recipient: str) -> list[Kept]:
        return [kept for kept in self.unfinished() if kept.recipient == recipient]

    def within(self, *states: State) -> list[Kept]:
        return [kept for kept in self.kept.values() if kept.state in states]

    def turns(self) -> list[Kept]:
        """Whose turn it is, for each recipient without an open attempt."""
        busy = {kept.recipient for kept in self.within(State.OPEN, State.IN_DOUBT)}
        first: dict[str | None, Kept] = {}
        waiting = self.within(State.WAITING)
        for kept in sorted(waiting, key=lambda kept: kept.id if self.ordered else (kept.due_at, kept.id)):
            first.setdefault(kept.recipient, kept)
        return [kept for kept in first.values() if kept.recipient not in busy]

    def claimable(self, *, now: float, limit: int) -> list[int]:
        due = [kept for kept in self.turns() if kept.due_at <= now]
        return [kept.id for kept in sorted(due, key=lambda kept: (kept.rank, kept.due_at, kept.id))][:limit]

    def overdue(self, *, now: float) -> list[int]:
        return [kept.id for kept in self.within(State.WAITING) if kept.expires_at <= now]

    def doubtful(self, *, now: float) -> list[int]:
        return [
            kept.id
            for kept in self.unfinished()
            if kept.open is not None and kept.open.settle_at is not None and kept.open.settle_at <= now
        ]

    def agenda(self) -> Agenda:
        settling = [kept.open.settle_at for kept in self.unfinished() if kept.open is not None]
        return Agenda(
            next_due=_earliest(kept.due_at for kept in self.turns()),
            next_expiry=_earliest(kept.expires_at for kept in self.within(State.WAITING)),
            next_settlement=_earliest(at for at in settling if at is not None),
        )

    def holds_mark(self, mark: Mark) -> bool:
        """Whether the newest arrival with this packet identifier is this one."""
        marked = [kept for kept in self.kept.values() if kept.mark and kept.mark.packet_id == mark.packet_id]
        return bool(marked) and max(marked, key=lambda kept: kept.id).mark == mark

    # What happens.

    def accept(self, arrival: NewRequest) -> None:
        kept = self._add(State.WAITING, arrival)
        kept.recipient = arrival.notification.recipient.phone_number
        kept.rank = RANKS[arrival.notification.priority]
        kept.expires_at = arrival.expires_at
        kept.due_at = arrival.accepted_at

    def reject(self, arrival: NewRejection) -> None:
        kept = self._add(State.FINISHED, arrival)
        self._write(kept, arrival.status, arrival.accepted_at)

    def _add(self, state: State, arrival: NewRequest | NewRejection) -> Kept:
        self.latest += 1
        kept = Kept(id=self.latest, state=state, accepted_at=arrival.accepted_at, mark=arrival.mark)
        self.kept[kept.id] = kept
        self.written[kept.id] = 0
        return kept

    def open(self, id_: int) -> None:
        kept = self.kept[id_]
        if self.ordered:
            earlier = [
                other for other in self.unfinished() if other.recipient == kept.recipient and other.id < id_
            ]
            assert [] == earlier, "it overtakes another request of its recipient"
        kept.take(Move.OPEN_ATTEMPT)
        kept.openings += 1
        kept.open = Doubted()
        open_ones = self.within(State.OPEN, State.IN_DOUBT)
        assert 1 == sum(other.recipient == kept.recipient for other in open_ones)

    def finish(self, step: Finish) -> None:
        kept = self.kept[step.id]
        kept.take(Move.FINISH)
        kept.attempts += step.counted
        kept.close(step.outcome)
        kept.sid = step.sid
        kept.unknown = step.reason is Reason.OUTCOME_UNKNOWN
        self._write(kept, step.status, step.at)

    def resolve(self, step: Finish) -> None:
        """Its one status is replaced, and leaves (again) as the newest."""
        kept = self.kept[step.id]
        if kept.state is State.FINISHED:
            self.outbox.remove(kept.id)
        kept.take(Move.RESOLVE)
        kept.sid, kept.status, kept.unknown = step.sid, step.status, False
        self.outbox.append(kept.id)

    def _write(self, kept: Kept, status: bytes, at: float) -> None:
        kept.status, kept.finished_at = status, at
        self.written[kept.id] += 1
        self.outbox.append(kept.id)

    def postpone(self, step: Postpone) -> None:
        kept = self.kept[step.id]
        kept.take(Move.POSTPONE)
        kept.attempts += step.counted
        kept.deferrals += not step.counted
        kept.close(step.outcome)
        kept.due_at = step.due_at

    def doubt(self, step: Doubt) -> None:
        kept = self.kept[step.id]
        kept.take(Move.DOUBT)
        assert kept.open is not None
        kept.open.doubt_at = step.at if kept.open.doubt_at is None else kept.open.doubt_at
        kept.open.settle_at = step.settle_at

    def report(self, ids: Iterable[int]) -> None:
        for id_ in ids:
            self.kept[id_].take(Move.REPORT)
            self.outbox.remove(id_)

    def purge(self, *, finished_before: float, limit: int) -> int:
        old = [
            kept
            for kept in self.within(State.REPORTED)
            if kept.finished_at is not None and kept.finished_at < finished_before
        ]
        gone = sorted(old, key=lambda kept: (kept.finished_at, kept.id))[:limit]
        for kept in gone:
            del self.kept[kept.id]
            self.purged.add(kept.id)
        return len(gone)

    def recover(self, *, now: float) -> Recovery:
        """What an earlier run left: attempts are in doubt, and nothing was accepted in the future."""
        for kept in self.unfinished():
            if kept.state is State.OPEN:
                kept.take(Move.DOUBT)
                kept.open = Doubted(cut_off=True)
            if kept.open is not None:
                kept.open.doubt_at = kept.open.settle_at = now
            if kept.accepted_at > now:
                kept.expires_at = now + (kept.expires_at - kept.accepted_at)
                kept.due_at = min(kept.due_at, now)
                kept.accepted_at = now
        return Recovery(
            waiting=len(self.within(State.WAITING)),
            in_doubt=len(self.within(State.IN_DOUBT)),
            unreported=len(self.outbox),
        )


def _earliest(instants: Iterable[float]) -> float | None:
    return min(instants, default=None)
