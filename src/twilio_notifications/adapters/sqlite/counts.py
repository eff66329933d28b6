"""How many requests are in which state, without asking the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.sqlite import statements as sql
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.ports import Recovery

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping

_COUNTED: Mapping[State, str] = {
    State.WAITING: sql.COUNT_WAITING,
    State.OPEN: sql.COUNT_OPEN,
    State.IN_DOUBT: sql.COUNT_IN_DOUBT,
    State.FINISHED: sql.COUNT_UNREPORTED,
}


class Counts:
    """What is kept in memory in addition to the file: it follows the transactions, so it never disagrees.

    Requests are counted by their state, but for those that are reported: there only purging matters.
    """

    def __init__(self) -> None:
        self._by_state = dict.fromkeys(_COUNTED, 0)
        self.committed_by_state: Mapping[State, int] = dict(self._by_state)
        """Never changed, only replaced: another thread may read it at any time."""
        self._position = 0

    @property
    def unfinished(self) -> int:
        return sum(map(self._by_state.__getitem__, UNFINISHED))

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""
        return not any(self.committed_by_state.values())

    def load(self, connection: sqlite3.Connection) -> None:
        for state, statement in _COUNTED.items():
            (self._by_state[state],) = connection.execute(statement).fetchone()
        (self._position,) = connection.execute(sql.LATEST_POSITION).fetchone()
        self.committed()

    def change(self, *, was: State | None, now: State | None, by: int = 1) -> None:
        """None is what is not counted: not recorded yet, or reported."""
        if was is not None:
            self._by_state[was] -= by
        if now is not None:
            self._by_state[now] += by

    def recovered(self) -> None:
        """What was open is in doubt."""
        self.change(was=State.OPEN, now=State.IN_DOUBT, by=self._by_state[State.OPEN])

    def recovery(self) -> Recovery:
        return Recovery(
            waiting=self._by_state[State.WAITING],
            in_doubt=self._by_state[State.IN_DOUBT],
            unreported=self._by_state[State.FINISHED],
        )

    def next_position(self) -> int:
        """Positions only have to grow: a rolled back transaction leaves a gap, which does no harm."""
        self._position += 1
        return self._position

    def committed(self) -> None:
        self.committed_by_state = dict(self._by_state)

    def rolled_back(self) -> None:
        self._by_state = dict(self.committed_by_state)
