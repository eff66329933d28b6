"""What carries out the wishes of clients: runs in the writer's thread, inside its transaction.

A wish is journaled with its first part, and goes on in further transactions until nothing that it means is
left, so that none of them is long. Its row says how far it is. What it still is to end is not sent meanwhile:
`Claimed.recalled` and `Opener.open` see to that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_never

from twilio_notifications.adapters.journal import rows
from twilio_notifications.adapters.journal.chaining import joined
from twilio_notifications.adapters.journal.statements import chains as chain_sql
from twilio_notifications.adapters.journal.statements import wishes as sql
from twilio_notifications.core.escalation import Acknowledged, ChainEnd, Door, EndKind
from twilio_notifications.core.model import Acknowledgement, Cancellation
from twilio_notifications.ports import WishName, WishProgress

if TYPE_CHECKING:
    from twilio_notifications.adapters.journal.aside import SetAside
    from twilio_notifications.adapters.journal.chaining import Chaining
    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.core.conclusions import ChainWriter
    from twilio_notifications.ports import Ended, NewRequest, NewWish

CHAINS_AT_ONCE = 20
ENDED_AT_ONCE = 200
LOOKED_THROUGH_AT_ONCE = 2_000
"""What one transaction of a wish ends and reads at most. Measured on two shared cores: 15 ms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    number: int
    name: WishName
    request_id: str | None
    """As JSON; None: it names what requests are about."""
    about: str | None
    by: str | None
    up_to: int
    """The newest request that it may end."""
    passed: tuple[float, int]
    """Expiry and number of the request to which it has looked through what waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What one transaction ends of a wish, and how far that brings it."""

    ended: Ended
    passed: tuple[float, int]
    unfinished: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishing:
    """Carries out cancellations and acknowledgements, and lets a newer request supersede older ones."""

    chaining: Chaining
    aside: SetAside

    def supersede(self, connection: Connection, id_: int, arrival: NewRequest, writer: ChainWriter) -> Ended:
        """Older requests about the same that wait are answered, and chains of older ones end.

        An older one that has an attempt under way ends if it comes back to waiting.
        """
        notification, at = arrival.notification, arrival.accepted_at
        key = (notification.about, notification.channel, notification.recipient.phone_number, id_)
        found = connection.execute(sql.OLDER_WAITING_ABOUT, key).fetchall()
        waiting = self.aside.values(sorted(found), rows.claimed, wanted=len(found))
        ended = self.chaining.finish(connection, waiting, lambda one: writer.superseded(one, at=at))
        connection.execute(sql.RECALL_OLDER_ABOUT, key)
        end = ChainEnd(kind=EndKind.SUPERSEDED, at=at)
        chains = [chain for (chain,) in connection.execute(sql.OLDER_CHAINS_ABOUT, key).fetchall()]
        return joined(
            [ended, *(self.chaining.end(connection, chain, end, writer=writer) for chain in chains)]
        )

    def begin(self, connection: Connection, new: NewWish, *, up_to: int, delivered: int) -> WishProgress:
        """Writes the wish down, and carries out its first part. `up_to`: the newest request it may end."""
        match new.wish:
            case Acknowledgement() as wish:
                name, about, by = WishName.ACKNOWLEDGE, None, wish.by
            case Cancellation() as wish:
                name, about, by = WishName.CANCEL, wish.about, None
            case _:
                assert_never(new.wish)
        id_ = None if new.wish.request_id is None else rows.encoded_id(new.wish.request_id)
        packet_id, digest = (None, None) if new.mark is None else (new.mark.packet_id, new.mark.digest)
        passed = (math.inf, up_to + 1)
        values = (name, id_, about, by, new.at, up_to, *passed, packet_id, digest, delivered)
        (number,) = connection.execute(sql.INSERT_WISH, values).fetchone()
        if name is WishName.CANCEL:
            by_id = about is None
            key = {"key": id_ if by_id else about, "at": new.at}
            connection.execute(sql.RECALL_BY_ID if by_id else sql.RECALL_ABOUT, key)
            connection.execute(sql.CALLS_BY_ID if by_id else sql.CALLS_ABOUT, key)
            connection.execute(chain_sql.MARK_CANCELLED)
        row = connection.execute(sql.WISH, (number,)).fetchone()
        return self._go_on(connection, _wish(row), at=new.at, writer=new.writer)

    def go_on(self, connection: Connection, *, at: float, writer: ChainWriter) -> WishProgress | None:
        """Carries out the next part of the oldest wish that goes on; None: there is none."""
        row = connection.execute(sql.UNFINISHED_WISH, (1,)).fetchone()
        return None if row is None else self._go_on(connection, _wish(row), at=at, writer=writer)

    def _go_on(self, connection: Connection, wish: _Wish, *, at: float, writer: ChainWriter) -> WishProgress:
        end = _end(wish, at=at)
        part = self._end_chains(connection, wish, end, writer=writer)
        if not part.unfinished and wish.name is WishName.CANCEL:
            before, part = part, self._cancel(connection, wish, at=at, writer=writer)
            part = _Part(
                ended=joined([before.ended, part.ended]), passed=part.passed, unfinished=part.unfinished
            )
        counts = (len(part.ended.chains), len(part.ended.requests))
        connection.execute(sql.PASSED, (*part.passed, part.unfinished, *counts, wish.number))
        chains, requests = connection.execute(sql.ENDED_BY_WISH, (wish.number,)).fetchone()
        return WishProgress(
            name=wish.name,
            ended=part.ended,
            end=end,
            chains=chains,
            requests=requests,
            unfinished=part.unfinished,
        )

    def _end_chains(
        self, connection: Connection, wish: _Wish, end: ChainEnd, *, writer: ChainWriter
    ) -> _Part:
        """Chains first: the failure of the request that began one must not bring its next step about."""
        statement = sql.CHAINS_BY_ID if wish.about is None else sql.CHAINS_ABOUT
        values = (wish.request_id if wish.about is None else wish.about, wish.up_to, CHAINS_AT_ONCE)
        chains = [chain for (chain,) in connection.execute(statement, values).fetchall()]
        ended = [self.chaining.end(connection, chain, end, writer=writer) for chain in chains]
        return _Part(ended=joined(ended), passed=wish.passed, unfinished=len(chains) == CHAINS_AT_ONCE)

    def _cancel(self, connection: Connection, wish: _Wish, *, at: float, writer: ChainWriter) -> _Part:
        if wish.about is None:
            found, passed, is_more = _waiting_by_id(connection, wish)
        else:
            values = (wish.about, wish.up_to, ENDED_AT_ONCE)
            found, passed = connection.execute(sql.WAITING_ABOUT, values).fetchall(), wish.passed
            is_more = len(found) == ENDED_AT_ONCE
        waiting = self.aside.values(sorted(found), rows.claimed, wanted=len(found))
        ended = self.chaining.finish(connection, waiting, lambda one: writer.cancelled(one, at=at))
        # Rows that cannot be read stay among those about the same, and must not be read again and again.
        return _Part(ended=ended, passed=passed, unfinished=is_more and (wish.about is None or bool(waiting)))


def _waiting_by_id(
    connection: Connection, wish: _Wish
) -> tuple[list[tuple[Any, ...]], tuple[float, int], bool]:
    """Rows of requests that the wish cancels next, how far that looks, and whether there may be more."""
    looked = connection.execute(sql.WAITING_AT, (*wish.passed, LOOKED_THROUGH_AT_ONCE)).fetchall()
    left = LOOKED_THROUGH_AT_ONCE - len(looked)
    looked += connection.execute(sql.WAITING_BEFORE, (wish.passed[0], left)).fetchall()
    matching = [row for row in looked if row[0] <= wish.up_to and row[2] == wish.request_id and not row[3]]
    is_more = len(looked) == LOOKED_THROUGH_AT_ONCE
    if len(matching) > ENDED_AT_ONCE:
        matching, is_more = matching[:ENDED_AT_ONCE], True
        looked = matching
    found = [connection.execute(chain_sql.BEGINNING, (id_,)).fetchone() for id_, *_ in matching]
    return found, (looked[-1][1], looked[-1][0]) if looked else wish.passed, is_more


def _wish(row: tuple[Any, ...]) -> _Wish:
    number, name, request_id, about, by, up_to, *passed = row
    return _Wish(
        number=number,
        name=WishName(name),
        request_id=request_id,
        about=about,
        by=by,
        up_to=up_to,
        passed=(passed[0], passed[1]),
    )


def _end(wish: _Wish, *, at: float) -> ChainEnd:
    match wish.name:
        case WishName.ACKNOWLEDGE:
            who = Acknowledged(by=wish.by, door=Door.TOPIC)
            return ChainEnd(kind=EndKind.ACKNOWLEDGED, at=at, acknowledged=who)
        case WishName.CANCEL:
            return ChainEnd(kind=EndKind.CANCELLED, at=at)
        case _:
            assert_never(wish.name)
