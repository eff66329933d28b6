"""What begins, goes on with and ends chains: runs in the writer's thread, inside its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.standings import read_standing
from twilio_notifications.adapters.journal.statements import arrivals
from twilio_notifications.adapters.journal.statements import chains as sql
from twilio_notifications.adapters.journal.statements.deliveries import FOLLOW_UP
from twilio_notifications.core.escalation import (
    ChainEnd,
    smallest_free,
    with_hint,
)
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.model import (
    SpokenText,
    Text,
    Twiml,
    VoiceLocation,
)
from twilio_notifications.ports import Ended, NewRequest, Unreported, Unsuccessful

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.memory import Memory
    from twilio_notifications.adapters.journal.taking import Taker
    from twilio_notifications.adapters.journal.turns import Turns
    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.core.conclusions.chains import EndStatus
    from twilio_notifications.core.model import Notification
    from twilio_notifications.core.steps import Claimed, Finish
    from twilio_notifications.ports import KnownReply, NewStep


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaining:
    """Whatever of these reads rows sees those that the transaction has written."""

    memory: Memory
    turns: Turns
    taker: Taker

    # Beginning and going on.

    def hint(self, connection: Connection, chain: int, notification: Notification, hint: str) -> str | None:
        """The hint how to acknowledge, with the code of the chain at this telephone; None: no hint."""
        number = notification.recipient.phone_number
        row = connection.execute(sql.CODE, (chain, number)).fetchone()
        if row is None:
            code = smallest_free({used for (used,) in connection.execute(sql.USED_CODES, (number,))})
        else:
            (code,) = row
        match notification.content:
            case Text(body=body):
                hinted = with_hint(body, hint=hint, code=code)
                return hinted[len(body) :].removeprefix("\n") or None
            case SpokenText():
                return hint or None
            case VoiceLocation() | Twiml():
                return None
            case never:
                assert_never(never)

    def code(self, connection: Connection, chain: int, notification: Notification) -> None:
        """Gives the chain the smallest free code at this telephone, unless it has one there."""
        recipient = notification.recipient
        used = {used for (used,) in connection.execute(sql.USED_CODES, (recipient.phone_number,))}
        values = (chain, recipient.phone_number, smallest_free(used), recipient.name)
        connection.execute(sql.INSERT_NUMBER, values)

    def begin(self, connection: Connection, id_: int, arrival: NewRequest) -> None:
        """The request of this number, which is recorded already, begins its chain."""
        notification = arrival.notification
        request_id = rows.encoded_id(notification.request_id)
        at = arrival.accepted_at
        values = (id_, request_id, notification.about, notification.escalation, at, at)
        connection.execute(sql.INSERT_CHAIN, values)
        self.code(connection, id_, notification)

    def take(self, connection: Connection, step: NewStep) -> bool:
        """Records the step and its requests, if the chain still waits for exactly this step."""
        (runs,) = connection.execute(sql.IS_RUNNING, (step.chain,)).fetchone()
        (taken,) = connection.execute(sql.TAKEN_STEPS, (step.chain,)).fetchone()
        if not runs or taken != step.position:
            return False
        ids = [self._insert(connection, step.chain, request) for request in step.requests]
        first = ids[0] if ids else 0
        connection.execute(sql.INSERT_STEP, (step.chain, step.position, step.at, first, len(ids)))
        connection.execute(sql.LOOK_NOW, (step.at, step.chain))
        return True

    def _insert(self, connection: Connection, chain: int, request: NewRequest, *, coded: bool = True) -> int:
        notification = request.notification
        hint = None
        if coded:
            hint = self.hint(connection, chain, notification, request.hint)
            self.code(connection, chain, notification)
        return self.insert(connection, request, chain=chain, hint=hint)

    def insert(
        self,
        connection: Connection,
        request: NewRequest,
        *,
        chain: int | None = None,
        hint: str | None = None,
        resent_from: int | None = None,
    ) -> int:
        """Records a request that the connector itself makes, and that waits; its number."""
        notification = request.notification
        recipient = (notification.channel, notification.recipient.phone_number)
        id_ = self.memory.next_request()
        request_id = rows.encoded_id(notification.request_id)
        row = rows.request_row(
            id_, request, request_id=request_id, chain=chain, hint=hint, resent_from=resent_from
        )
        connection.execute(arrivals.INSERT_REQUEST, row)
        state = rows.state_row(id_, request, connection=0, sender=None, units=1)
        connection.execute(arrivals.INSERT_WAITING, (*state, request.accepted_at, request.accepted_at, 0))
        self.memory.change(was=None, now=State.WAITING)
        self.turns.pass_on(connection, [recipient])
        return id_

    # Ending.

    def end(
        self,
        connection: Connection,
        chain: int,
        end: ChainEnd,
        *,
        writer: ChainWriter,
        reply: KnownReply | None = None,
    ) -> Ended:
        """Ends the chain with all that its end ends; nothing where it has ended, or the reply is known."""
        if reply is not None:
            values = (reply.sid, reply.phone_number, reply.at, reply.meaning, chain)
            if connection.execute(sql.INSERT_REPLY, values).rowcount != 1:
                return Ended()
        who = end.acknowledged
        by, door = (None, None) if who is None else (who.by, who.door)
        if connection.execute(sql.END, (end.at, end.kind, by, door, chain)).rowcount != 1:
            return Ended()
        request = rows.claimed(connection.execute(sql.BEGINNING, (chain,)).fetchone(), hinted=False)
        waiting = [rows.claimed(row) for row in connection.execute(sql.WAITING_OF_CHAIN, (chain,)).fetchall()]
        cancelled = self.finish(connection, waiting, lambda one: writer.cancelled(one, at=end.at))
        connection.execute(sql.RINGING, {"at": end.at, "chain": chain})
        connection.execute(sql.MARK_CANCELLED)
        status = writer.end(request, end)
        written = self._report(connection, request, status, at=end.at)
        self._tell(
            connection, request, end, writer=writer, number=None if reply is None else reply.phone_number
        )
        statuses = cancelled.written if written is None else (*cancelled.written, written)
        unsuccessful = cancelled.unsuccessful
        if status.reason is not None:
            why = Unsuccessful(request=request, reason=status.reason, message=status.message or "")
            unsuccessful = (*unsuccessful, why)
        return Ended(
            chains=(chain,),
            lasted=(max(0.0, end.at - request.accepted_at),),
            requests=cancelled.requests,
            unsuccessful=unsuccessful,
            written=statuses,
        )

    def _report(
        self, connection: Connection, request: Claimed, status: EndStatus, *, at: float
    ) -> Unreported | None:
        """The status of the end; None where it waits until the request has been answered."""
        standing = read_standing(connection, request.id)
        if standing.state is State.REPORTED:
            connection.execute(FOLLOW_UP, (request.id,))
            self.memory.change(was=None, now=State.FINISHED)
        position = self.memory.next_position()
        kept = rows.kept_status(status.status, standing.request_id)
        held = standing.state in {State.OPEN, State.IN_DOUBT}
        values = (position, request.id, kept, status.reason, status.message, None, at, held)
        connection.execute(sql.INSERT_LATER_STATUS, values)
        if held:
            return None
        return rows.addressed(
            position, request.id, status.status, origin=standing.origin, envelope=standing.envelope
        )

    def _tell(
        self,
        connection: Connection,
        request: Claimed,
        end: ChainEnd,
        *,
        writer: ChainWriter,
        number: str | None,
    ) -> None:
        """Texts for the others, recorded as requests of the chain that publish no status."""
        notified = dict(connection.execute(sql.NUMBERS, {"chain": request.id}).fetchall())
        lifetime = request.expires_at - request.accepted_at
        for text in writer.told(request, end, notified=notified, number=number):
            new = NewRequest(
                notification=text, accepted_at=end.at, expires_at=end.at + lifetime, tells_end=True
            )
            self._insert(connection, request.id, new, coded=False)

    def finish(
        self, connection: Connection, waiting: Iterable[Claimed], finish: Callable[[Claimed], Finish]
    ) -> Ended:
        """Ends requests that wait, each by the step that `finish` makes of it."""
        ended = [(one, finish(one)) for one in waiting]
        if not ended:
            return Ended()
        (taken,) = self.taker.together(connection, [[step for _, step in ended]])
        return Ended(
            requests=tuple(step.id for _, step in ended),
            unsuccessful=tuple(
                Unsuccessful(request=one, reason=step.reason, message=step.message or "")
                for one, step in ended
                # A step of a chain publishes no status.
                if step.reason is not None and not one.is_step
            ),
            written=taken.written,
        )


def joined(parts: Iterable[Ended]) -> Ended:
    """All that the parts have ended."""
    parts = tuple(parts)
    return Ended(
        chains=tuple(chain for part in parts for chain in part.chains),
        lasted=tuple(seconds for part in parts for seconds in part.lasted),
        requests=tuple(request for part in parts for request in part.requests),
        unsuccessful=tuple(why for part in parts for why in part.unsuccessful),
        written=tuple(status for part in parts for status in part.written),
    )
