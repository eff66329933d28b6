"""What carries out the orders of people: runs in the writer's thread, inside its transaction.

Each order is carried out in the transaction that writes its result: after a crash it is either waiting, or
done with all that it does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.chaining import joined
from twilio_notifications.adapters.journal.envelopes import decoded_envelope
from twilio_notifications.adapters.journal.standings import read_standing
from twilio_notifications.adapters.journal.statements import chains, deliveries, waits, wishes, work
from twilio_notifications.adapters.journal.statements import orders as sql
from twilio_notifications.adapters.journal.waits import pause_of, pause_row
from twilio_notifications.core.conclusions import orders as meaning
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.escalation import Acknowledged, ChainEnd, EndKind
from twilio_notifications.core.lifecycle import UNFINISHED, State
from twilio_notifications.core.model import Channel
from twilio_notifications.core.orders import (
    AcknowledgeOrder,
    CancelOrder,
    PauseOrder,
    ResendOrder,
    ResolveOrder,
    ResumeOrder,
)
from twilio_notifications.ports import CarriedOut, Ended, NewRequest, Origin, Pause, Unreported

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.chaining import Chaining
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.duplicates import Duplicates
    from twilio_notifications.adapters.journal.memory import Memory, Standing
    from twilio_notifications.adapters.journal.paces import Paces
    from twilio_notifications.adapters.journal.room import Fitting
    from twilio_notifications.core.conclusions import OrderWriter
    from twilio_notifications.core.steps import Claimed, Finish
    from twilio_notifications.ports import PlacedOrder


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrying:
    """What each order does to the rows."""

    memory: Memory
    duplicates: Duplicates
    paces: Paces
    chaining: Chaining
    fitting: Fitting
    maximum_waiting: int

    def carry_out(
        self, connection: Connection, placed: PlacedOrder, *, at: float, writer: OrderWriter
    ) -> CarriedOut | None:
        """Carries out the order and writes its result; None where it waits no more."""
        if connection.execute(sql.IS_WAITING, (placed.number,)).fetchone() is None:
            return None
        done = self._carry_out(connection, placed, at=at, writer=writer)
        connection.execute(sql.DONE, (at, done.result, done.refusal, done.made, placed.number))
        return done

    def _carry_out(
        self, connection: Connection, placed: PlacedOrder, *, at: float, writer: OrderWriter
    ) -> CarriedOut:
        match placed.order:
            case None:
                return CarriedOut(refusal=meaning.UNREADABLE_ORDER)
            case ResendOrder(request=request):
                return self._resend(connection, request, at=at, writer=writer)
            case CancelOrder(request=request):
                return self._cancel(connection, request, at=at, writer=writer)
            case ResolveOrder() as order:
                return self._resolve(connection, order, at=at, writer=writer)
            case AcknowledgeOrder() as order:
                who = Acknowledged(by=order.by or placed.by, door=placed.door)
                end = ChainEnd(kind=EndKind.ACKNOWLEDGED, at=at, acknowledged=who)
                return self._acknowledge(connection, order.request, end, writer=writer)
            case PauseOrder() as order:
                return self._pause(connection, order, by=placed.by, at=at)
            case ResumeOrder():
                return self._resume(connection, at=at)
            case _:
                assert_never(placed.order)

    # Sending again.

    def _resend(self, connection: Connection, request: int, *, at: float, writer: OrderWriter) -> CarriedOut:
        standing = read_standing(connection, request)
        refusal = meaning.resend_refusal(standing.state)
        if refusal is None and standing.phone_number is None:
            refusal = meaning.NOT_KEPT
        if refusal is not None:
            return CarriedOut(refusal=refusal)
        notification, expires_at = writer.again(_request(connection, request), at=at)
        origin = None if standing.origin is None else Origin(standing.origin)
        again = NewRequest(
            notification=notification,
            accepted_at=at,
            expires_at=expires_at,
            origin=origin,
            envelope=decoded_envelope(standing.envelope),
        )
        unfinished = self.memory.unfinished + self.duplicates.count
        size, used = rows.size_of(again), self.fitting.used(connection)
        if unfinished >= self.maximum_waiting or not self.fitting.fits(
            size, used=used, unfinished=unfinished
        ):
            return CarriedOut(refusal=meaning.JOURNAL_IS_FULL)
        made = self.chaining.insert(connection, again, resent_from=request)
        return CarriedOut(result=f"as request {made}", made=made)

    # Ending.

    def _cancel(self, connection: Connection, request: int, *, at: float, writer: OrderWriter) -> CarriedOut:
        ended, end = Ended(), ChainEnd(kind=EndKind.CANCELLED, at=at)
        if read_standing(connection, request).chain == request:
            ended = self.chaining.end(connection, request, end, writer=writer.chains)
        state = read_standing(connection, request).state
        if state is State.WAITING:
            one = _request(connection, request)
            finished = self.chaining.finish(
                connection, [one], lambda each: writer.chains.cancelled(each, at=at)
            )
            ended = joined([ended, finished])
        attempted = connection.execute(sql.RECALL, (request,)).rowcount > 0
        calls = connection.execute(wishes.CALLS_OF_REQUEST, {"key": request, "at": at}).rowcount > 0
        connection.execute(chains.MARK_CANCELLED)
        result = meaning.cancel_result(
            chain=bool(ended.chains), waited=request in ended.requests, attempted=attempted, calls=calls
        )
        if result is None:
            return CarriedOut(refusal=meaning.cancel_refusal(state))
        return CarriedOut(result=result, ended=ended, end=end)

    def _acknowledge(
        self, connection: Connection, request: int, end: ChainEnd, *, writer: OrderWriter
    ) -> CarriedOut:
        chain = read_standing(connection, request).chain
        if chain is None:
            return CarriedOut(refusal=meaning.NO_CHAIN)
        ended = self.chaining.end(connection, chain, end, writer=writer.chains)
        if not ended.chains:
            return CarriedOut(refusal=meaning.CHAIN_HAS_ENDED)
        return CarriedOut(result=meaning.ACKNOWLEDGED, ended=ended, end=end)

    # Resolving.

    def _resolve(
        self, connection: Connection, order: ResolveOrder, *, at: float, writer: OrderWriter
    ) -> CarriedOut:
        standing = read_standing(connection, order.request)
        refusal = _resolve_refusal(connection, order, standing)
        if refusal is not None:
            return CarriedOut(refusal=refusal)
        request = _request(connection, order.request)
        step = writer.resolved(request, order, at=at)
        connection.execute(sql.RESOLVE, (step.id,))
        connection.execute(sql.REPLACE_STATUSES, (at, step.id))
        position = self.memory.next_position()
        kept = rows.kept_status(step.status, standing.request_id)
        outcome = (kept, step.reason, step.message, step.code, step.sid, at, None)
        connection.execute(work.INSERT_STATUS, (position, step.id, *outcome))
        connection.execute(sql.RESOLVE_ATTEMPT, (step.sid, step.id))
        _follow(connection, step)
        connection.execute(chains.HASTEN_OF_REQUEST, (at, step.id))
        written = self._report(connection, request, step, standing, position=position)
        return CarriedOut(result=meaning.resolve_result(order), settled=step, ended=Ended(written=written))

    def _report(
        self,
        connection: Connection,
        request: Claimed,
        step: Finish,
        standing: Standing,
        *,
        position: int,
    ) -> tuple[Unreported, ...]:
        """Its status in the outbox; none for a step of a chain, which publishes none."""
        was = State.FINISHED if standing.state is State.FINISHED else None
        if request.is_step:
            connection.execute(chains.KEPT_STATUS, (position,))
            connection.execute(chains.KEPT_STATE, (step.id,))
            self.memory.change(was=was, now=None)
            return ()
        self.memory.change(was=was, now=State.FINISHED)
        return (
            rows.addressed(
                position, step.id, step.status, origin=standing.origin, envelope=standing.envelope
            ),
        )

    # Pausing.

    def _pause(self, connection: Connection, order: PauseOrder, *, by: str, at: float) -> CarriedOut:
        refusal = meaning.pause_refusal(order, at=at)
        if refusal is not None:
            return CarriedOut(refusal=refusal)
        lasting, message = _lasting(connection), meaning.pause_message(by=by)
        if lasting is None:
            pause = Pause(reason=WaitReason.OPERATOR_PAUSE, message=message, begun_at=at, until=order.until)
        else:
            pause = replace(lasting, message=message, until=order.until)
        connection.execute(waits.KEEP_PAUSE, pause_row(pause))
        return CarriedOut(result=meaning.pause_result(order), pause=pause)

    def _resume(self, connection: Connection, *, at: float) -> CarriedOut:
        lasting = _lasting(connection)
        if lasting is None:
            return CarriedOut(refusal=meaning.NOT_PAUSED)
        # Not before its beginning, where the clock was set back.
        pause = replace(lasting, ended_at=max(at, lasting.begun_at))
        connection.execute(waits.KEEP_PAUSE, pause_row(pause))
        connection.execute(work.HASTEN, (at, at, WaitReason.OPERATOR_PAUSE, at))
        self.paces.wait_again()
        return CarriedOut(result=meaning.RESUMED, pause=pause)


def _request(connection: Connection, request: int) -> Claimed:
    """As its client wrote it."""
    return rows.claimed(connection.execute(chains.BEGINNING, (request,)).fetchone(), hinted=False)


def _resolve_refusal(connection: Connection, order: ResolveOrder, standing: Standing) -> str | None:
    if standing.state in UNFINISHED or (
        connection.execute(sql.UNSETTLED, (order.request, Reason.OUTCOME_UNKNOWN)).fetchone() is None
    ):
        return meaning.resolve_refusal(standing.state)
    owner = connection.execute(sql.OWNER_OF_SID, (order.sid, order.request)).fetchone()
    if owner is not None:
        return meaning.used_sid_refusal(order, owner=owner[0])
    return meaning.sid_refusal(order, Channel(standing.channel))


def _follow(connection: Connection, step: Finish) -> None:
    """Follows what the person named, and nothing that was named before."""
    connection.execute(deliveries.FORGET_RESOLVED, (step.id,))
    if step.follow is not None:
        begun = (step.id, step.sid, step.at, step.follow.look_at, step.follow.word, step.at)
        numbers = (step.follow.sender_number, step.follow.phone_number)
        connection.execute(deliveries.FOLLOW_RESOLVED, (*begun, *numbers))


def _lasting(connection: Connection) -> Pause | None:
    row = connection.execute(waits.LASTING_FOR, (WaitReason.OPERATOR_PAUSE,)).fetchone()
    return None if row is None else pause_of(row)
