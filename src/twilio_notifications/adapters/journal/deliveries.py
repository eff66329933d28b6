"""Deliveries on SQLite: what became of what Twilio accepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.lanes import Lanes, of_sender
from twilio_notifications.adapters.journal.rows import REQUEST_WIDTH, claimed, kept_status
from twilio_notifications.adapters.journal.standings import read_standing
from twilio_notifications.adapters.journal.statements import deliveries as sql
from twilio_notifications.adapters.journal.statements.chains import HASTEN_OF_REQUEST, INSERT_LATER_STATUS
from twilio_notifications.core.delivery import Followed, Who
from twilio_notifications.core.lifecycle import ForbiddenTransition, Move, State, apply
from twilio_notifications.ports import Changed, Unreported

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.memory import Memory
    from twilio_notifications.adapters.journal.paces import Paces
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.core.delivery import Change, FollowUpStatus
    from twilio_notifications.core.steps import Claimed


class SqlDeliveries:
    """Implements ports.Deliveries."""

    _store: OpenJournal

    async def due_deliveries(self, *, now: float, limit: int) -> list[Followed]:
        """Deliveries that are to be looked at, the longest due first."""
        return await self._store.select(sql.DUE, now, _followed, limit=limit)

    async def next_look(self) -> float | None:
        """When a delivery is to be looked at next."""
        aside = self._store.aside
        return await self._store.read(
            lambda connection: aside.earliest(connection.execute(sql.NEXT_LOOK, (aside.limit(1),)))
        )

    async def delivery_of(self, sid: str) -> Followed | None:
        """The delivery with this SID."""
        return await self._one(sql.BY_SID, sid)

    async def delivery(self, request: int) -> Followed | None:
        """The delivery of this request."""
        return await self._one(sql.OF_REQUEST, request)

    async def change(self, changes: Sequence[Change]) -> Changed:
        """Takes the changes in one transaction, with what they tell."""
        ledger = self._store.ledger
        taker = _Taker(memory=ledger.memory, paces=ledger.paces, sharing=ledger.sharing)
        stalls = [change.stall for change in changes if change.stall is not None]
        # A chain that is hastened is no lane: what else changes chains has the whole journal.
        lanes = Lanes(
            names=frozenset(of_sender(stall.channel, stall.sender_number) for stall in stalls),
            requests=frozenset(change.request for change in changes),
        )
        return await self._store.writer.submit(
            lambda connection: taker.together(connection, changes), lanes=lanes
        )

    async def callback_secret(self, fresh: bytes) -> bytes:
        """The secret of this journal for the keys of callbacks; `fresh` becomes it where there is none."""

        def operation(connection: Connection) -> bytes:
            connection.execute(sql.KEEP_KEY, (fresh,))
            return bytes(connection.execute(sql.KEY_OF_CALLBACKS).fetchone()[0])

        return await self._store.writer.submit(operation)

    async def _one(self, statement: str, key: str | int) -> Followed | None:
        aside = self._store.aside
        found = await self._store.read(
            lambda connection: aside.values(connection.execute(statement, (key,)), _followed, wanted=1)
        )
        return found[0] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taker:
    """Used in the writer's thread, inside its transaction."""

    memory: Memory
    paces: Paces
    sharing: Sharing

    def together(self, connection: Connection, changes: Sequence[Change]) -> Changed:
        written: list[Unreported] = []
        stale: set[int] = set()
        self.memory.numbers.expect("statuses", sum(change.status is not None for change in changes))
        for change in changes:
            if connection.execute(sql.CHANGE, _values(change)).rowcount != 1:
                stale.add(change.request)
                continue
            happened = change.happened
            if happened is not None:
                entry = (happened.happening, happened.source, happened.word, happened.code, happened.result)
                connection.execute(sql.INSERT_EVENT, (change.request, change.at, *entry))
                # A chain may have something to do at once.
                connection.execute(HASTEN_OF_REQUEST, (change.at, change.request))
            if change.stall is not None:
                self.paces.pause(connection, change.stall)
            if change.status is not None:
                written.append(self._write(connection, change.request, change.status, at=change.at))
        if written or any(change.happened for change in changes):
            self.sharing.tell_news()  # callbacks reach any connector, and only the leader reports
        return Changed(written=tuple(written), stale=frozenset(stale))

    def _write(
        self, connection: Connection, request: int, status: FollowUpStatus, *, at: float
    ) -> Unreported:
        """Puts the status into the outbox, behind those that the request has there already."""
        standing = read_standing(connection, request)
        after = apply(standing.state, Move.FOLLOW_UP)
        if connection.execute(sql.FOLLOW_UP, (request,)).rowcount != 1:
            raise ForbiddenTransition(f"request {request} cannot have a follow-up")
        if standing.state is State.REPORTED:
            self.memory.change(was=None, now=after)
        position = self.memory.next_position()
        kept = kept_status(status.status, standing.request_id)
        values = (position, request, kept, status.reason, status.message, status.code, at, False)
        connection.execute(INSERT_LATER_STATUS, values)
        return rows.addressed(
            position, request, status.status, origin=standing.origin, envelope=standing.envelope
        )


def _values(change: Change) -> tuple[Any, ...]:
    """The parameters of CHANGE."""
    after = change.after
    return (
        change.look_at,
        after.state,
        after.changed_at,
        after.code,
        change.who.sender_number,
        change.who.phone_number,
        after.answered_by,
        after.key_pressed,
        after.document_code,
        after.notification_looks,
        after.given_up_at,
        after.cancelled_by_us,
        change.request,
        change.version,
    )


def _followed(row: tuple[Any, ...]) -> Followed:
    """A row of the statements that read deliveries."""
    request = claimed(row[:REQUEST_WIDTH])
    sid, begun_at, look_at, from_number, to_number, version, *columns = row[REQUEST_WIDTH:]
    return Followed(
        request=request,
        sid=sid,
        begun_at=begun_at,
        look_at=look_at,
        delivery=rows.delivery(request.notification.channel, columns),
        who=_who(request, from_number=from_number, to_number=to_number),
        version=version,
    )


def _who(request: Claimed, *, from_number: str | None, to_number: str | None) -> Who:
    notification = request.notification
    return Who(
        sender_number=from_number or notification.sender,
        phone_number=to_number or notification.recipient.phone_number,
        name=notification.recipient.name,
    )
