"""Usage on SQLite: what was used of the operator's limits."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Tally

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal


def read_usage(connection: Connection, windows: Collection[tuple[str, float]]) -> Tally:
    """What of these scopes was used in windows that began then or later."""
    rows = connection.execute(sql.USAGE, {"windows": json.dumps(list(windows))})
    return Tally({(scope, since): used for scope, since, used in rows})


class SqlUsage:
    """Implements ports.Usage."""

    _store: OpenJournal

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What of these scopes was used in windows that began at or after `since`."""
        windows = [(scope, since) for scope in scopes]
        return await self._store.read(lambda connection: read_usage(connection, windows))

    async def forget_usage(self, *, now: float) -> None:
        """Removes what was used of the limits in windows that no limit looks at any more."""
        bound = (now - LONGEST_PERIOD_SECONDS,)
        await self._store.writer.submit(
            lambda connection: connection.execute(sql.PURGE_USAGE, bound).rowcount
        )
