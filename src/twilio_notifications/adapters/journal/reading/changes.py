"""What has changed in a journal since a mark."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import reading as sql
from twilio_notifications.ports.journal.reader import Changes, Mark

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.access import Access

MOST_CHANGED = 1_000
"""Requests that one call names, the newest ones."""


def changes(access: Access, after: Mark | None) -> Changes:
    """What has changed; where nothing was written, the journal is not opened."""
    written = access.last_written()
    if after is not None and after.places[: len(written)] == written and all(written):
        return Changes(mark=after, anything=False, requests=())
    with access.reading() as connection:
        places = tuple(connection.execute(sql.PLACES).fetchone())
        if after is None:
            return Changes(mark=Mark((*written, *places)), anything=True, requests=())
        since = (*after.places[len(written) :], MOST_CHANGED)
        requests = [number for (number,) in connection.execute(sql.CHANGED, since)]
    return Changes(mark=Mark((*written, *places)), anything=True, requests=requests)
