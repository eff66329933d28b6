"""Reads what a step needs to know of requests that the connector does not hold in memory."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.memory import Standing
from twilio_notifications.adapters.journal.statements import chains
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.lifecycle import UNFINISHED, ForbiddenTransition, State

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection


def was_ended(connection: Connection, id_: int, standing: Standing) -> bool:
    """Whether a client, a person or a newer request has ended it while it waited."""
    if standing.state in UNFINISHED:
        return False
    row = connection.execute(chains.LATEST_REASON, (id_,)).fetchone()
    return row is not None and row[0] in {Reason.CANCELLED, Reason.SUPERSEDED}


def read_standing(connection: Connection, id_: int) -> Standing:
    """Raises ForbiddenTransition where the journal holds no such request."""
    found = read_standings(connection, [id_])
    if not found:
        raise ForbiddenTransition(f"the journal holds no request {id_}")
    return found[id_]


def read_standings(connection: Connection, ids: Sequence[int]) -> dict[int, Standing]:
    """Without those that the journal does not hold."""
    if not ids:
        return {}
    rows = connection.execute(sql.STANDINGS, (json.dumps(ids),))
    return {id_: Standing(State(state), *others) for id_, state, *others in rows}
