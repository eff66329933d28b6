"""The group commit: what shares a transaction shares neither faults nor a second execution."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from twilio_notifications.adapters.journal.writer import Writer
from twilio_notifications.adapters.journal.writing_limits import BUSY_SIZE, COMPANY_SECONDS
from twilio_notifications.adapters.sqlite.engine import SqliteEngine
from twilio_notifications.core.errors import JournalClosed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes


def disk_fault(code: int = sqlite3.SQLITE_FULL) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database or disk is full")
    error.sqlite_errorcode = code
    return error


@dataclass(slots=True)
class Desk:
    """A writer on a table of numbers, and what it told."""

    connection: sqlite3.Connection
    told: list[str] = field(default_factory=list)
    writer: Writer = field(init=False)

    def insert(self, number: int) -> asyncio.Future[Any]:
        return self.writer.submit(lambda on: on.execute("INSERT INTO numbers VALUES (?)", (number,)).rowcount)

    def insert_on_failing_disk(self, number: int, *, times: int = 1) -> asyncio.Future[Any]:
        left = times

        def operation(on: Connection) -> None:
            nonlocal left
            left -= 1
            if left >= 0:
                raise disk_fault()
            on.execute("INSERT INTO numbers VALUES (?)", (number,))

        return self.writer.submit(operation)

    def fail(self) -> asyncio.Future[Any]:
        def operation(_on: Connection) -> None:
            raise ValueError("a defect")

        return self.writer.submit(operation)

    def numbers(self) -> list[int]:
        return [row[0] for row in self.connection.execute("SELECT number FROM numbers ORDER BY rowid")]

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is submitted within it is committed in one transaction."""
        gate, begun = threading.Event(), threading.Event()

        def hold(_on: Connection) -> None:
            begun.set()
            gate.wait()

        self.writer.submit(hold)
        begun.wait()
        try:
            yield
        finally:
            gate.set()

    def begun(self, connection: object, lanes: Lanes | None) -> None:
        """It has read nothing that could have changed."""

    def committed(self) -> None:
        self.told.append("committed")

    def is_empty(self) -> bool:
        return True

    def rolled_back(self) -> None:
        self.told.append("rolled back")


@dataclass(slots=True)
class Pauses:
    """Stands in for time.sleep: the writer's thread stays in a pause until it is let go."""

    asked: list[float] = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    over: threading.Event = field(default_factory=threading.Event)

    def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        self.begun.set()
        self.over.wait()


@asynccontextmanager
async def a_desk(
    wrap: Callable[[sqlite3.Connection], Any] = lambda connection: connection,
    pause: Callable[[float], None] = lambda _seconds: None,
) -> AsyncIterator[Desk]:
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.execute("CREATE TABLE numbers (number INTEGER)")
    desk = Desk(connection)
    desk.writer = Writer(
        SqliteEngine(wrap(connection)),
        ledger=desk,
        on_disk_fault=lambda _fault: desk.told.append("disk fault"),
        on_disk_recovery=lambda: desk.told.append("disk recovered"),
        pause=pause,
    )
    try:
        yield desk
    finally:
        await desk.writer.close()
        connection.close()


async def test_what_waits_together_is_committed_together() -> None:
    async with a_desk() as desk:
        with desk.together():
            waiting = [desk.insert(n) for n in range(50)]
        await asyncio.gather(*waiting)
        assert (list(range(50)), ["committed", "committed"]) == (desk.numbers(), desk.told)


async def test_under_load_a_commit_waits_for_company() -> None:
    """Half as many commits, and so a fifth less processor time; what comes meanwhile is in it."""
    pauses = Pauses()
    async with a_desk(pause=pauses) as desk:
        with desk.together():
            busy = [desk.insert(n) for n in range(BUSY_SIZE)]
        await asyncio.gather(*busy)
        first = desk.insert(10)
        await asyncio.to_thread(pauses.begun.wait)
        meanwhile = desk.insert(11)
        pauses.over.set()
        await asyncio.gather(first, meanwhile)
        assert ([COMPANY_SECONDS], ["committed"] * 3) == (pauses.asked, desk.told)


async def test_a_lone_request_waits_for_nobody() -> None:
    """Each of its operations waits for the one before, so none would ever have company."""
    pauses = Pauses()
    async with a_desk(pause=pauses) as desk:
        for number in range(3 * BUSY_SIZE):
            await desk.insert(number)
        assert [] == pauses.asked


async def test_a_defect_fails_alone() -> None:
    async with a_desk() as desk:
        with desk.together():
            one, defect, two = desk.insert(1), desk.fail(), desk.insert(2)
        await asyncio.gather(one, two)
        with pytest.raises(ValueError, match="a defect"):
            await defect
        assert [1, 2] == desk.numbers()


async def test_a_failing_disk_is_told_once_and_waited_for() -> None:
    async with a_desk() as desk:
        await desk.insert_on_failing_disk(1, times=3)
        assert [1] == desk.numbers()
        assert ["disk fault", "committed", "disk recovered"] == [
            told for told in desk.told if told != "rolled back"
        ]


async def test_a_defect_and_a_failing_disk_together_do_nothing_twice() -> None:
    """A request that is recorded twice is sent twice."""
    async with a_desk() as desk:
        with desk.together():
            one, defect, two = desk.insert(1), desk.fail(), desk.insert_on_failing_disk(2, times=2)
        await asyncio.gather(one, two)
        with pytest.raises(ValueError, match="a defect"):
            await defect
        assert [1, 2] == desk.numbers()


class RollbackFails:
    """A connection whose first ROLLBACK meets the failing disk, too."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._failed = False

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, statement: str, *parameters: Any) -> Any:
        result = self._connection.execute(statement, *parameters)
        if statement == "ROLLBACK" and not self._failed:
            self._failed = True
            raise disk_fault(sqlite3.SQLITE_IOERR)
        return result


async def test_what_is_kept_in_memory_is_rolled_back_even_where_the_rollback_fails() -> None:
    async with a_desk(RollbackFails) as desk:
        await desk.insert_on_failing_disk(1)
        assert ["rolled back", "disk fault", "committed", "disk recovered"] == desk.told


async def test_after_the_end_nothing_is_promised() -> None:
    async with a_desk() as desk:
        waiting = [desk.insert(n) for n in range(3)]
        await desk.writer.close()
        await asyncio.gather(*waiting)
        with pytest.raises(JournalClosed):
            await desk.insert(4)
        assert [0, 1, 2] == desk.numbers()


async def test_an_end_while_the_disk_fails_promises_nothing_either() -> None:
    async with a_desk() as desk:
        waiting = desk.insert_on_failing_disk(1, times=1_000_000)
        await desk.writer.close()
        with pytest.raises(JournalClosed):
            await waiting
        assert [] == desk.numbers()


async def test_a_waiter_that_gave_up_does_not_stop_the_others() -> None:
    async with a_desk() as desk:
        with desk.together():
            one, two = desk.insert(1), desk.insert(2)
            one.cancel()
        await two
        assert [1, 2] == desk.numbers()
