"""Requests that repeat another one: they are not carried out, and answered with the status of that one.

One whose original has an outcome is answered at once. The others are answered in the transaction in which
their original ends. All of this runs in the writer's thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.envelopes import encoded_envelope
from twilio_notifications.adapters.journal.rows import addressed, answered_row
from twilio_notifications.adapters.journal.statements import arrivals as sql
from twilio_notifications.core.lifecycle import ForbiddenTransition, State

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.inserts import Inserts
    from twilio_notifications.adapters.journal.memory import Memory
    from twilio_notifications.ports import NewRequest, Unreported

MOST_OF_ONE = 100
"""Duplicates that may wait for one original: they are all answered in the transaction that ends it."""


class Duplicates:
    """`count` is how many of them wait; it follows the transactions. `most` may wait, with all requests."""

    def __init__(self, memory: Memory, *, most: int) -> None:
        self._memory = memory
        self._most = most
        self._committed = 0
        self.count = 0

    def load(self, connection: Connection) -> None:
        (self.count,) = connection.execute(sql.COUNT_DUPLICATES).fetchone()
        self._committed = self.count

    def committed(self) -> None:
        self._committed = self.count

    def rolled_back(self) -> None:
        self.count = self._committed

    def keep(self, connection: Connection, arrival: NewRequest, original: int, *, delivered: int) -> bool:
        """Has it wait for the outcome of its original; whether there was room for it."""
        (waiting,) = connection.execute(sql.COUNT_DUPLICATES_OF, (original,)).fetchone()
        if waiting >= MOST_OF_ONE or self._memory.unfinished + self.count >= self._most:
            return False
        row = (original, *_duplicate_row(arrival, delivered=delivered))
        connection.execute(sql.INSERT_DUPLICATE, row)
        self.count += 1
        return True

    def answer_now(
        self,
        connection: Connection,
        arrival: NewRequest,
        original: int,
        *,
        inserts: Inserts,
        delivered: int,
    ) -> Unreported:
        """Gives it the status of its original, which has one."""
        row = _duplicate_row(arrival, delivered=delivered)
        return self._answer(connection, row, original=original, at=arrival.accepted_at, inserts=inserts)

    def answer(
        self, connection: Connection, original: int, *, at: float, inserts: Inserts
    ) -> list[Unreported]:
        """Gives those that wait for this request its status, in the order in which they came."""
        if not self.count:
            return []
        rows = connection.execute(sql.DUPLICATES, (original,)).fetchall()
        if not rows:
            return []
        inserts.flush(connection)  # the status that they are to have
        written = [self._answer(connection, row, original=original, at=at, inserts=inserts) for row in rows]
        connection.execute(sql.DELETE_DUPLICATES, (original,))
        self.count -= len(rows)
        return written

    def _answer(
        self,
        connection: Connection,
        row: tuple[Any, ...],
        *,
        original: int,
        at: float,
        inserts: Inserts,
    ) -> Unreported:
        accepted_at, packet_id, digest, origin, envelope, delivered = row
        answer = connection.execute(sql.ANSWER, (original,)).fetchone()
        if answer is None:
            raise ForbiddenTransition(f"request {original} has no status that its duplicates could have")
        request_id, channel, kept, status, reason, message, code = answer
        id_, position = self._memory.next_request(), self._memory.next_position()
        inserts.requests.append(
            answered_row(
                id_,
                request_id,
                channel,
                accepted_at=accepted_at,
                origin=origin,
                digest=digest,
                envelope=envelope,
            )
        )
        inserts.finished.append((id_, channel, packet_id, delivered, at))
        remark = f"repeats request {original}, and has its status"
        inserts.statuses.append((position, id_, kept, reason, message, code, None, at, remark))
        self._memory.change(was=None, now=State.FINISHED)
        return addressed(position, id_, bytes(status), origin=origin, envelope=envelope)


def _duplicate_row(arrival: NewRequest, *, delivered: int) -> tuple[object, ...]:
    mark = arrival.mark
    packet_id, digest = (None, None) if mark is None else (mark.packet_id, mark.digest)
    envelope = encoded_envelope(arrival.envelope)
    return (arrival.accepted_at, packet_id, digest, arrival.origin, envelope, delivered)
