"""What one operation does to the rows: runs in the writer's thread, inside its transaction.

Each function takes one step of the line and nothing more. An update names the states that core/lifecycle.py
allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.room import NoRoom
from twilio_notifications.adapters.sqlite.rows import (
    RANKS,
    attempt_outcome,
    claimed,
    original_key,
    paid_back,
    rejection_row,
    request_row,
    size_of,
    without_id,
)
from twilio_notifications.core import policy
from twilio_notifications.core.lifecycle import ForbiddenTransition, State
from twilio_notifications.ports import (
    Agenda,
    Doubt,
    Finish,
    NewRejection,
    NewRequest,
    Postpone,
    Recording,
    Recovery,
)

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.sqlite.aside import SetAside
    from twilio_notifications.adapters.sqlite.counts import Counts
    from twilio_notifications.adapters.sqlite.duplicates import Duplicates
    from twilio_notifications.adapters.sqlite.redelivery import Redelivery
    from twilio_notifications.adapters.sqlite.room import Fitting
    from twilio_notifications.core.model import Priority
    from twilio_notifications.ports import Claimed, Step

CUT_OFF = "the connector ended while the attempt was open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """The operations that depend on how the journal was configured."""

    overtaking: bool
    """Whether the turn goes to the request that is due first, rather than to the one that came first."""
    maximum_waiting: int
    deduplicate_seconds: float
    redelivery: Redelivery
    counts: Counts
    duplicates: Duplicates

    def load(self, connection: sqlite3.Connection) -> None:
        """Counts what an earlier run left."""
        self.counts.load(connection)
        self.duplicates.load(connection)

    def committed(self) -> None:
        self.counts.committed()
        self.redelivery.committed()
        self.duplicates.committed()

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""
        return self.counts.is_empty()

    def rolled_back(self) -> None:
        self.counts.rolled_back()
        self.duplicates.rolled_back()

    def wanted_indexes(self) -> list[str]:
        """Indexes that only some configurations need, and that are not worth their cost to the others."""
        wanted = {sql.INDEX_REQUEST_IDS: self.deduplicate_seconds > 0, sql.INDEX_DUE: self.overtaking}
        return [statement for statement, is_wanted in wanted.items() if is_wanted]

    def record(
        self,
        connection: sqlite3.Connection,
        arrival: NewRequest | NewRejection,
        if_full: Callable[[], NewRejection] | None,
        now: float,
        fitting: Fitting,
    ) -> Recording:
        self.redelivery.raise_watermark(connection, now=now)
        if arrival.mark is not None and self.redelivery.is_repeated(
            connection, arrival.mark, redelivered=arrival.redelivered
        ):
            return Recording.REPEATED
        match arrival:
            case NewRejection():
                self._reject(connection, arrival, fitting)
            case NewRequest():
                return self._record_request(connection, arrival, if_full, fitting)
            case _:
                assert_never(arrival)
        return Recording.NEW

    def _record_request(
        self,
        connection: sqlite3.Connection,
        arrival: NewRequest,
        if_full: Callable[[], NewRejection] | None,
        fitting: Fitting,
    ) -> Recording:
        original = self._original(connection, arrival)
        if original is not None and self.duplicates.record(connection, arrival, *original):
            return Recording.DUPLICATE
        unfinished = self.counts.unfinished + self.duplicates.count
        room = fitting.fits(connection, size_of(arrival), unfinished=unfinished)
        if original is not None or unfinished >= self.maximum_waiting or not room:
            if if_full is not None:
                self._reject(connection, if_full(), fitting)
            return Recording.FULL
        self._insert(connection, arrival)
        self.counts.change(was=None, now=State.WAITING)
        return Recording.NEW

    def _reject(self, connection: sqlite3.Connection, rejection: NewRejection, fitting: Fitting) -> None:
        if not fitting.fits_answer(connection, size_of(rejection)):
            raise NoRoom(
                "the journal is as large as it may be (journal.maximum_bytes, and half of what was free on "
                "its disk), and holds nothing but requests that wait and statuses that are not reported yet"
            )
        row = rejection_row(rejection, position=self.counts.next_position())
        self._inserted(connection.execute(sql.INSERT_REJECTION, row))
        self.counts.change(was=None, now=State.FINISHED)

    def _original(self, connection: sqlite3.Connection, arrival: NewRequest) -> tuple[int, State] | None:
        """The request that this one repeats, by the word of the operator that ids are unique."""
        if not self.deduplicate_seconds:
            return None
        key = original_key(arrival.notification, since=arrival.accepted_at - self.deduplicate_seconds)
        row = connection.execute(sql.ORIGINAL, key).fetchone()
        return None if row is None else (row[0], State(row[1]))

    def _insert(self, connection: sqlite3.Connection, arrival: NewRequest) -> None:
        recipient = (arrival.notification.channel, arrival.notification.recipient.phone_number)
        (busy,) = connection.execute(sql.RECIPIENT_IS_BUSY, recipient).fetchone()
        self._inserted(connection.execute(sql.INSERT_REQUEST, request_row(arrival, turn=not busy)))
        if busy and self.overtaking:
            self._pass_turn(connection, recipient)

    def _inserted(self, cursor: sqlite3.Cursor) -> None:
        """What is not in the journal must not be acknowledged."""
        if cursor.rowcount != 1 or cursor.lastrowid is None:
            raise ForbiddenTransition(
                "the journal's file did not keep a row: remove the triggers that another program added to it"
            )
        self.redelivery.recorded(cursor.lastrowid)

    def open_attempts(
        self, connection: sqlite3.Connection, ids: Sequence[int], rows: Sequence[tuple[Any, ...]]
    ) -> None:
        changed = connection.executemany(sql.OPEN_REQUEST, [(id_,) for id_ in ids]).rowcount
        if changed != len(ids):
            raise ForbiddenTransition(f"not all of the requests {ids} wait and have their turn")
        opened = connection.executemany(sql.OPEN_ATTEMPT, rows).rowcount
        if opened != len(ids):  # a trigger that another program added may swallow a row without a word
            raise ForbiddenTransition(f"not all attempts of the requests {ids} could be opened")
        self.counts.change(was=State.WAITING, now=State.OPEN, by=changed)

    def report(self, connection: sqlite3.Connection, ids: Sequence[int], at: float) -> int:
        reported = connection.executemany(sql.REPORT, [(at, id_) for id_ in ids]).rowcount
        self.counts.change(was=State.FINISHED, now=None, by=max(0, reported))
        return reported

    def recover(self, connection: sqlite3.Connection, now: float) -> Recovery:
        connection.execute(sql.NEXT_CONNECTION)
        connection.execute(sql.RECOVER_OPEN_ATTEMPTS, (CUT_OFF,))
        connection.execute(sql.RECOVER_DOUBTS, (now, now))
        connection.execute(sql.RECOVER_REQUESTS)
        connection.execute(sql.RECOVER_FUTURE, (now, now, now, now))
        self.counts.recovered()
        return self.counts.recovery()

    def recover_some(self, connection: sqlite3.Connection, ids: Sequence[int], now: float) -> None:
        """The same for these requests alone; the clock is not asked whether it was set back."""
        for id_ in ids:
            (state,) = connection.execute(sql.STATE, (id_,)).fetchone()
            connection.execute(sql.RECOVER_OPEN_ATTEMPT, (CUT_OFF, id_))
            connection.execute(sql.RECOVER_DOUBT, (now, now, id_))
            connection.execute(sql.RECOVER_REQUEST, (id_,))
            self.counts.change(was=State(state), now=State.IN_DOUBT)

    def apply(self, connection: sqlite3.Connection, step: Step) -> None:
        match step:
            case Finish():
                self._finish(connection, step)
            case Postpone():
                self._postpone(connection, step)
            case Doubt():
                was = connection.execute(sql.STATE, (step.id,)).fetchone()
                changed = connection.execute(sql.DOUBT_REQUEST, (step.id,)).rowcount
                _require(changed == 1, step)
                self.counts.change(was=State(was[0]), now=State.IN_DOUBT)
                connection.execute(sql.DOUBT_ATTEMPT, (step.at, step.message, step.settle_at, step.id))
            case _:
                assert_never(step)

    def _finish(self, connection: sqlite3.Connection, step: Finish) -> None:
        kept, request_id = without_id(step.status)
        row = connection.execute(
            sql.FINISH,
            (
                step.at,
                step.reason,
                step.message,
                step.code,
                step.sid,
                request_id,
                kept,
                step.status,
                self.counts.next_position(),
                step.counted,
                step.id,
            ),
        ).fetchone()
        _require(row is not None, step)
        was = _close_attempt(connection, step, sid=step.sid)
        self.counts.change(was=was, now=State.FINISHED)
        self.duplicates.answer(connection, step.id, at=step.at)
        self._pass_turn(connection, row)

    def _postpone(self, connection: sqlite3.Connection, step: Postpone) -> None:
        row = connection.execute(
            sql.POSTPONE, (step.due_at, step.reason, step.counted, not step.counted, step.id)
        ).fetchone()
        _require(row is not None, step)
        was = _close_attempt(connection, step, sid=None)
        self.counts.change(was=was, now=State.WAITING)
        self._pass_turn(connection, row)

    def _pass_turn(self, connection: sqlite3.Connection, recipient: tuple[str, str]) -> None:
        """Gives the turn to the first request in line, unless an attempt for this recipient is open."""
        first_in_line = sql.FIRST_DUE if self.overtaking else sql.FIRST_IN_ORDER
        first = connection.execute(first_in_line, recipient).fetchone()
        if first is None:
            return
        (busy,) = connection.execute(sql.RECIPIENT_HAS_OPEN_ATTEMPT, recipient).fetchone()
        id_, has_turn = first
        if busy or has_turn:
            return
        for (holder,) in connection.execute(sql.RECIPIENT_TURN, recipient).fetchall():
            connection.execute(sql.TAKE_TURN, (holder,))
        connection.execute(sql.GIVE_TURN, (id_,))


def claim(
    connection: sqlite3.Connection, aside: SetAside, *, due_before: float, limit: int, place: int
) -> list[Claimed]:
    found: dict[Priority, Sequence[Claimed]] = {}
    left = limit
    # One query for each priority: a single one ordered by priority would have to read past all urgent
    # requests that are not due yet before it found a normal one that is.
    for priority, rank in RANKS.items():
        wanted = max(left, policy.reserved(priority, place=place, limit=limit))
        if wanted:
            rows = connection.execute(sql.CLAIM, (rank, due_before, aside.limit(wanted)))
            found[priority] = list(aside.values(rows, claimed, wanted=wanted))
            left = max(0, left - len(found[priority]))
    return policy.interleaved(found, place=place, limit=limit)


def _close_attempt(connection: sqlite3.Connection, step: Finish | Postpone, *, sid: str | None) -> State:
    """Closes the attempt, if there is one; the state in which the request was by that."""
    outcome = attempt_outcome(step)
    row = connection.execute(
        sql.CLOSE_ATTEMPT,
        (step.at, outcome, step.reason, step.message, step.code, sid, step.id),
    ).fetchone()
    for charge in paid_back(outcome, None if row is None else row[0]):
        connection.execute(sql.PAY_BACK, (charge.amount, charge.scope, charge.since))
        connection.execute(sql.FORGET_UNUSED, (charge.scope, charge.since))
    if row is None:
        return State.WAITING
    return State.OPEN if row[1] is None else State.IN_DOUBT


def agenda(connection: sqlite3.Connection, aside: SetAside) -> Agenda:
    count = aside.limit(1)

    def earliest(statement: str, *parameters: int) -> float | None:
        return aside.earliest(connection.execute(statement, (*parameters, count)))

    dues = [earliest(sql.NEXT_DUE, rank) for rank in RANKS.values()]
    return Agenda(
        next_due=min((due for due in dues if due is not None), default=None),
        next_expiry=earliest(sql.NEXT_EXPIRY),
        next_settlement=earliest(sql.NEXT_SETTLEMENT),
    )


def left_open(connection: sqlite3.Connection) -> list[int]:
    """The requests that have an attempt without an end."""
    return [id_ for (id_,) in connection.execute(sql.LEFT_OPEN)]


def _require(allowed: bool, step: Step) -> None:  # noqa: FBT001 - reads as the sentence it is
    if not allowed:
        # Not its repr: that holds the status, and with it whole telephone numbers.
        raise ForbiddenTransition(f"the row of request {step.id} does not allow a {type(step).__name__}")
