"""Care on SQLite: what keeps the journal itself in order."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal.standings import read_standing
from twilio_notifications.adapters.journal.statements import care as sql
from twilio_notifications.adapters.journal.statements import orders, waits, wishes
from twilio_notifications.core.errors import JournalError
from twilio_notifications.core.lifecycle import State
from twilio_notifications.ports.events import Defect

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import Ledger, OpenJournal
    from twilio_notifications.ports import BrokenRow, Recovery

CUT_OFF = "the connector ended while the attempt was open"


class SqlCare:
    """Implements ports.Care."""

    _store: OpenJournal

    async def recover(self, *, now: float) -> Recovery:
        """At a start: attempts that an earlier run left open are in doubt, cut off by our own end."""
        store = self._store
        ledger = store.ledger
        try:
            return await store.lead(lambda connection: _recover(connection, ledger, now))
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one row is the cause, and must not keep the others waiting
            store.events.tell(Defect(name="journal_step_failed", error=error))
        await store.lead(lambda connection: _begin_anew(connection, ledger))
        rows = await store.read(lambda connection: connection.execute(sql.LEFT_OPEN).fetchall())
        await store.each(
            [id_ for (id_,) in rows],
            lambda connection, some: _recover_some(connection, ledger, some, now),
            leave=store.leave_request,
        )
        return ledger.memory.recovery()

    async def purge(self, *, finished_before: float, limit: int, rejections_only: bool = False) -> int:
        """Removes reported requests, at most `limit`, so that no purge holds up the line; how many."""
        statement = sql.PURGE_REJECTIONS if rejections_only else sql.PURGE
        now, numbers = self._store.monotonic(), self._store.ledger.memory.numbers

        def operation(connection: Connection) -> int:
            self._store.ledger.redelivery.raise_watermark(connection, now=now)
            connection.execute(wishes.PURGE_WISHES, (finished_before,))
            connection.execute(waits.PURGE_PAUSES, (finished_before,))
            connection.execute(orders.PURGE_ORDERS, (finished_before,))
            numbers.keep(connection)
            return connection.execute(statement, {"before": finished_before, "limit": limit}).rowcount

        return await self._store.lead(operation)

    async def pulse(self) -> None:
        """Returns when the writer's thread has come round; a failing disk does not stop it."""
        await self._store.writer.pulse()

    async def broken_rows(self) -> list[BrokenRow]:
        """Requests whose rows could not be read since the last call; they are set aside already."""
        return self._store.aside.broken()

    def set_aside(self, id_: int) -> None:
        """From now on until the next start, no call returns this request: a defect holds it up."""
        self._store.aside.add(id_)

    def by_state(self) -> Mapping[State, int]:
        """How many requests are in each state but REPORTED, as committed; from memory, at no cost."""
        return self._store.ledger.memory.committed_by_state


def _recover(connection: Connection, ledger: Ledger, now: float) -> Recovery:
    _begin_anew(connection, ledger)
    connection.execute(sql.RECOVER_DOUBTS, (now, now))
    connection.execute(sql.RECOVER_OPEN, (CUT_OFF, now, now))
    future = {"now": now}
    for select, change in (
        (sql.FUTURE_WAITING, sql.RECOVER_WAITING),
        (sql.FUTURE_DOUBTS, sql.RECOVER_DOUBT_EXPIRY),
    ):
        rows: list[dict[str, Any]] = [
            {"request": request, "accepted_at": accepted_at, "now": now}
            for request, accepted_at in connection.execute(select, future)
        ]
        connection.executemany(change, rows)
        connection.executemany(sql.RECOVER_ACCEPTED, rows)
    connection.execute(sql.RECOVER_DELIVERIES, future)
    stalled = ledger.paces.restarted(connection, now=now)
    if ledger.sharing.is_shared:
        ledger.memory.count_again(connection)
    else:
        ledger.memory.recovered()
    return replace(ledger.memory.recovery(), stalled=stalled)


def _begin_anew(connection: Connection, ledger: Ledger) -> None:
    """From now on, the broker may deliver again what it has delivered before."""
    if ledger.sharing.is_shared:
        ledger.redelivery.load(connection)  # of another connector, perhaps
    ledger.redelivery.next_connection(connection)


def _recover_some(connection: Connection, ledger: Ledger, ids: Sequence[int], now: float) -> None:
    """The same for these requests alone; the clock is not asked whether it was set back."""
    for id_ in ids:
        was = read_standing(connection, id_).state
        connection.execute(sql.RECOVER_ONE_DOUBT, (now, now, id_))
        connection.execute(sql.RECOVER_ONE_OPEN, (CUT_OFF, now, now, id_))
        ledger.memory.change(was=was, now=State.IN_DOUBT)
