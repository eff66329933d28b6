"""New rows of one transaction, collected so that each table gets all of its own by one call."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.statements import arrivals, deliveries, work
from twilio_notifications.core.lifecycle import ForbiddenTransition

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection

Row = tuple[Any, ...]


@dataclass(slots=True)
class Inserts:
    """A read within the transaction that has to see them flushes them first."""

    requests: list[Row] = field(default_factory=list)
    waiting: list[Row] = field(default_factory=list)
    opened: list[Row] = field(default_factory=list)
    finished: list[Row] = field(default_factory=list)
    attempts: list[Row] = field(default_factory=list)
    statuses: list[Row] = field(default_factory=list)
    deliveries: list[Row] = field(default_factory=list)

    def flush(self, connection: Connection) -> None:
        """Raises ForbiddenTransition where the file did not keep a row: it must not be acknowledged."""
        for statement, rows in (
            (arrivals.INSERT_REQUEST, self.requests),
            (arrivals.INSERT_WAITING, self.waiting),
            (arrivals.INSERT_OPEN, self.opened),
            (arrivals.INSERT_FINISHED, self.finished),
            (work.INSERT_ATTEMPT, self.attempts),
            (work.INSERT_STATUS, self.statuses),
            (deliveries.INSERT_DELIVERY, self.deliveries),
        ):
            if rows:
                if connection.executemany(statement, rows).rowcount != len(rows):
                    raise ForbiddenTransition(
                        "the journal's file did not keep a row: remove the triggers that another program "
                        "added to it"
                    )
                rows.clear()
