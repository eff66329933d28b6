"""Group commit: one thread owns the connection, and writes all calls that wait in one transaction.

Rule 1: a future is done only after the commit that holds its change; one call into the event loop resolves
all futures of a commit. Rule 2: a disk that fails (full, read-only, I/O error) is waited for; nothing is
answered meanwhile, and nothing is lost when it recovers. Rule 3: a call that fails by its own fault fails
alone, never the transaction it shares; of a call with several members, only the failing ones.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from collections import deque
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters.sqlite.calls import (
    DAMAGE,
    DISK_FAULTS,
    CallFailed,
    Result,
    Waiting,
    damaged,
    deliver,
    primary_code,
)
from twilio_notifications.adapters.sqlite.kinds import Single
from twilio_notifications.adapters.sqlite.place import FilesMoved
from twilio_notifications.adapters.sqlite.room import Boundless, NoRoom, ReserveGone
from twilio_notifications.core.errors import (
    JournalClosed,
    JournalError,
    JournalFull,
    JournalMoved,
)

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.sqlite.calls import Ledger
    from twilio_notifications.adapters.sqlite.kinds import Kind
    from twilio_notifications.adapters.sqlite.room import Room

BATCH_LIMIT = 256
"""Members in one transaction (requests, steps): well past the point where the cost of a commit per row has
vanished, small enough that the first of them does not wait for the last."""

BUSY_SIZE = 4
"""Members of the last commit from which on the next one waits for company. A lone request never gets there:
its calls wait for each other, one at a time."""

COMPANY_SECONDS = 0.008
"""How long it waits. Measured: a message costs the journal 52 µs where 16 share a commit, and 40 µs where 32
do. That is reached at 4,000 messages a second; at 50 there is no company to wait for."""

REPORT_SECONDS = 1.0
"""How long a call that may ride along with others waits for one."""

RETRY_SECONDS = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Pauses before a failed transaction is tried again; the last one repeats."""

GIVE_BACK_SECONDS = 1.0
"""How long an arrival waits for room in a journal that is as large as it may be. Then its transport has it
delivered again later: as long as it waits, the transport may have to stop reading, and with that misses the
acknowledgements of statuses that would make room."""


class Writer:
    """Runs operations on the connection, in order, and commits them in groups."""

    def __init__(  # noqa: PLR0913 - who hears of its disk, and what tests give, each with its default
        self,
        connection: sqlite3.Connection,
        *,
        ledger: Ledger,
        on_disk_fault: Callable[[str], None],
        on_disk_recovery: Callable[[], None],
        room: Room | None = None,
        pause: Callable[[float], None] = time.sleep,
        ride_seconds: float = REPORT_SECONDS,
    ) -> None:
        self._connection = connection
        self._ledger = ledger
        self._on_disk_fault = on_disk_fault
        self._on_disk_recovery = on_disk_recovery
        self._room = room or Boundless()
        self._pause = pause
        self._loop = asyncio.get_running_loop()
        self._single = Single()
        self._queue: deque[Waiting] = deque()
        self._riding: list[Waiting] = []
        self._ride_seconds = ride_seconds
        self._ride_at = 0.0
        self._pulses: list[asyncio.Future[None]] = []
        self._wakeup = threading.Condition()
        self._closing = False
        self._faulty = False
        self._last_size = 0
        self._broken: JournalError | None = None
        self._thread = threading.Thread(target=self._run, name="twilio_notifications.journal", daemon=True)
        self._thread.start()

    def submit(
        self, operation: Callable[[sqlite3.Connection], T], *, arrival: bool = False, size: int = 0
    ) -> asyncio.Future[T]:
        """The operation's result, once it is on disk; JournalClosed when that did not happen any more.

        An `arrival` of about `size` bytes is what the journal does not hold yet. While there is no room for
        it, it waits, and operations on what the journal holds go on: they are what makes room.
        """
        return self.give(self._single, operation, arrival=arrival, size=size)

    def give(
        self,
        kind: Kind[Any, T],
        call: Any,
        *,
        arrival: bool = False,
        size: int = 0,
        members: int = 1,
        rides: bool = False,
    ) -> asyncio.Future[T]:
        """The same for a call of a kind, which is carried out together with others of its kind.

        One that `rides` is written with the next call that does not, or after a while.
        """
        future: asyncio.Future[T] = self._loop.create_future()
        waiting = Waiting(kind, call, future, arrival, size, members)
        with self._wakeup:
            if self._closing:
                future.set_exception(JournalClosed("the journal is closed"))
            elif not rides:
                self._queue.append(waiting)
                self._wakeup.notify()
            else:
                self._riding.append(waiting)
                if len(self._riding) == 1:
                    self._ride_at = time.monotonic() + self._ride_seconds
                    self._wakeup.notify()
        return future

    @property
    def queued(self) -> int:
        """About how many members wait to be written; a snapshot, without the lock."""
        return sum(waiting.members for waiting in tuple(self._queue))

    def require_sound(self) -> None:
        """Raises the error by which the journal is lost for good."""
        if self._broken is not None:
            raise self._broken

    def pulse(self) -> asyncio.Future[None]:
        """Done when the thread comes round: after the transaction under way, or between two tries of it."""
        future: asyncio.Future[None] = self._loop.create_future()
        with self._wakeup:
            if self._closing:
                future.set_exception(JournalClosed("the journal is closed"))
            else:
                self._pulses.append(future)
                self._wakeup.notify()
        return future

    async def close(self) -> None:
        """Writes what waits, if the disk lets it, and ends the thread."""
        with self._wakeup:
            self._closing = True
            self._wakeup.notify()
        await asyncio.to_thread(self._thread.join)

    # Everything below runs in the writer's thread.

    def _run(self) -> None:
        while batch := self._take():
            try:
                results = self._commit_patiently(batch)
            except Exception as error:  # noqa: BLE001 - a defect; without this thread everything would wait
                results = [Result(waiting.future, error=error) for waiting in batch]
            self._hand_out(results)

    def _hand_out(self, results: list[Result]) -> None:
        self._loop.call_soon_threadsafe(deliver, results)

    def _take(self) -> list[Waiting]:
        with self._wakeup:
            self._answer_pulses()
            while not self._queue and not self._closing:
                left = max(0.0, self._ride_at - time.monotonic()) if self._riding else None
                if left == 0:
                    break
                self._wakeup.wait(left)
                self._answer_pulses()
        if self._last_size >= BUSY_SIZE:
            # Not a wait for the condition: each call that comes would wake this thread, to no end.
            self._pause(COMPANY_SECONDS)
        with self._wakeup:
            batch: list[Waiting] = []
            size = members = 0
            while self._queue and members < BATCH_LIMIT:
                size += self._queue[0].size
                if batch and size > self._room.batch_bytes:
                    break
                batch.append(self._queue.popleft())
                members += batch[-1].members
            self._last_size = members
            return batch + self._take_riding()

    def _take_riding(self) -> list[Waiting]:
        """With the lock held."""
        riding, self._riding = self._riding, []
        return riding

    def _take_work(self) -> list[Waiting]:
        """What waits and is no arrival; it refers to what is committed, so it may overtake arrivals."""
        with self._wakeup:
            work = [waiting for waiting in self._queue if not waiting.arrival][:BATCH_LIMIT]
            if work:
                taken = set(map(id, work))
                self._queue = deque(waiting for waiting in self._queue if id(waiting) not in taken)
            return work + self._take_riding()

    def _commit_patiently(self, batch: list[Waiting]) -> list[Result]:
        began = time.monotonic()
        for attempt in range(2**62):
            try:
                results = self._commit_together(batch)
            except CallFailed as failed:
                if len(batch) == 1:
                    return [self._apart(batch[0], failed.__cause__)]
                # Not worth a savepoint for each call: a failing call is a defect, and rare. Each waits for
                # the disk by itself, so that what is committed already is not done again.
                return [result for waiting in batch for result in self._commit_patiently([waiting])]
            except (sqlite3.Error, MemoryError, NoRoom, ReserveGone, FilesMoved) as error:
                if isinstance(error, sqlite3.Error) and primary_code(error) not in DISK_FAULTS:
                    return [Result(waiting.future, error=damaged(error)) for waiting in batch]
                batch = self._carry_on_without(batch)
                if (lost := self._lost(error)) is not None:
                    return [Result(waiting.future, error=lost) for waiting in batch]
                if isinstance(error, NoRoom) and time.monotonic() - began > GIVE_BACK_SECONDS:
                    return self._given_back(batch, JournalFull(str(error)))
                if not self._wait_for_disk(error, attempt, held=batch):
                    closed = JournalClosed(f"the journal was closed while its disk failed: {error}")
                    return [Result(waiting.future, error=closed) for waiting in batch]
            else:
                was_faulty, self._faulty = self._faulty, False
                if was_faulty:
                    self._on_disk_recovery()
                return results
        raise AssertionError("unreachable")

    def _apart(self, waiting: Waiting, error: BaseException | None) -> Result:
        """Carries out the members of a call that failed one by one, so that only the failing ones fail."""
        parts = waiting.kind.parts(waiting.call)
        if not parts or not isinstance(error, Exception) or isinstance(error, JournalError):
            return Result(waiting.future, error=error)
        if len(parts) == 1:
            return Result(waiting.future, waiting.kind.joined(waiting.call, [error]))
        outcomes: list[Any] = []
        for part in parts:
            results = self._commit_patiently([replace(waiting, call=part, members=1)])
            self._hand_out([result for result in results if result.future is not waiting.future])
            [own] = [result for result in results if result.future is waiting.future]
            if isinstance(own.error, JournalError):
                return own
            outcomes.append(own.value if own.error is None else own.error)
        return Result(waiting.future, waiting.kind.joined(waiting.call, outcomes))

    def _carry_on_without(self, batch: list[Waiting]) -> list[Waiting]:
        """Relieves the disk, and commits what is no arrival first; what is left of the batch."""
        self._room.relieve(self._connection)
        arrivals = [waiting for waiting in batch if waiting.arrival]
        work = [waiting for waiting in batch if not waiting.arrival]
        if arrivals and work:
            self._hand_out(self._commit_patiently(work))
            return arrivals
        return batch

    def _given_back(self, batch: list[Waiting], error: JournalFull) -> list[Result]:
        """With all that came after them: later ones must not be recorded before earlier ones."""
        with self._wakeup:
            batch += [waiting for waiting in self._queue if waiting.size]
            self._queue = deque(waiting for waiting in self._queue if not waiting.size)
        return [Result(waiting.future, error=error) for waiting in batch]

    def _lost(self, error: Exception) -> JournalError | None:
        """The error by which the journal is lost for good; None where its disk may recover.

        Files that are gone are waited for as long as they held what has to be done.
        """
        if isinstance(error, FilesMoved) and self._ledger.is_empty():
            self._broken = self._broken or JournalMoved(str(error))
        return self._broken

    def _wait_for_disk(self, error: Exception, attempt: int, *, held: Sequence[Waiting]) -> bool:
        """False when the journal is being closed, so that there is no next try."""
        if not self._faulty and not isinstance(error, NoRoom):
            self._faulty = True
            self._on_disk_fault(str(error) or "out of memory")
        may_overtake = all(waiting.arrival for waiting in held)
        with self._wakeup:
            self._answer_pulses()
            again_at = time.monotonic() + RETRY_SECONDS[min(attempt, len(RETRY_SECONDS) - 1)]
            # What is submitted meanwhile wakes us too, and must not turn the pause into a busy loop.
            while not self._closing and (left := again_at - time.monotonic()) > 0:
                if may_overtake and any(not waiting.arrival for waiting in self._queue):
                    break
                self._wakeup.wait(left)
                self._answer_pulses()
        if may_overtake and (work := self._take_work()):
            self._hand_out(self._commit_patiently(work))
        with self._wakeup:
            return not self._closing

    def _answer_pulses(self) -> None:
        """With the lock held."""
        if self._pulses:
            pulses, self._pulses = self._pulses, []
            self._loop.call_soon_threadsafe(deliver, [Result(pulse) for pulse in pulses])

    def _commit_together(self, batch: Sequence[Waiting]) -> list[Result]:
        connection = self._connection
        arrivals = [waiting for waiting in batch if waiting.arrival]
        if arrivals:
            self._room.make(connection, sum(waiting.size for waiting in arrivals))
        connection.execute("BEGIN IMMEDIATE")
        try:
            results = self._perform_all(batch)
            if arrivals:
                self._room.check()
            self._commit()
        except BaseException:
            self._ledger.rolled_back()  # first, because a failing disk may fail the ROLLBACK too
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        self._ledger.committed()
        return results if not arrivals else self._checked(batch, results)

    def _checked(self, batch: Sequence[Waiting], results: list[Result]) -> list[Result]:
        """Once more after the commit: what went into a file that is gone by now is not acknowledged."""
        try:
            self._room.check()
        except FilesMoved as moved:
            error = JournalMoved(str(moved))
            arrivals = {waiting.future for waiting in batch if waiting.arrival}
            return [
                Result(result.future, error=error) if result.future in arrivals else result
                for result in results
            ]
        return results

    def _commit(self) -> None:
        try:
            self._connection.execute("COMMIT")
        except sqlite3.IntegrityError as error:  # a constraint that waits for the end of the transaction
            raise CallFailed from error

    def _perform_all(self, batch: Sequence[Waiting]) -> list[Result]:
        """What refers to committed requests alone comes first: what it makes free, arrivals may use."""
        in_order = sorted(batch, key=lambda waiting: not waiting.kind.first)
        return [
            result
            for kind, calls in groupby(in_order, key=lambda waiting: waiting.kind)
            for result in self._perform(kind, list(calls))
        ]

    def _perform(self, kind: Kind[Any, Any], calls: Sequence[Waiting]) -> list[Result]:
        try:
            values = kind.together(self._connection, [waiting.call for waiting in calls])
        except NoRoom:
            raise
        except sqlite3.Error as error:
            if primary_code(error) in DISK_FAULTS | DAMAGE:
                raise
            raise CallFailed from error
        except Exception as error:
            raise CallFailed from error
        return [Result(waiting.future, value) for waiting, value in zip(calls, values, strict=True)]
