"""Facts on SQLite: what the connector writes down of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import facts as sql

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.ports.journal.facts import Fact


class SqlFacts:
    """Implements ports.journal.facts.Facts."""

    _store: OpenJournal

    async def keep_facts(self, facts: Sequence[Fact], *, at: float) -> None:
        """Keeps each in place of the last one of its name."""
        rows = [(one.name, one.word, one.about, one.detail, one.since, at) for one in facts]

        def operation(connection: Connection) -> None:
            connection.executemany(sql.KEEP_FACT, rows)

        await self._store.writer.submit(operation)
