"""The cost of one message in the journal, statement by statement: `python -m bench.journal`.

The requests may leave at once; each batch is recorded with its attempts, finished and reported. Only the CPU
time of the journal's thread is measured, so that other programs on the machine disturb it little.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from bench.filling import Silent, a_request, a_success
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.sqlite.engine import SqliteEngine
from twilio_notifications.ports import Opening

if TYPE_CHECKING:
    import sqlite3

AT = 1_700_000_000.0


class Watched:
    """A connection that adds up what each statement takes, in nanoseconds."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.spent: Counter[str] = Counter()

    def execute(self, statement: str, *parameters: Any) -> Any:
        return self._timed(self._connection.execute, statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> Any:
        return self._timed(self._connection.executemany, statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)

    def _timed(self, run: Any, statement: str, *parameters: Any) -> Any:
        begun = time.thread_time_ns()
        result = run(statement, *parameters)
        self.spent[" ".join(statement.split())[:60]] += time.thread_time_ns() - begun
        return result


async def lives(journal: SqliteJournal, *, batches: int, size: int) -> None:
    """Takes all messages through their whole lives."""
    opening = Opening(at=AT, clock_offset=0.1, places=size)
    for batch in range(batches):
        numbers = range(batch * size, (batch + 1) * size)
        requests = [a_request(number, at=AT + number / 1000, may_leave=True) for number in numbers]
        recorded = (await journal.record(requests, opening=opening)).recorded
        steps = [a_success(n, one, at=AT) for n, one in zip(numbers, recorded, strict=True) if one.opened]
        taken = await journal.take(steps)
        journal.report([status.position for status in taken.written], at=AT)
    await journal.flush()


async def measure(folder: Path, *, batches: int, size: int) -> None:
    async with SqliteJournal(folder / "journal.db", events=Silent()) as journal:
        writer = journal._store.writer
        watched = Watched(cast("sqlite3.Connection", writer._engine.connection))
        writer._engine = SqliteEngine(cast("sqlite3.Connection", watched))
        commit, whole = writer._commit_patiently, Counter[str]()

        def timed(batch: Any) -> Any:
            begun = time.thread_time_ns()
            results = commit(batch)
            whole["thread"] += time.thread_time_ns() - begun
            return results

        writer._commit_patiently = timed  # type: ignore[method-assign]
        await lives(journal, batches=batches, size=size)
    messages = batches * size
    for statement, nanoseconds in watched.spent.most_common():
        print(f"{nanoseconds / messages / 1000:8.2f} µs  {statement}")
    print(f"{watched.spent.total() / messages / 1000:8.2f} µs  in SQLite")
    print(f"{whole['thread'] / messages / 1000:8.2f} µs  in the journal's thread, for each of {messages:,}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batches", type=int, default=500)
    parser.add_argument("--size", type=int, default=16, help="messages that share a transaction")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(measure(Path(folder), batches=arguments.batches, size=arguments.size))


if __name__ == "__main__":
    main()
