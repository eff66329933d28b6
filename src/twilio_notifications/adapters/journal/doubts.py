"""Doubts on SQLite: attempts whose answer is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.rows import doubtful
from twilio_notifications.adapters.journal.statements import members
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.core.steps import AttemptOutcome
from twilio_notifications.ports import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.core.steps import Doubtful


class SqlDoubts:
    """Implements ports.Doubts."""

    _store: OpenJournal

    async def doubtful(self, *, now: float, limit: int) -> list[Doubtful]:
        """Attempts in doubt that are due to be looked up."""
        return await self._store.select(sql.DOUBTFUL, now, doubtful, limit=limit)

    async def doubt(self, request: int) -> Doubtful | None:
        """The attempt of this request that is in doubt, due or not."""
        aside = self._store.aside
        found = await self._store.read(
            lambda connection: aside.values(connection.execute(sql.DOUBT_OF, (request,)), doubtful, wanted=1)
        )
        return found[0] if found else None

    async def known_sids(self, sids: Sequence[str], *, settling: int | None = None) -> frozenset[str]:
        """Those of `sids` that belong to an attempt already; where a request is settled, to another one."""

        def is_known(connection: Connection, sid: str) -> bool:
            values = {"sid": sid, "settling": settling}
            return connection.execute(sql.KNOWN_SID, values).fetchone() is not None

        return await self._store.read(
            lambda connection: frozenset(sid for sid in sids if is_known(connection, sid))
        )

    async def evidence(self, request: int, *, attempt: int) -> Evidence | None:
        """What came too late from a connector that made this attempt, or the SID of an earlier one."""
        if not self._store.ledger.sharing.is_shared:
            return None
        values = {"request": request, "attempt": attempt}
        row = await self._store.read(
            lambda connection: connection.execute(members.EVIDENCE, values).fetchone()
        )
        return None if row is None else evidence_of(row)


def evidence_of(row: tuple[Any, ...]) -> Evidence:
    """A row of EVIDENCE."""
    outcome, sid, word, sender_number, phone_number, code, at = row
    return Evidence(
        outcome=AttemptOutcome(outcome),
        sid=sid,
        word=word,
        sender_number=sender_number,
        phone_number=phone_number,
        code=code,
        at=at,
    )
