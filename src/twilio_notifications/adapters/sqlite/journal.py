"""The journal on SQLite: each step of the line is one operation, committed in groups by the writer.

It never decides: what a step means was decided in the core. It does enforce: an update names the states that
core/lifecycle.py allows, and a step that finds its request in another state fails as a defect.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, assert_never

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.opening import FileLock, open_connection, open_for_reading
from twilio_notifications.adapters.sqlite.rows import (
    RANKS,
    attempt_outcome,
    claimed,
    doubtful,
    encoded_charges,
    encoded_id,
    paid_back,
    rejection_row,
    request_row,
)
from twilio_notifications.adapters.sqlite.writer import Writer
from twilio_notifications.core.lifecycle import ForbiddenTransition
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Tally
from twilio_notifications.ports import (
    NO_CHARGES,
    Agenda,
    Doubt,
    Finish,
    Level,
    NewRejection,
    NewRequest,
    Postpone,
    Recording,
    Recovery,
    Unreported,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from twilio_notifications.core.policy import Charge
    from twilio_notifications.ports import Claimed, Doubtful, Observer, Step

Ordering = Literal["recipient", "none"]
R = TypeVar("R")

REDELIVERY_TAIL = 32_767
"""How many of the newest rows may still be unacknowledged at the broker: half as many as there are packet
identifiers. A broker that counts through all of them uses each one again after 65,535 packets; without this
distance a new request would be taken for the equal one that had its identifier a round ago."""


class SqliteJournal:
    """A journal in one file, owned by one connector; `path=None` keeps it in memory, for tests and demos."""

    def __init__(
        self,
        path: Path | None,
        *,
        observer: Observer,
        ordering: Ordering = "recipient",
        maximum_waiting: int = 1_000_000,
        deduplicate_seconds: float = 0.0,
    ) -> None:
        self._path = path
        self._observer = observer
        self._first_in_line = sql.FIRST_IN_ORDER if ordering == "recipient" else sql.FIRST_DUE
        self._overtaking = ordering == "none"
        self._maximum_waiting = maximum_waiting
        self._deduplicate_seconds = deduplicate_seconds
        self._counts = _Counts()

    async def __aenter__(self) -> Self:
        """Opens the file; raises a JournalError that names it and says what to do."""
        self._lock = None if self._path is None else FileLock(self._path)
        try:
            self._connection = open_connection(self._path)
        except BaseException:
            self._release()
            raise
        self._reader = None if self._path is None else open_for_reading(self._path)
        self._counts.load(self._connection)
        if self._deduplicate_seconds:
            self._connection.execute(sql.INDEX_REQUEST_IDS)
        self._writer = Writer(
            self._connection,
            ledger=self._counts,
            on_disk_fault=self._disk_failed,
            on_disk_recovery=self._disk_recovered,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._writer.close()
        if self._reader is not None:
            self._reader.close()
        self._connection.close()
        self._release()

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.release()

    def _disk_failed(self, fault: str) -> None:
        self._observer.event("journal_unavailable", level=Level.ERROR, journal=str(self._path), error=fault)

    def _disk_recovered(self) -> None:
        self._observer.event("journal_available", journal=str(self._path))

    # The port.

    def record(
        self, arrival: NewRequest | NewRejection, *, if_full: Callable[[], NewRejection] | None = None
    ) -> asyncio.Future[Recording]:
        """NEW, or what else became of it. Where there is no room, `if_full` is recorded in its place."""
        return self._writer.submit(lambda connection: self._record(connection, arrival, if_full))

    def forget_packets(self) -> asyncio.Future[None]:
        """A new session counts its packets from one again; each of them would look like an old one."""
        forgotten = self._writer.submit(_forget_packets)
        forgotten.add_done_callback(_seen)
        return forgotten

    async def claim(self, *, due_before: float, limit: int) -> list[Claimed]:
        """Due requests whose turn has come. The file lock is the lease: nobody else can claim them."""
        # Without ordering, what is still to be written may take the turn of what would be claimed: after it.
        read = self._writer.submit if self._overtaking else self._read
        return await read(lambda connection: _claim(connection, due_before, limit))

    async def open_attempts(
        self,
        ids: Sequence[int],
        *,
        at: float,
        clock_offset: float | None,
        charges: Mapping[int, Sequence[Charge]] = NO_CHARGES,
    ) -> None:
        """Opens one attempt for each; on disk, with its charges, before any of them is made."""

        def operation(connection: sqlite3.Connection) -> None:
            rows = [(id_, at, clock_offset, encoded_charges(charges.get(id_, ()))) for id_ in ids]
            _open_attempts(connection, ids, rows)
            every = [charge for id_ in ids for charge in charges.get(id_, ())]
            connection.executemany(sql.CHARGE, [(one.scope, one.since, one.amount) for one in every])

        await self._writer.submit(operation)

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What of these scopes was used in windows that began at or after `since`."""
        return await self._read(
            lambda connection: Tally(
                {
                    (name, begun): used
                    for scope in scopes
                    for name, begun, used in connection.execute(sql.USAGE, (scope, since))
                }
            )
        )

    async def apply(self, step: Step) -> None:
        """Takes one step of a request's life, its attempt and its status in the same transaction."""
        await self._writer.submit(lambda connection: self._apply(connection, step))

    async def overdue(self, *, now: float, limit: int) -> list[Claimed]:
        """Waiting requests whose lifetime has ended, wherever they stand in their recipient's order."""
        return await self._select(sql.OVERDUE, (now, limit), claimed)

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are due to be looked up."""
        return await self._select(sql.DOUBTFUL, (now, limit), doubtful)

    async def known_sids(self, sids: Sequence[str]) -> frozenset[str]:
        """Those of `sids` that already belong to an attempt."""
        return await self._read(
            lambda connection: frozenset(
                sid for sid in sids if connection.execute(sql.KNOWN_SID, (sid,)).fetchone() is not None
            )
        )

    async def agenda(self) -> Agenda:
        """When something will be due next."""
        return await self._read(_agenda)

    async def unreported(self, *, after: int, limit: int) -> list[Unreported]:
        """The outbox beyond position `after`, in the order in which the statuses were written."""
        return await self._select(
            sql.UNREPORTED,
            (after, limit),
            lambda row: Unreported(position=row[0], id=row[1], status=bytes(row[2])),
        )

    async def report(self, ids: Sequence[int], *, at: float) -> None:
        """Notes that the broker has acknowledged these statuses."""
        await self._writer.submit(
            lambda connection: connection.executemany(sql.REPORT, [(at, id_) for id_ in ids]).rowcount
        )

    async def purge(self, *, finished_before: float, limit: int) -> int:
        """Removes reported requests, at most `limit`, so that no purge holds up the line; how many."""

        def operation(connection: sqlite3.Connection) -> int:
            connection.execute(sql.PURGE_USAGE, (finished_before - LONGEST_PERIOD_SECONDS,))
            return connection.execute(sql.PURGE, (finished_before, limit)).rowcount

        return await self._writer.submit(operation)

    async def recover(self, *, now: float) -> Recovery:
        """At a start: attempts that an earlier run left open are in doubt, cut off by our own end."""
        return await self._writer.submit(lambda connection: _recover(connection, now))

    async def pulse(self) -> None:
        """Returns when the writer's thread has come round; a failing disk does not stop it."""
        await self._writer.pulse()

    # The operations. They run in the writer's thread, inside its transaction.

    async def _select(
        self, statement: str, parameters: tuple[Any, ...], make: Callable[[tuple[Any, ...]], R]
    ) -> list[R]:
        return await self._read(
            lambda connection: [make(row) for row in connection.execute(statement, parameters)]
        )

    async def _read(self, operation: Callable[[sqlite3.Connection], R]) -> R:
        """Reads what is committed, in the event loop itself.

        Measured: a read of some rows costs less than handing it to the writer's thread and back, and there it
        would wait for the commit under way. WAL lets the two connections work side by side.
        """
        if self._reader is not None:
            try:
                return operation(self._reader)
            except sqlite3.Error:
                # The writer knows what to do with a disk that fails, and meets the same fault.
                return await self._writer.submit(operation)
        return await self._writer.submit(operation)

    def _record(
        self,
        connection: sqlite3.Connection,
        arrival: NewRequest | NewRejection,
        if_full: Callable[[], NewRejection] | None,
    ) -> Recording:
        if _is_repeated(connection, arrival):
            return Recording.REPEATED
        match arrival:
            case NewRejection():
                self._reject(connection, arrival)
            case NewRequest():
                if self._is_duplicate(connection, arrival):
                    return Recording.DUPLICATE
                if self._counts.unfinished >= self._maximum_waiting:
                    if if_full is not None:
                        self._reject(connection, if_full())
                    return Recording.FULL
                self._insert(connection, arrival)
                self._counts.change(1)
            case _:
                assert_never(arrival)
        return Recording.NEW

    def _reject(self, connection: sqlite3.Connection, rejection: NewRejection) -> None:
        row = rejection_row(rejection, position=self._counts.next_position())
        connection.execute(sql.INSERT_REJECTION, row)

    def _is_duplicate(self, connection: sqlite3.Connection, arrival: NewRequest) -> bool:
        if not self._deduplicate_seconds:
            return False
        notification = arrival.notification
        since = arrival.accepted_at - self._deduplicate_seconds
        parameters = (encoded_id(notification.request_id), notification.channel, since)
        return bool(connection.execute(sql.ACCEPTED_SINCE, parameters).fetchone()[0])

    def _insert(self, connection: sqlite3.Connection, arrival: NewRequest) -> None:
        recipient = (arrival.notification.channel, arrival.notification.recipient.phone_number)
        (busy,) = connection.execute(sql.RECIPIENT_IS_BUSY, recipient).fetchone()
        connection.execute(sql.INSERT_REQUEST, request_row(arrival, turn=not busy))
        if busy and self._overtaking:
            self._pass_turn(connection, recipient)

    def _apply(self, connection: sqlite3.Connection, step: Step) -> None:
        match step:
            case Finish():
                self._finish(connection, step)
            case Postpone():
                self._postpone(connection, step)
            case Doubt():
                changed = connection.execute(sql.DOUBT_REQUEST, (step.id,)).rowcount
                _require(changed == 1, step)
                connection.execute(sql.DOUBT_ATTEMPT, (step.at, step.message, step.settle_at, step.id))
            case _:
                assert_never(step)

    def _finish(self, connection: sqlite3.Connection, step: Finish) -> None:
        row = connection.execute(
            sql.FINISH,
            (
                step.at,
                step.reason,
                step.message,
                step.code,
                step.sid,
                step.status,
                self._counts.next_position(),
                step.counted,
                step.id,
            ),
        ).fetchone()
        _require(row is not None, step)
        _close_attempt(connection, step, sid=step.sid)
        self._counts.change(-1)
        self._pass_turn(connection, row)

    def _postpone(self, connection: sqlite3.Connection, step: Postpone) -> None:
        row = connection.execute(
            sql.POSTPONE, (step.due_at, step.reason, step.counted, not step.counted, step.id)
        ).fetchone()
        _require(row is not None, step)
        _close_attempt(connection, step, sid=None)
        self._pass_turn(connection, row)

    def _pass_turn(self, connection: sqlite3.Connection, recipient: tuple[str, str]) -> None:
        """Gives the turn to whoever is first in line, unless an attempt for this recipient is open."""
        first = connection.execute(self._first_in_line, recipient).fetchone()
        if first is None:
            return
        (busy,) = connection.execute(sql.RECIPIENT_HAS_OPEN_ATTEMPT, recipient).fetchone()
        id_, has_turn = first
        if busy or has_turn:
            return
        for (holder,) in connection.execute(sql.RECIPIENT_TURN, recipient).fetchall():
            connection.execute(sql.TAKE_TURN, (holder,))
        connection.execute(sql.GIVE_TURN, (id_,))


class _Counts:
    """What is kept in memory beside the file: it follows the transactions, so it never disagrees."""

    def __init__(self) -> None:
        self.unfinished = 0
        self._pending = 0
        self._position = 0

    def load(self, connection: sqlite3.Connection) -> None:
        (self.unfinished,) = connection.execute(sql.COUNT_UNFINISHED).fetchone()
        (self._position,) = connection.execute(sql.LATEST_POSITION).fetchone()

    def change(self, by: int) -> None:
        self.unfinished += by
        self._pending += by

    def next_position(self) -> int:
        """Positions only have to grow: a rolled back transaction leaves a gap, which harms nobody."""
        self._position += 1
        return self._position

    def committed(self) -> None:
        self._pending = 0

    def rolled_back(self) -> None:
        self.unfinished -= self._pending
        self._pending = 0


def _is_repeated(connection: sqlite3.Connection, arrival: NewRequest | NewRejection) -> bool:
    if arrival.mark is None or not arrival.redelivered:
        return False
    row = connection.execute(sql.LATEST_WITH_PACKET_ID, (arrival.mark.packet_id,)).fetchone()
    if row is None or row[1] != arrival.mark.digest:
        return False
    (latest,) = connection.execute(sql.LATEST_ID).fetchone()
    return bool(row[0] > latest - REDELIVERY_TAIL)


def _forget_packets(connection: sqlite3.Connection) -> None:
    (latest,) = connection.execute(sql.LATEST_ID).fetchone()
    connection.execute(sql.FORGET_PACKETS, (latest - REDELIVERY_TAIL,))


def _seen(done: asyncio.Future[None]) -> None:
    """Takes note of an error that needs nobody here: whatever waits for the journal has it too."""
    if not done.cancelled():
        done.exception()


def _claim(connection: sqlite3.Connection, due_before: float, limit: int) -> list[Claimed]:
    found: list[Claimed] = []
    # One query for each priority: a single one ordered by priority would have to read past all urgent
    # requests that are not due yet before it found a normal one that is.
    for rank in RANKS.values():
        if len(found) < limit:
            rows = connection.execute(sql.CLAIM, (rank, due_before, limit - len(found)))
            found.extend(claimed(row) for row in rows)
    return found


def _open_attempts(
    connection: sqlite3.Connection, ids: Sequence[int], rows: Sequence[tuple[Any, ...]]
) -> None:
    changed = connection.executemany(sql.OPEN_REQUEST, [(id_,) for id_ in ids]).rowcount
    _require(changed == len(ids), ids)
    connection.executemany(sql.OPEN_ATTEMPT, rows)


def _close_attempt(connection: sqlite3.Connection, step: Finish | Postpone, *, sid: str | None) -> None:
    outcome = attempt_outcome(step)
    row = connection.execute(
        sql.CLOSE_ATTEMPT,
        (step.at, outcome, step.reason, step.message, step.code, sid, step.id),
    ).fetchone()
    for charge in paid_back(outcome, None if row is None else row[0]):
        connection.execute(sql.PAY_BACK, (charge.amount, charge.scope, charge.since))
        connection.execute(sql.FORGET_UNUSED, (charge.scope, charge.since))


def _agenda(connection: sqlite3.Connection) -> Agenda:
    dues = [connection.execute(sql.NEXT_DUE, (rank,)).fetchone()[0] for rank in RANKS.values()]
    return Agenda(
        next_due=min((due for due in dues if due is not None), default=None),
        next_expiry=connection.execute(sql.NEXT_EXPIRY).fetchone()[0],
        next_settlement=connection.execute(sql.NEXT_SETTLEMENT).fetchone()[0],
    )


def _recover(connection: sqlite3.Connection, now: float) -> Recovery:
    cut_off = "the connector ended while the attempt was open"
    connection.execute(sql.RECOVER_OPEN_ATTEMPTS, (cut_off,))
    connection.execute(sql.RECOVER_DOUBTS, (now, now))
    connection.execute(sql.RECOVER_REQUESTS)
    connection.execute(sql.RECOVER_FUTURE, (now, now, now, now))
    (unfinished,) = connection.execute(sql.COUNT_UNFINISHED).fetchone()
    (in_doubt,) = connection.execute(sql.COUNT_IN_DOUBT).fetchone()
    (unreported,) = connection.execute(sql.COUNT_UNREPORTED).fetchone()
    return Recovery(waiting=unfinished - in_doubt, in_doubt=in_doubt, unreported=unreported)


def _require(allowed: bool, step: object) -> None:  # noqa: FBT001 - reads as the sentence it is
    if not allowed:
        raise ForbiddenTransition(f"the journal's rows do not allow this step: {step!r}")
