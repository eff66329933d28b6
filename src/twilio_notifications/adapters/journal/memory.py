"""What is kept in memory about the journal, so that the line need not ask the file.

It follows the transactions, and is used in the writer's thread, except where it says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import care as sql
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.ports import Recovery

if TYPE_CHECKING:
    from collections.abc import Mapping

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.numbers import Numbering

_COUNTED: Mapping[State, str] = {
    State.WAITING: sql.COUNT_WAITING,
    State.OPEN: sql.COUNT_OPEN,
    State.IN_DOUBT: sql.COUNT_IN_DOUBT,
    State.FINISHED: sql.COUNT_UNREPORTED,
}

Recipient = tuple[str, str]
"""Channel and phone number."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a step needs to know of its request, as the file has it."""

    state: State
    channel: str
    phone_number: str
    request_id: str
    """As JSON, as it stands in the file."""
    origin: str | None
    opened: int = 0
    """Number of the open attempt, or of the last one."""
    opened_at: float | None = None
    charges: str | None = None
    waiting_since: float | None = None
    waiting_reason: str | None = None
    chain: int | None = None
    """The request that began the chain to which it belongs."""
    priority: int = 1
    """Its rank (rows.RANKS)."""
    sender: int | None = None
    """The paced sender that it leaves from; None: not paced."""
    amount: int = 1
    """The units that the request uses of its sender's rate."""
    envelope: str | None = None
    """As it stands in the file (envelopes.py)."""
    lease: int | None = None
    """The token of the connector that has claimed or opened it, where connectors share the journal."""

    @property
    def recipient(self) -> Recipient:
        return self.channel, self.phone_number


class Memory:
    """Counts, and the attempts that this run has opened.

    Requests are counted by their state, except those that are reported: there only purging matters. The open
    attempts are as many as there are places, so they are bounded.
    """

    def __init__(self, *, numbers: Numbering, is_shared: bool) -> None:
        """Where the journal `is_shared`, others change it too: counts are of the last look, and a hint."""
        self.numbers = numbers
        self._is_shared = is_shared
        self._by_state = dict.fromkeys(_COUNTED, 0)
        self.committed_by_state: Mapping[State, int] = dict(self._by_state)
        """Never changed, only replaced: another thread may read it at any time."""
        self._open: dict[int, Standing] = {}
        self._busy: set[Recipient] = set()
        self._opened: list[int] = []
        self._closed: list[tuple[int, Standing]] = []

    def load(self, connection: Connection) -> None:
        self.count_again(connection)
        self.numbers.load(connection)
        self.committed()

    def count_again(self, connection: Connection) -> None:
        """Counts the requests by their state."""
        for state, statement in _COUNTED.items():
            (self._by_state[state],) = connection.execute(statement).fetchone()

    # Counts.

    @property
    def unfinished(self) -> int:
        return sum(map(self._by_state.__getitem__, UNFINISHED))

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""
        return not any(self.committed_by_state.values())

    def change(self, *, was: State | None, now: State | None, by: int = 1) -> None:
        """None is what is not counted: not recorded yet, or reported."""
        if was is not None:
            self._by_state[was] = max(0, self._by_state[was] - by)
        if now is not None:
            self._by_state[now] += by

    def suppose_that_something_waits(self) -> None:
        """Until the next commit; for the event loop."""
        known = self.committed_by_state
        self.committed_by_state = {**known, State.WAITING: max(1, known[State.WAITING])}

    def something_waits(self) -> None:
        """Another connector has recorded it."""
        self._by_state[State.WAITING] = max(1, self._by_state[State.WAITING])

    def recovered(self) -> None:
        """What was open is in doubt."""
        self.change(was=State.OPEN, now=State.IN_DOUBT, by=self._by_state[State.OPEN])

    def recovery(self) -> Recovery:
        return Recovery(
            waiting=self._by_state[State.WAITING],
            in_doubt=self._by_state[State.IN_DOUBT],
            unreported=self._by_state[State.FINISHED],
        )

    def next_request(self) -> int:
        return self.numbers.next("requests")

    def next_position(self) -> int:
        return self.numbers.next("statuses")

    # Open attempts.

    def opened(self, id_: int, standing: Standing) -> None:
        self._open[id_] = standing
        self._busy.add(standing.recipient)
        self._opened.append(id_)

    def standing(self, id_: int) -> Standing | None:
        """None where this run has opened no attempt of the request, or it is open no more."""
        return self._open.get(id_)

    def closed(self, id_: int) -> None:
        standing = self._open.pop(id_, None)
        if standing is not None:
            self._busy.discard(standing.recipient)
            self._closed.append((id_, standing))

    def knows_busy(self, recipient: Recipient) -> bool:
        """Whether this run has opened an attempt for the recipient that is still open.

        Where the journal is shared, the leader may have closed it.
        """
        return not self._is_shared and recipient in self._busy

    def knows_no_turn(self, recipient: Recipient) -> bool:
        """Whether no request of this recipient may be next, as far as that is known without a read."""
        if self._is_shared:
            return False
        return not self._by_state[State.WAITING] or recipient in self._busy

    def knows_all(self, *, more: int) -> bool:
        """Whether all unfinished requests, but for `more` of them, are open attempts of this run.

        Then `knows_busy` says everything of them.
        """
        return not self._is_shared and len(self._open) + more == self.unfinished

    def committed(self) -> None:
        self.committed_by_state = dict(self._by_state)
        self._opened.clear()
        self._closed.clear()

    def rolled_back(self) -> None:
        self._by_state = dict(self.committed_by_state)
        for id_, standing in self._closed:
            self._open[id_] = standing
        for id_ in self._opened:
            self._open.pop(id_, None)
        self._busy = {standing.recipient for standing in self._open.values()}
        self._opened.clear()
        self._closed.clear()
