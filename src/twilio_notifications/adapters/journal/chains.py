"""Chains on SQLite: what goes on after a request until a person acknowledges it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.rows import REQUEST_WIDTH, claimed
from twilio_notifications.adapters.journal.statements import chains as sql
from twilio_notifications.adapters.journal.statements.wishes import UNFINISHED_WISH
from twilio_notifications.core.conclusions import Member, MemberStep, RunningChain
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.escalation import WaitingAt
from twilio_notifications.core.model import Channel
from twilio_notifications.ports import Hangup, Notified

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.store import OpenJournal
    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.core.escalation import ChainEnd
    from twilio_notifications.ports import Ended, KnownReply, NewStep, WishProgress


class SqlChains:
    """Implements ports.Chains."""

    _store: OpenJournal

    async def due_chains(self, *, now: float, limit: int) -> list[RunningChain]:
        """Chains that are to be looked at by now, the longest due first."""
        aside = self._store.aside
        return await self._store.read(
            lambda connection: aside.values(
                connection.execute(sql.DUE, (now, aside.limit(limit))),
                lambda row: _running(connection, row),
                wanted=limit,
            )
        )

    async def next_chain_look(self) -> float | None:
        """When a chain is to be looked at next."""
        aside = self._store.aside
        return await self._store.read(
            lambda connection: aside.earliest(connection.execute(sql.NEXT_LOOK, (aside.limit(1),)))
        )

    async def put_off(self, running: RunningChain, *, look_at: float) -> None:
        """The chain is looked at again at `look_at`, unless something has happened to it since."""
        values = (look_at, running.request.id, running.hastened, len(running.taken))
        await self._store.writer.submit(lambda connection: connection.execute(sql.PUT_OFF, values).rowcount)

    async def take_step(self, step: NewStep) -> bool:
        """Records the step and its requests, if the chain still waits for exactly this step."""
        chaining = self._store.chaining
        return await self._store.lead(lambda connection: chaining.take(connection, step))

    async def end_chain(
        self, chain: int, end: ChainEnd, *, writer: ChainWriter, reply: KnownReply | None = None
    ) -> Ended:
        """Ends the chain in one transaction with all that it ends."""
        chaining, sharing = self._store.chaining, self._store.ledger.sharing

        def operation(connection: Connection) -> Ended:
            ended = chaining.end(connection, chain, end, writer=writer, reply=reply)
            sharing.tell_news()  # a key is pressed at any connector, and only the leader reports
            return ended

        return await self._store.writer.submit(operation)

    async def notified(self) -> list[Notified]:
        """The telephones that waiting chains have notified."""
        return await self._store.read(
            lambda connection: [_notified(row) for row in connection.execute(sql.NOTIFIED)]
        )

    async def note_reply(self, reply: KnownReply, *, chain: int) -> bool:
        """Remembers a reply that ends nothing; whether it is new."""
        values = (reply.sid, reply.phone_number, reply.at, reply.meaning, chain)
        added = await self._store.writer.submit(
            lambda connection: connection.execute(sql.INSERT_REPLY, values).rowcount
        )
        return added == 1

    async def chain_of(self, request: int) -> tuple[int, str] | None:
        """The chain of a request, ended or not, and the name of its recipient."""
        row = await self._store.read(
            lambda connection: connection.execute(sql.CHAIN_OF, (request,)).fetchone()
        )
        return None if row is None or row[0] is None else (row[0], row[1])

    async def due_hangups(self, *, now: float, limit: int) -> list[Hangup]:
        """Calls that Twilio is to end now."""
        return await self._store.read(
            lambda connection: [
                Hangup(sid=sid, request=request, tries=tries)
                for sid, request, tries in connection.execute(sql.DUE_HANGUPS, (now, limit))
            ]
        )

    async def hung_up(self, sid: str, *, again_at: float | None) -> None:
        """Twilio was asked to end this call; None: it need not be asked again."""
        if again_at is None:
            await self._store.writer.submit(lambda connection: connection.execute(sql.DELETE_HANGUP, (sid,)))
            return
        values = (again_at, sid)
        await self._store.writer.submit(lambda connection: connection.execute(sql.RETRY_HANGUP, values))

    async def go_on_with_wish(self, *, at: float, writer: ChainWriter) -> WishProgress | None:
        """Carries out the next part of the oldest wish that goes on; None: there is none."""
        wishing = self._store.wishing
        row = await self._store.read(lambda connection: connection.execute(UNFINISHED_WISH, (1,)).fetchone())
        if row is None:
            return None
        return await self._store.writer.submit(
            lambda connection: wishing.go_on(connection, at=at, writer=writer)
        )


def _running(connection: Connection, row: tuple[Any, ...]) -> RunningChain:
    request = claimed(row[:REQUEST_WIDTH], hinted=False)
    name, began_at, hastened = row[REQUEST_WIDTH:]
    steps = connection.execute(sql.STEPS, (request.id,)).fetchall()
    return RunningChain(
        request=request,
        name=name,
        began_at=began_at,
        began=_member(connection, request.id),
        taken=tuple(
            MemberStep(
                at=at, members=tuple(_member(connection, first + offset) for offset in range(requests))
            )
            for at, first, requests in steps
        ),
        hastened=hastened,
    )


def _member(connection: Connection, request: int) -> Member:
    row = connection.execute(sql.MEMBER, (request,)).fetchone()
    if row is None:  # purged: it was answered long ago, and whether it arrived is not known any more
        return Member(request=request, is_finished=True, reason=None, delivery=None)
    is_finished, reason, channel, *columns = row
    return Member(
        request=request,
        is_finished=bool(is_finished),
        reason=None if reason is None else Reason(reason),
        delivery=None if columns[0] is None else rows.delivery(Channel(channel), columns),
    )


def _notified(row: tuple[Any, ...]) -> Notified:
    phone_number, name, person, sender_number, chain, code, notified_at = row
    return Notified(
        phone_number=phone_number,
        name=name,
        person=person,
        sender_number=sender_number,
        waiting=WaitingAt(chain=chain, code=code, notified_at=notified_at),
    )
