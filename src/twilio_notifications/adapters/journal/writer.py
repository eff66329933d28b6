"""Group commit: one thread owns the connection, and writes all calls that wait in one transaction.

Rule 1: a future is done only after the commit that holds its change; one call into the event loop resolves
all futures of a commit. Rule 2: a disk that fails (full, read-only, I/O error), or a server that is gone, is
waited for; nothing is answered meanwhile, and nothing is lost when it recovers. Rule 3: a call that fails by
its own fault fails alone, never the transaction it shares; of a call with several members, only the failing
ones.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import replace
from itertools import groupby
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.adapters.journal.calls import CallFailed, Result, Waiting, deliver
from twilio_notifications.adapters.journal.engine import CommitUnknown, DatabaseFault, said_of
from twilio_notifications.adapters.journal.kinds import Operation, Single
from twilio_notifications.adapters.journal.lanes import NeedsJournal, joined
from twilio_notifications.adapters.journal.room import Boundless, FilesMoved, NoRoom, ReserveGone
from twilio_notifications.adapters.journal.writing_limits import (
    BATCH_LIMIT,
    BUSY_SIZE,
    COMPANY_SECONDS,
    GIVE_BACK_SECONDS,
    MOST_CONFLICTS,
    REPORT_SECONDS,
    RETRY_SECONDS,
)
from twilio_notifications.core.errors import JournalClosed, JournalError, JournalFull, JournalMoved

T = TypeVar("T")

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.calls import Ledger
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.engine import DatabaseEngine
    from twilio_notifications.adapters.journal.kinds import Kind
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.adapters.journal.room import Room


class Writer:
    """Runs operations on the connection, in order, and commits them in groups."""

    def __init__(  # noqa: PLR0913 - who hears of its disk, and what tests give, each with its default
        self,
        engine: DatabaseEngine,
        *,
        ledger: Ledger,
        on_disk_fault: Callable[[str], None],
        on_disk_recovery: Callable[[], None],
        room: Room | None = None,
        pause: Callable[[float], None] = time.sleep,
        ride_seconds: float = REPORT_SECONDS,
    ) -> None:
        self._engine = engine
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
        self,
        operation: Callable[[Connection], T],
        *,
        arrival: bool = False,
        size: int = 0,
        lanes: Lanes | None = None,
    ) -> asyncio.Future[T]:
        """The operation's result, once it is on disk; JournalClosed when that did not happen any more.

        An `arrival` of about `size` bytes is what the journal does not hold yet. While there is no room for
        it, it waits, and operations on what the journal holds go on. `lanes`: see Kind.lanes.
        """
        return self.give(self._single, Operation(operation, lanes), arrival=arrival, size=size)

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
        """The caller holds the lock."""
        riding, self._riding = self._riding, []
        return riding

    def _take_work(self) -> list[Waiting]:
        """The waiting calls that are no arrivals: they refer to committed rows and may overtake arrivals."""
        with self._wakeup:
            work = [waiting for waiting in self._queue if not waiting.arrival][:BATCH_LIMIT]
            if work:
                taken = set(map(id, work))
                self._queue = deque(waiting for waiting in self._queue if id(waiting) not in taken)
            return work + self._take_riding()

    def _commit_patiently(self, batch: list[Waiting]) -> list[Result]:
        began = time.monotonic()
        attempt = 0
        while True:
            try:
                results = self._commit_together(batch)
            except CallFailed as failed:
                return self._apart(batch, failed.__cause__)
            except Exception as error:  # noqa: BLE001 - what the engine does not know fails its calls
                fault = self._fault(error)
                attempt += 1
                if fault is DatabaseFault.CONFLICT and attempt < MOST_CONFLICTS:
                    continue
                if fault in {None, DatabaseFault.OF_CALL, DatabaseFault.FINAL}:
                    lost = error if fault is None else self._engine.lost(error)
                    return [Result(waiting.future, error=lost) for waiting in batch]
                batch = self._carry_on_without(batch)
                given_up = self._give_up(batch, error, began=began)
                if given_up is not None:
                    return given_up
                if not self._wait_for_disk(error, attempt - 1, held=batch):
                    closed = JournalClosed(f"the journal was closed while its disk failed: {error}")
                    return [Result(waiting.future, error=closed) for waiting in batch]
            else:
                return results

    def _fault(self, error: Exception) -> DatabaseFault | None:
        if isinstance(error, MemoryError | NoRoom | ReserveGone | FilesMoved | CommitUnknown):
            return DatabaseFault.PASSING
        return self._engine.fault(error)

    def _give_up(self, batch: list[Waiting], error: Exception, *, began: float) -> list[Result] | None:
        """The results where no other try will succeed; None where the disk may recover."""
        if isinstance(error, FilesMoved) and self._ledger.is_empty():
            # Files that are gone are waited for only as long as they held what has to be done.
            self._broken = self._broken or JournalMoved(str(error))
        if self._broken is not None:
            return [Result(waiting.future, error=self._broken) for waiting in batch]
        if isinstance(error, NoRoom) and time.monotonic() - began > GIVE_BACK_SECONDS:
            return self._given_back(batch, JournalFull(str(error)))
        return None

    def _apart(self, batch: Sequence[Waiting], error: BaseException | None) -> list[Result]:
        """Carries out the calls one by one, and the members of a single call, so that only the failing fail.

        Not worth a savepoint for each: a failing call is a defect, and rare. Each waits for the disk by
        itself, so that what is committed already is not done again.
        """
        if len(batch) > 1:
            return [result for waiting in batch for result in self._commit_patiently([waiting])]
        [waiting] = batch
        parts = waiting.kind.parts(waiting.call)
        if not parts or not isinstance(error, Exception) or isinstance(error, JournalError):
            return [Result(waiting.future, error=error)]
        if len(parts) == 1:
            return [Result(waiting.future, waiting.kind.joined(waiting.call, [error]))]
        outcomes: list[Any] = []
        for part in parts:
            results = self._commit_patiently([replace(waiting, call=part, members=1)])
            self._hand_out([result for result in results if result.future is not waiting.future])
            [own] = [result for result in results if result.future is waiting.future]
            if isinstance(own.error, JournalError):
                return [own]
            outcomes.append(own.value if own.error is None else own.error)
        return [Result(waiting.future, waiting.kind.joined(waiting.call, outcomes))]

    def _carry_on_without(self, batch: list[Waiting]) -> list[Waiting]:
        """Relieves the disk, and commits what is no arrival first; what is left of the batch."""
        self._room.relieve(self._engine.connection)
        arrivals = [waiting for waiting in batch if waiting.arrival]
        work = [waiting for waiting in batch if not waiting.arrival]
        if arrivals and work:
            self._hand_out(self._commit_patiently(work))
            return arrivals
        return batch

    def _given_back(self, batch: list[Waiting], error: JournalFull) -> list[Result]:
        """The results of these arrivals and of all later ones, which must not be recorded before them."""
        with self._wakeup:
            batch += [waiting for waiting in self._queue if waiting.size]
            self._queue = deque(waiting for waiting in self._queue if not waiting.size)
        return [Result(waiting.future, error=error) for waiting in batch]

    def _wait_for_disk(self, error: Exception, attempt: int, *, held: Sequence[Waiting] | None) -> bool:
        """False when the journal is being closed, so that there is no next try.

        Work may overtake arrivals that are held; None: nothing may overtake a transaction under way.
        """
        if not self._faulty and not isinstance(error, NoRoom):
            self._faulty = True
            self._on_disk_fault(said_of(error))
        may_overtake = held is not None and all(waiting.arrival for waiting in held)
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
        """The caller holds the lock."""
        if self._pulses:
            pulses, self._pulses = self._pulses, []
            self._loop.call_soon_threadsafe(deliver, [Result(pulse) for pulse in pulses])

    def _commit_together(self, batch: Sequence[Waiting]) -> list[Result]:
        if self._engine.has_lanes:
            lanes = joined(waiting.kind.lanes(waiting.call) for waiting in batch)
            with suppress(NeedsJournal):
                return self._commit(batch, lanes)
        return self._commit(batch, None)

    def _commit(self, batch: Sequence[Waiting], lanes: Lanes | None) -> list[Result]:
        engine = self._engine
        arrivals = [waiting for waiting in batch if waiting.arrival]
        if arrivals:
            self._room.make(engine.connection, sum(waiting.size for waiting in arrivals))
        engine.begin(lanes)
        try:
            self._ledger.begun(engine.connection, lanes)
            results = self._perform_all(batch)
            if arrivals:
                self._room.check()
            try:
                engine.commit()
            except CommitUnknown as error:
                self._find_out(error)
        except BaseException:
            self._ledger.rolled_back()  # first, because a failing disk may fail the ROLLBACK too
            engine.roll_back()
            raise
        self._ledger.committed()
        if self._faulty:
            self._faulty = False
            self._on_disk_recovery()
        return results if not arrivals else self._checked(batch, results)

    def _find_out(self, unknown: CommitUnknown) -> None:
        """Waits until it is known that the transaction was committed; raises where it was not."""
        error: Exception = unknown
        attempt = 0
        while self._wait_for_disk(error, attempt, held=None):
            attempt += 1
            try:
                if self._engine.was_committed():
                    return
            except Exception as failed:
                if self._fault(failed) is not DatabaseFault.PASSING:
                    raise
                error = failed
            else:
                raise unknown
        raise JournalClosed(f"the journal was closed before it could be known what it holds: {error}")

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
            values = kind.together(self._engine.connection, [waiting.call for waiting in calls])
        except (NoRoom, NeedsJournal):
            raise
        except Exception as error:
            if self._engine.fault(error) in {None, DatabaseFault.OF_CALL}:
                raise CallFailed from error
            raise
        return [Result(waiting.future, value) for waiting, value in zip(calls, values, strict=True)]
