"""Requests that repeat another one: they are not carried out, and answered with the status of that one.

One whose original has an outcome is answered at once. The others are answered in the transaction in which
their original ends. All of this runs in the writer's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.adapters.sqlite.rows import duplicate_row
from twilio_notifications.core.lifecycle import UNFINISHED, State

if TYPE_CHECKING:
    import sqlite3

    from twilio_notifications.adapters.sqlite.counts import Counts
    from twilio_notifications.ports import NewRequest

MOST_OF_ONE = 100
"""Duplicates that may wait for one original: they are all answered in the transaction that ends it."""


class Duplicates:
    """`count` is how many of them wait; it follows the transactions. `most` may wait, with all requests."""

    def __init__(self, counts: Counts, *, most: int) -> None:
        self._counts = counts
        self._most = most
        self._committed = 0
        self.count = 0

    def load(self, connection: sqlite3.Connection) -> None:
        (self.count,) = connection.execute(sql.COUNT_DUPLICATES).fetchone()
        self._committed = self.count

    def committed(self) -> None:
        self._committed = self.count

    def rolled_back(self) -> None:
        self.count = self._committed

    def record(
        self, connection: sqlite3.Connection, arrival: NewRequest, original: int, state: State
    ) -> bool:
        """Whether there was room for it."""
        row = duplicate_row(arrival, original=original)
        if state not in UNFINISHED:
            (over,) = connection.execute(sql.CONNECTION).fetchone()
            self._answer(connection, (*row[1:], over), original=original, at=arrival.accepted_at)
            return True
        (waiting,) = connection.execute(sql.COUNT_DUPLICATES_OF, (original,)).fetchone()
        if waiting >= MOST_OF_ONE or self._counts.unfinished + self.count >= self._most:
            return False
        connection.execute(sql.INSERT_DUPLICATE, row)
        self.count += 1
        return True

    def answer(self, connection: sqlite3.Connection, original: int, *, at: float) -> None:
        """Gives those that wait for this request its status, in the order in which they came."""
        if not self.count:
            return
        rows = connection.execute(sql.DUPLICATES, (original,)).fetchall()
        for row in rows:
            self._answer(connection, row, original=original, at=at)
        connection.execute(sql.DELETE_DUPLICATES, (original,))
        self.count -= len(rows)

    def _answer(
        self, connection: sqlite3.Connection, row: tuple[object, ...], *, original: int, at: float
    ) -> None:
        """`row`: when it came, its mark, its origin, and over which connection."""
        accepted_at, *others = row
        values = (accepted_at, at, self._counts.next_position(), *others, original)
        connection.execute(sql.ANSWER_DUPLICATE, values)
        self._counts.change(was=None, now=State.FINISHED)
