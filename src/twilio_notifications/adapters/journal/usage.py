"""Usage on SQLite: what was used of the operator's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.policy import LONGEST_PERIOD_SECONDS, Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.store import OpenJournal


class SqlUsage:
    """Implements ports.Usage."""

    _store: OpenJournal

    async def usage(self, scopes: Sequence[str], *, since: float) -> Tally:
        """What of these scopes was used in windows that began at or after `since`."""
        return await self._store.read(
            lambda connection: Tally(
                {
                    (name, begun): used
                    for scope in scopes
                    for name, begun, used in connection.execute(sql.USAGE, (scope, since))
                }
            )
        )

    async def forget_usage(self, *, now: float) -> None:
        """Removes what was used of the limits in windows that no limit looks at any more."""
        bound = (now - LONGEST_PERIOD_SECONDS,)
        await self._store.writer.submit(
            lambda connection: connection.execute(sql.PURGE_USAGE, bound).rowcount
        )
