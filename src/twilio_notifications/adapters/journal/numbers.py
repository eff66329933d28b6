"""Gives the numbers of requests and the positions of statuses: none is given twice, and both grow.

They only have to grow: a transaction that is rolled back leaves a gap, which does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from twilio_notifications.adapters.journal.statements import counted as sql
from twilio_notifications.adapters.journal.statements.care import NEWEST_REQUEST

if TYPE_CHECKING:
    from collections.abc import Callable

    from twilio_notifications.adapters.journal.connection import Connection

Numbered = Literal["requests", "statuses"]


class Numbering(Protocol):
    """Used in the writer's thread."""

    def load(self, connection: Connection) -> None:
        """Reads which numbers were given."""

    def begun(self, connection: Connection) -> None:
        """A transaction has begun."""

    def expect(self, of: Numbered, count: int) -> None:
        """So many more are about to be asked for, so that the database is asked once."""

    def next(self, of: Numbered) -> int:
        """A number that is greater than all others of the lanes of this transaction."""

    def latest_request(self) -> int:
        """No request has a greater number, in a transaction that has the whole journal."""

    def keep(self, connection: Connection) -> None:
        """Requests are about to be deleted: no number of theirs is given again."""


@dataclass(slots=True)
class Counted:
    """Of a journal that one connector owns: they are counted in memory."""

    _latest: dict[Numbered, int] = field(init=False, default_factory=dict)

    def load(self, connection: Connection) -> None:
        (self._latest["requests"],) = connection.execute(sql.LATEST_REQUEST).fetchone()
        (self._latest["statuses"],) = connection.execute(sql.LATEST_POSITION).fetchone()

    def begun(self, connection: Connection) -> None:
        """No other connector has given any meanwhile."""

    def expect(self, of: Numbered, count: int) -> None:
        """They are at hand."""

    def next(self, of: Numbered) -> int:
        self._latest[of] += 1
        return self._latest[of]

    def latest_request(self) -> int:
        return self._latest["requests"]

    def keep(self, connection: Connection) -> None:
        keep_position(connection)


def keep_position(connection: Connection) -> None:
    """The newest status may be among what is deleted, and its position in the outbox is never given again."""
    for keep in sql.KEEP_POSITION:
        connection.execute(keep)


@dataclass(slots=True, kw_only=True)
class Drawn:
    """Of a journal that several share: the database gives them, and each is for one transaction.

    A number that is left over is thrown away: in a later transaction it could be smaller than one that
    another connector has given to the same request or recipient since.
    """

    draw: Callable[[Connection, Numbered, int], list[int]]
    _left: dict[Numbered, list[int]] = field(init=False, default_factory=dict)
    """Those of this transaction, the smallest one last."""
    _expected: dict[Numbered, int] = field(init=False, default_factory=dict)
    _connection: Connection | None = field(init=False, default=None)

    def load(self, connection: Connection) -> None:
        """The database knows them."""

    def begun(self, connection: Connection) -> None:
        self._connection = connection
        self._left.clear()
        self._expected.clear()

    def expect(self, of: Numbered, count: int) -> None:
        self._expected[of] = self._expected.get(of, 0) + count

    def next(self, of: Numbered) -> int:
        left = self._left.get(of)
        if not left:
            count = max(1, self._expected.pop(of, 1))
            left = self._left[of] = sorted(self.draw(self._used(), of, count), reverse=True)
        return left.pop()

    def latest_request(self) -> int:
        (latest,) = self._used().execute(NEWEST_REQUEST).fetchone()
        return int(latest)

    def keep(self, connection: Connection) -> None:
        """The database never goes back."""

    def _used(self) -> Connection:
        if self._connection is None:
            raise RuntimeError("a number is drawn before the first transaction")
        return self._connection
