"""The turn: at most one waiting request of a channel and recipient may be claimed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import work as sql

if TYPE_CHECKING:
    from collections.abc import Iterable

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

    def pass_on(self, connection: Connection, recipients: Iterable[Recipient]) -> None:
        """Gives the turn to the first waiting request of each, unless an attempt for it is open."""
        asked = [recipient for recipient in recipients if not self.memory.knows_no_turn(recipient)]
        if not asked:
            return
        statement = sql.FIRST_DUE if self.overtaking else sql.FIRST_IN_ORDER
        taken, given = [], []
        for first, sender, holder, busy in connection.execute(statement, {"recipients": json.dumps(asked)}):
            if sender is not None:
                self.paces.wait(sender)
            if not busy and holder != first:
                given.append((first,))
                if holder is not None:
                    taken.append((holder,))
        if taken:
            connection.executemany(sql.TAKE_TURN, taken)
        if given:
            connection.executemany(sql.GIVE_TURN, given)
