"""The journal's whole life against a small model: whatever happens in whatever order, and machines die.

A crash copies the files as they stand, in the middle of a transaction if so drawn, and goes on with the copy:
just what a kill leaves behind. After each step the database and the model hold the same.
"""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, cast

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.pipeline.journal_model import Model
from tests.support.factories import (
    START,
    a_failure,
    a_mark,
    a_postponement,
    a_rejection,
    a_request,
    a_success,
)
from tests.support.fakes import RecordingEvents
from tests.support.journals import connection_of
from tests.support.orders import ordered
from twilio_notifications.adapters.journal.statements.conditions import WHOLE_STATUS
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import TRANSITIONS, UNFINISHED, ForbiddenTransition, Move, State
from twilio_notifications.core.model import Priority
from twilio_notifications.core.orders import ResolveOrder
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports import Opening, Recorded, Recording

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tests.pipeline.journal_model import Kept
    from twilio_notifications.adapters.journal.kinds import Kind
    from twilio_notifications.adapters.journal.writer import Writer
    from twilio_notifications.core.steps import Step
    from twilio_notifications.ports import Arrival

R = TypeVar("R")

FULL_AT = 6
"""Requests that the journal takes in: few, so that it is full now and then."""

RECIPIENTS = ["+12345000000", "+12345000001", "+12345000002"]
LIFETIMES = [5.0, 60.0, 3600.0]
CHOICE = st.integers(0, 1_000)
"""Which of those that are there."""
SECONDS = st.integers(0, 100).map(float)

ROWS = f"""
SELECT states.request, state, due_at, attempts, deferrals, {WHOLE_STATUS}, sid, finished_at, turn
FROM states JOIN requests ON id = states.request
LEFT JOIN statuses ON position = (SELECT MAX(position) FROM statuses WHERE request = states.request)
ORDER BY states.request
"""  # noqa: S608 - constants
OPEN_ATTEMPTS = "SELECT request, cut_off, doubt_at, settle_at FROM states WHERE opened_at IS NOT NULL"
OPENINGS = "SELECT request, opened FROM states WHERE opened > 0"
CLOSED_ATTEMPTS = "SELECT request, number, outcome FROM attempts ORDER BY request, number"


class NoCommit:
    """A writer that is killed before its commit."""

    def __init__(self, connection: sqlite3.Connection, loop: asyncio.AbstractEventLoop) -> None:
        self._connection = connection
        self._loop = loop

    def give(self, kind: Kind[Any, R], call: Any, **_circumstances: object) -> asyncio.Future[R]:
        done: asyncio.Future[R] = self._loop.create_future()
        done.set_result(kind.together(self._connection, [call])[0])
        return done


class JournalMachine(RuleBasedStateMachine):
    """Drives one journal from start to start."""

    ordering: ClassVar[Literal["recipient", "none"]] = "recipient"

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = TemporaryDirectory(prefix="journal-model-")
        self.runs = 0
        self.now = START
        self.digests = 0
        self.reported: list[int] = []
        """Positions of statuses that have left the outbox."""
        self.model = Model(ordered=self.ordering == "recipient")
        self.path = Path(self.folder.name) / "journal.db"
        self.journal: SqliteJournal

    def run(self, coroutine: Coroutine[Any, Any, R]) -> R:
        return self.loop.run_until_complete(coroutine)

    def start(self) -> None:
        events = RecordingEvents()
        journal = SqliteJournal(self.path, events=events, ordering=self.ordering, maximum_waiting=FULL_AT)
        self.journal = self.run(journal.__aenter__())
        # A crash is a copy of the files here: waiting for the disk would prove nothing.
        self.connection().execute("PRAGMA synchronous = OFF")
        assert self.model.recover(now=self.now) == self.run(self.journal.recover(now=self.now))

    def connection(self) -> sqlite3.Connection:
        """The writer's."""
        return connection_of(self.journal)

    def stop(self) -> None:
        self.run(self.journal.__aexit__(None, None, None))

    @initialize()
    def begin(self) -> None:
        self.start()

    def teardown(self) -> None:
        try:
            if hasattr(self, "journal"):
                self.end_everything()
                self.stop()
        finally:
            self.loop.close()
            self.folder.cleanup()

    # Arrivals.

    async def record(self, arrival: Arrival, *, places: int = 0) -> Recorded:
        """What becomes of it, where so many attempts may be opened at once."""
        opening = Opening(at=self.now, clock_offset=None, places=places)
        return (await self.journal.record([arrival], opening=opening)).recorded[0]

    @rule(
        recipient=st.sampled_from(RECIPIENTS),
        priority=st.sampled_from(list(Priority)),
        lifetime=st.sampled_from(LIFETIMES),
        packet_id=st.integers(1, 3),
        may_leave=st.booleans(),
        places=st.integers(0, 1),
    )
    def accept(
        self,
        recipient: str,
        priority: Priority,
        lifetime: float,
        packet_id: int,
        *,
        may_leave: bool,
        places: int,
    ) -> None:
        self.digests += 1
        mark = a_mark(packet_id, digest=b"%16d" % self.digests)
        arrival = replace(
            a_request(recipient, accepted_at=self.now, lifetime=lifetime, priority=priority, mark=mark),
            may_leave=may_leave,
        )
        recorded = self.run(self.record(arrival, places=places))
        if len(self.model.unfinished()) >= FULL_AT:
            assert (Recording.FULL, None, False) == (recorded.recording, recorded.id, recorded.opened)
            return
        may_be_opened = may_leave and places > 0 and not self.model.unfinished_of(recipient)
        self.model.accept(arrival)
        assert (Recording.NEW, self.model.latest) == (recorded.recording, recorded.id)
        assert may_be_opened == recorded.opened
        if recorded.opened:
            self.model.open(self.model.latest)

    @rule(packet_id=st.integers(1, 3))
    def reject(self, packet_id: int) -> None:
        self.digests += 1
        mark = a_mark(packet_id, digest=b"%16d" % self.digests)
        arrival = a_rejection(accepted_at=self.now, mark=mark, status=b"rejected %d" % self.digests)
        assert Recording.NEW is self.run(self.record(arrival)).recording
        self.model.reject(arrival)

    @precondition(lambda self: any(kept.mark for kept in self.model.kept.values()))
    @rule(choice=CHOICE)
    def the_broker_repeats(self, choice: int) -> None:
        """Marked as sent before: known again as long as its identifier has not been used again."""
        kept = self.pick(list(self.model.kept.values()), choice)
        if kept.mark is None or not self.model.holds_mark(kept.mark):
            return
        recipient = kept.recipient or RECIPIENTS[0]
        again = a_request(recipient, accepted_at=self.now, mark=kept.mark, redelivered=True)
        assert Recording.REPEATED is self.run(self.record(again)).recording

    # Attempts.

    def pick(self, kept: list[Kept], choice: int) -> Kept:
        return kept[choice % len(kept)]

    @rule(limit=st.integers(1, 4))
    def claim_and_open(self, limit: int) -> None:
        claimed = self.run(self.journal.claim(due_before=self.now, limit=limit))
        ids = [request.id for request in claimed]
        assert self.model.claimable(now=self.now, limit=limit) == ids
        for request in claimed:
            kept = self.model.kept[request.id]
            assert (kept.attempts, kept.deferrals) == (request.attempts, request.deferrals)
        self.run(self.journal.open_attempts(ids, at=self.now, clock_offset=None))
        for id_ in ids:
            self.model.open(id_)

    async def take(self, step: Step) -> dict[int, Exception]:
        """The steps that were not taken."""
        return dict((await self.journal.take([step])).failed)

    def apply(self, step: Step) -> None:
        assert {} == self.run(self.take(step))
        match step:
            case Finish():
                self.model.finish(step)
            case Postpone():
                self.model.postpone(step)
            case Doubt():
                self.model.doubt(step)

    @precondition(lambda self: self.model.unfinished())
    @rule(
        choice=CHOICE,
        reason=st.sampled_from([None, Reason.EXPIRED, Reason.OUTCOME_UNKNOWN]),
        counted=st.booleans(),
    )
    def finish(self, choice: int, reason: Reason | None, *, counted: bool) -> None:
        kept = self.pick(self.model.unfinished(), choice)
        if reason is None and kept.open is not None:
            self.apply(a_success(kept.id, at=self.now))
        else:
            reason = reason or Reason.TWILIO_UNAVAILABLE
            outcome = None if kept.open is None else AttemptOutcome.UNSENT
            self.apply(a_failure(kept.id, at=self.now, reason=reason, outcome=outcome, counted=counted))

    @precondition(lambda self: self.model.unfinished())
    @rule(choice=CHOICE, pause=SECONDS, counted=st.booleans())
    def postpone(self, choice: int, pause: float, *, counted: bool) -> None:
        kept = self.pick(self.model.unfinished(), choice)
        outcome = None if kept.open is None else AttemptOutcome.DEFERRED
        due_at = self.now + pause
        self.apply(a_postponement(kept.id, at=self.now, due_at=due_at, outcome=outcome, counted=counted))

    @precondition(lambda self: self.model.within(State.OPEN, State.IN_DOUBT))
    @rule(choice=CHOICE, pause=SECONDS)
    def doubt(self, choice: int, pause: float) -> None:
        kept = self.pick(self.model.within(State.OPEN, State.IN_DOUBT), choice)
        self.apply(self.a_doubt(kept.id, pause))

    def a_doubt(self, id_: int, pause: float) -> Doubt:
        return Doubt(id=id_, at=self.now, settle_at=self.now + pause, message="time-out")

    @precondition(lambda self: self.model.within(State.IN_DOUBT))
    @rule(outcomes=st.lists(st.sampled_from(["found", "absent", "unknown", "again"]), min_size=3, max_size=3))
    def settle(self, outcomes: list[str]) -> None:
        doubtful = self.run(self.journal.doubtful(now=self.now, limit=100))
        assert sorted(self.model.doubtful(now=self.now)) == sorted(doubted.request.id for doubted in doubtful)
        for doubted, outcome in zip(doubtful, outcomes, strict=False):
            kept = self.model.kept[doubted.request.id]
            assert kept.open is not None
            assert (kept.open.cut_off, kept.open.doubt_at) == (doubted.cut_off, doubted.doubt_at)
            self.apply(self.settled(doubted.request.id, outcome, cut_off=doubted.cut_off))

    def settled(self, id_: int, outcome: str, *, cut_off: bool) -> Step:
        match outcome:
            case "found":
                return a_success(id_, at=self.now)
            case "absent":
                return a_postponement(
                    id_,
                    at=self.now,
                    due_at=self.now + 4.0,
                    outcome=AttemptOutcome.FAILED,
                    counted=not cut_off,
                )
            case "unknown":
                return a_failure(
                    id_,
                    at=self.now,
                    reason=Reason.OUTCOME_UNKNOWN,
                    outcome=AttemptOutcome.IN_DOUBT,
                    counted=True,
                )
            case _:
                return self.a_doubt(id_, 5.0)

    @rule()
    def expire(self) -> None:
        overdue = self.run(self.journal.overdue(now=self.now, limit=100))
        assert sorted(self.model.overdue(now=self.now)) == sorted(request.id for request in overdue)
        for request in overdue:
            self.apply(a_failure(request.id, at=self.now))

    # Forbidden steps: nothing changes, and the caller gets an error.

    @precondition(lambda self: self.model.kept)
    @rule(choice=CHOICE, move=st.sampled_from([Move.FINISH, Move.POSTPONE, Move.DOUBT]))
    def what_the_table_forbids_fails(self, choice: int, move: Move) -> None:
        kept = self.pick(list(self.model.kept.values()), choice)
        if move in TRANSITIONS[kept.state]:
            return
        steps: dict[Move, Step] = {
            Move.FINISH: a_success(kept.id, at=self.now),
            Move.POSTPONE: a_postponement(kept.id, due_at=self.now, at=self.now),
            Move.DOUBT: self.a_doubt(kept.id, 1.0),
        }
        failed = self.run(self.take(steps[move]))
        assert [ForbiddenTransition] == [type(error) for error in failed.values()]

    @precondition(lambda self: self.model.kept)
    @rule(choice=CHOICE)
    def an_attempt_out_of_turn_is_not_opened(self, choice: int) -> None:
        kept = self.pick(list(self.model.kept.values()), choice)
        if kept in self.model.turns():
            return
        if (
            kept.state is State.WAITING and self.ordering == "none"
        ):  # it may have been overtaken since its claim
            opened = self.run(self.journal.open_attempts([kept.id], at=self.now, clock_offset=None))
            assert [] == opened
            return
        with pytest.raises(ForbiddenTransition):
            self.run(self.journal.open_attempts([kept.id], at=self.now, clock_offset=None))

    # The outbox.

    @rule(count=st.integers(0, 5))
    def report(self, count: int) -> None:
        """The oldest statuses are acknowledged; noting one twice, or too early, changes nothing."""
        waiting = self.run(self.journal.unreported(after=0, limit=100))
        assert self.model.outbox == [status.request for status in waiting]
        positions = [status.position for status in waiting]
        assert sorted(set(positions)) == positions
        assert [self.model.kept[status.request].status for status in waiting] == [
            status.status for status in waiting
        ]
        self.run(self.note([*positions[:count], *self.reported, max([0, *positions, *self.reported]) + 1]))
        self.reported += positions[:count]
        self.model.report(self.model.outbox[:count])

    async def note(self, positions: list[int]) -> None:
        noted = self.journal.report(positions, at=self.now)
        await self.journal.flush()
        await noted

    @rule(age=SECONDS, limit=st.integers(1, 3))
    def purge(self, age: float, limit: int) -> None:
        # Those that were finished at one instant may go in any order: all of them, or none.
        if len({kept.finished_at for kept in self.model.within(State.REPORTED)}) != len(
            self.model.within(State.REPORTED)
        ):
            limit = 1_000
        before = self.now - age
        removed = self.run(self.journal.purge(finished_before=before, limit=limit))
        assert self.model.purge(finished_before=before, limit=limit) == removed

    # Time, and ends.

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(step=st.integers(-200, 200).map(float))
    def restart(self, step: float) -> None:
        """In good order; the clock may have been set meanwhile."""
        self.stop()
        self.now += self.clock_step(step)
        self.start()

    @precondition(lambda self: any(kept.unknown for kept in self.model.kept.values()))
    @rule(choice=CHOICE, sent=st.booleans())
    def a_person_resolves(self, choice: int, *, sent: bool) -> None:
        kept = self.pick([kept for kept in self.model.kept.values() if kept.unknown], choice)
        done = self.run(
            ordered(self.journal, self.path, ResolveOrder(request=kept.id, sent=sent), at=self.now)
        )
        assert done.settled is not None
        self.model.resolve(done.settled)

    @rule(step=st.integers(-200, 200).map(float), choice=CHOICE, torn=st.binary(max_size=40))
    def crash(self, step: float, choice: int, torn: bytes) -> None:
        """In the middle of a transaction, of which the disk may have the beginning of a frame."""
        self.runs += 1
        old, self.path = self.path, Path(self.folder.name) / f"journal{self.runs}.db"
        connection = self.connection()
        connection.execute("BEGIN IMMEDIATE")
        self.leave_unfinished(connection, choice)
        shutil.copy(old, self.path)
        self.copy_log(old, torn)
        connection.execute("ROLLBACK")
        self.stop()
        old.unlink()
        self.now += self.clock_step(step)
        self.start()

    def copy_log(self, old: Path, torn: bytes) -> None:
        log = old.with_name(old.name + "-wal")
        self.path.with_name(self.path.name + "-wal").write_bytes(log.read_bytes() + torn)

    def leave_unfinished(self, connection: sqlite3.Connection, choice: int) -> None:
        """One more step, whose caller never learns that it was done."""
        unfinished = self.model.unfinished()
        store = self.journal._store
        self.journal._store = replace(store, writer=cast("Writer", NoCommit(connection, self.loop)))
        if choice % 2 and unfinished:
            self.run(self.take(a_failure(self.pick(unfinished, choice).id, at=self.now)))
        else:
            self.run(self.record(a_request(RECIPIENTS[0], accepted_at=self.now), places=1))
        self.journal._store = store

    def clock_step(self, step: float) -> float:
        # Due times that were moved by a clock set back change no turn: see RECOVER_FUTURE.
        return step if self.ordering == "recipient" else abs(step)

    # What holds at any time.

    @invariant()
    def database_and_model_hold_the_same(self) -> None:
        if not hasattr(self, "journal"):
            return
        turns = {kept.id for kept in self.model.turns()}
        expected = [
            (
                kept.id,
                kept.state,
                kept.due_at if kept.state is State.WAITING else None,
                kept.attempts,
                kept.deferrals,
                kept.status,
                kept.sid,
                kept.finished_at,
                int(kept.id in turns),
            )
            for kept in self.model.kept.values()
        ]
        with closing(sqlite3.connect(self.path)) as connection:
            assert expected == connection.execute(ROWS).fetchall()
            self.attempts_are_the_same(connection)
        assert self.model.agenda() == self.run(self.journal.agenda())

    def attempts_are_the_same(self, connection: sqlite3.Connection) -> None:
        expected = [
            (kept.id, int(kept.open.cut_off), kept.open.doubt_at, kept.open.settle_at)
            for kept in self.model.kept.values()
            if kept.open is not None
        ]
        assert expected == sorted(connection.execute(OPEN_ATTEMPTS).fetchall())
        openings = {kept.id: kept.openings for kept in self.model.kept.values() if kept.openings}
        assert openings == dict(connection.execute(OPENINGS).fetchall())
        closed = [
            (kept.id, number, outcome)
            for kept in self.model.kept.values()
            for number, outcome in enumerate(kept.outcomes, 1)
        ]
        assert closed == connection.execute(CLOSED_ATTEMPTS).fetchall()

    @invariant()
    def nothing_is_in_two_places_and_nothing_is_lost(self) -> None:
        places = Counter(self.model.outbox)
        places.update(kept.id for kept in self.model.unfinished())
        places.update(kept.id for kept in self.model.within(State.REPORTED))
        places.update(self.model.purged)
        assert dict.fromkeys(self.model.written, 1) == dict(places)
        for id_, count in self.model.written.items():
            unfinished = id_ in self.model.kept and self.model.kept[id_].state in UNFINISHED
            assert (0 if unfinished else 1) == count

    def end_everything(self) -> None:
        """From wherever it stands, every request comes to its one status, and every status leaves."""
        while self.model.unfinished():
            for kept in self.model.within(State.OPEN, State.IN_DOUBT):
                self.apply(a_success(kept.id, at=self.now))
            self.now += 100.0
            self.claim_and_open(100)
        self.report(1_000)
        self.database_and_model_hold_the_same()
        assert [] == self.model.outbox
        assert dict.fromkeys(self.model.written, 1) == self.model.written


class UnorderedJournalMachine(JournalMachine):
    """With `ordering = "none"`: the request of a recipient that is due first has the turn."""

    ordering = "none"


_SETTINGS = settings(
    max_examples=45,
    stateful_step_count=40,
    deadline=None,  # a commit takes as long as the disk takes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
_PATIENTLY = pytest.mark.timeout(1800)  # ten seconds, but a failure is worth the minutes to its smallest form

TestJournal = _PATIENTLY(JournalMachine.TestCase)
TestJournal.settings = _SETTINGS
TestUnorderedJournal = _PATIENTLY(UnorderedJournalMachine.TestCase)
TestUnorderedJournal.settings = settings(_SETTINGS, max_examples=15)
