"""The turn: at most one waiting request of a channel and recipient may be claimed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import arrivals
from twilio_notifications.adapters.journal.statements import work as sql

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.memory import Memory, Recipient
    from twilio_notifications.adapters.journal.paces import Paces


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Used in the writer's thread."""

    memory: Memory
    paces: Paces
    overtaking: bool
    """The turn goes to the request that is due first, rather than to the one that came first."""

    def pass_on(self, connection: Connection, recipient: Recipient) -> None:
        """Gives the turn to the first waiting request, unless an attempt for this recipient is open."""
        if self.memory.knows_no_turn(recipient):
            return
        first = connection.execute(
            sql.FIRST_DUE if self.overtaking else sql.FIRST_IN_ORDER, recipient
        ).fetchone()
        if first is None:
            return
        id_, has_turn, sender = first
        if sender is not None:
            self.paces.wait(sender)
        (busy,) = connection.execute(arrivals.HAS_OPEN_ATTEMPT, recipient).fetchone()
        if not busy and not has_turn:
            for holder in connection.execute(sql.HOLDER_OF_TURN, recipient).fetchall():
                connection.execute(sql.TAKE_TURN, holder)
            connection.execute(sql.GIVE_TURN, (id_,))
