"""What a connector does to be one of several on a journal: leases, in the writer's thread.

Each connector that uses the journal is a member, with a token that is new whenever it joins. What it claims
and opens has this token as its lease, which lasts as long as the membership. The leader removes members that
are silent for too long; from then on nothing that names their tokens is written.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from twilio_notifications.adapters.journal.lanes import NeedsJournal
from twilio_notifications.adapters.journal.numbers import Counted, Drawn
from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.journal.statements import members as sql
from twilio_notifications.core.errors import NotLeading
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.shares import fair_share, granted
from twilio_notifications.core.steps import Postpone
from twilio_notifications.ports import Beat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.numbers import Numbered, Numbering
    from twilio_notifications.core.steps import Claimed, Step

GONE = "the connector that made the attempt was killed, stood still, or lost the database"


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has a request, as the rows say."""

    state: State
    opened: int
    """Number of the open attempt, or of the last one."""
    lease: int | None
    has_sid: int | None
    """1: evidence has a SID of the request."""


class Sharing(Protocol):
    """How a connector stands to others that use the journal; for the writer's thread."""

    @property
    def is_shared(self) -> bool: ...

    @property
    def token(self) -> int | None:
        """The lease of what is claimed and opened from now on; None: the file's lock is the lease."""

    def numbers(self) -> Numbering:
        """What gives the numbers of requests and statuses."""

    def begun(self, *, whole: bool) -> None:
        """A transaction has begun, which has the whole journal, or lanes of it."""

    def require_journal(self) -> None:
        """Raises NeedsJournal where the transaction does not have the whole journal."""

    def take_news(self) -> bool:
        """Whether there is something to tell the other connectors of, since the last call."""

    def now(self, connection: Connection) -> float:
        """Seconds since the epoch, by the clock that all of them share."""

    def require_leadership(self, connection: Connection) -> None:
        """Raises NotLeading where another connector leads, or may: then nothing may be written."""

    def is_member(self, connection: Connection) -> bool:
        """Whether an attempt that is opened now is this connector's."""

    def claimed(
        self, connection: Connection, found: Sequence[Claimed]
    ) -> tuple[list[Claimed], frozenset[int]]:
        """Those that it has a lease of from now on, and those that others have in hand just now."""

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        """Gives back the leases of those of these requests that wait."""

    def tell_news(self) -> None:
        """The other connectors may have something to claim or to report, once this is committed."""

    def holders(self, connection: Connection, ids: Sequence[int]) -> dict[int, Holder]:
        """Who has these requests, without those that the journal does not hold."""

    def has_lapsed(self, step: Step, attempt: int | None, holder: Holder | None) -> bool:
        """Whether the step comes from a lease that has ended; `attempt` is the one that it closes."""


class Alone:
    """One connector owns the journal."""

    is_shared = False
    token = None

    def numbers(self) -> Numbering:
        return Counted()

    def begun(self, *, whole: bool) -> None:
        """No other transaction is under way."""

    def require_journal(self) -> None:
        """It always has it."""

    def take_news(self) -> bool:
        return False

    def now(self, connection: Connection) -> float:  # noqa: ARG002 - the machine's clock is the only one
        return time.time()

    def require_leadership(self, connection: Connection) -> None:
        """It leads."""

    def is_member(self, connection: Connection) -> bool:  # noqa: ARG002 - it is the only one
        return True

    def claimed(
        self,
        connection: Connection,  # noqa: ARG002 - all are its own
        found: Sequence[Claimed],
    ) -> tuple[list[Claimed], frozenset[int]]:
        return list(found), frozenset()

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        """There is no other connector that could claim them."""

    def tell_news(self) -> None:
        """There is none that would hear it."""

    def holders(self, connection: Connection, ids: Sequence[int]) -> dict[int, Holder]:  # noqa: ARG002 - it has all
        return {}

    def has_lapsed(self, step: Step, attempt: int | None, holder: Holder | None) -> bool:  # noqa: ARG002 - its lease is the lock
        return False


@dataclass(slots=True, kw_only=True)
class Shared:
    """One of several."""

    name: str
    lease_seconds: float
    clock: Callable[[Connection], float]
    """The database's, in seconds since the epoch."""
    draw: Callable[[], int]
    """Draws a token: a positive number of at most 63 bits that no other draw gives."""
    draw_numbers: Callable[[Connection, Numbered, int], list[int]]
    """So many numbers that no connector has drawn before."""
    try_recipients: Callable[[Connection, Sequence[int]], set[int]]
    """Those of the requests whose recipients are no lanes of other transactions; they are this one's now."""
    free_reserved: Callable[[Connection], None]
    """What members had taken ahead of limits that are members no more is free again."""
    token: int | None = field(init=False, default=None)
    is_shared: bool = field(init=False, default=True)
    _whole: bool = field(init=False, default=True)
    _has_news: bool = field(init=False, default=False)

    def numbers(self) -> Numbering:
        return Drawn(draw=self.draw_numbers)

    def begun(self, *, whole: bool) -> None:
        self._whole = whole

    def require_journal(self) -> None:
        if not self._whole:
            raise NeedsJournal

    def take_news(self) -> bool:
        has_news, self._has_news = self._has_news, False
        return has_news

    def beat(self, connection: Connection, *, places: int, in_use: int, at: float) -> Beat:
        """See ports.Members.beat."""
        now = self.clock(connection)
        connection.execute(sql.BOUND_LEASES, {"now": now, "until": now + self.lease_seconds})
        joined = self._join(connection, now)
        led_before = connection.execute(sql.LEADER).fetchone()[0]
        leader = self._leader(connection, led_before, now)
        removed: tuple[str, ...] = ()
        doubts = 0
        ended = connection.execute(sql.SOME_ENDED, (now, self.token)).fetchone()
        if leader == self.token and (led_before != leader or ended is not None):
            self.require_journal()
            removed = tuple(
                name for (name,) in connection.execute(sql.REMOVE_ENDED, (now, self.token)).fetchall()
            )
            connection.execute(sql.FREE_CLAIMS)
            self.free_reserved(connection)
            doubts = connection.execute(care.RECOVER_OPEN, (GONE, at, at)).rowcount
        rows = connection.execute(sql.MEMBERS).fetchall()
        share = self._share(connection, rows, places=places, in_use=in_use)
        names = {token: name for token, name, *_ in rows}
        return Beat(
            leads=leader == self.token,
            members=len(rows),
            share=share,
            leader=None if leader is None else names.get(leader),
            joined=joined,
            removed=removed,
            doubts=max(0, doubts),
        )

    def _join(self, connection: Connection, now: float) -> bool:
        """Whether it is a member since now; otherwise its lease is longer."""
        until = now + self.lease_seconds
        if self.token is not None:
            values = {"now": now, "until": until, "token": self.token}
            if connection.execute(sql.BEAT, values).rowcount:
                return False
        self.token = self.draw()
        connection.execute(sql.JOIN, {"token": self.token, "name": self.name, "now": now, "until": until})
        return True

    def _leader(self, connection: Connection, leader: int | None, now: float) -> int | None:
        """The token of the member that leads; this one's where no other member does."""
        if leader == self.token:
            return self.token
        if leader is not None and connection.execute(sql.LEADER_IS_LIVE, (leader, now)).fetchone():
            return int(leader)
        self.require_journal()
        connection.execute(sql.LEAD, (self.token,))
        return self.token

    def _share(
        self, connection: Connection, rows: Sequence[tuple[int, ...]], *, places: int, in_use: int
    ) -> int:
        tokens = [row[0] for row in rows]
        shares = {row[0]: row[-1] for row in rows}
        token = self.token or 0
        held = shares.pop(token)
        share = granted(
            fair=fair_share(places, members=len(rows), rank=tokens.index(token)),
            held=held,
            in_use=in_use,
            free=places - sum(shares.values()),
        )
        if share != held:
            connection.execute(sql.SHARE, (share, token))
        return share

    def leave(self, connection: Connection, *, at: float) -> None:
        """What it has claimed waits again, and what it has left open is in doubt."""
        if self.token is not None:
            connection.execute(sql.GIVE_UP_LEAD, (self.token,))
            connection.execute(sql.LEAVE, (self.token,))
            connection.execute(sql.FREE_CLAIMS)
            self.free_reserved(connection)
            connection.execute(care.RECOVER_OPEN, (GONE, at, at))

    def now(self, connection: Connection) -> float:
        return self.clock(connection)

    def require_leadership(self, connection: Connection) -> None:
        (leader,) = connection.execute(sql.LEADER).fetchone()
        if leader is None or leader != self.token:
            raise NotLeading("another connector leads")

    def is_member(self, connection: Connection) -> bool:
        return connection.execute(sql.IS_MEMBER, (self.token,)).fetchone() is not None

    def claimed(
        self, connection: Connection, found: Sequence[Claimed]
    ) -> tuple[list[Claimed], frozenset[int]]:
        if not found or not self.is_member(connection):
            return [], frozenset()
        free = self.try_recipients(connection, [one.id for one in found])
        rows = connection.execute(sql.CLAIM_SOME, (self.token, json.dumps(list(free)))).fetchall()
        leased = {id_: tuple(standing) for id_, *standing in rows}
        # What others have changed since it was found is claimed when it is found again.
        passed = [one.id for one in found if leased.get(one.id, _read(one)) != _read(one)]
        self.release(connection, passed)
        own = [one for one in found if one.id in leased and one.id not in passed]
        return own, frozenset(one.id for one in found if one.id not in free)

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        connection.executemany(sql.RELEASE_CLAIM, [(id_, self.token) for id_ in ids])

    def tell_news(self) -> None:
        self._has_news = self.token is not None

    def holders(self, connection: Connection, ids: Sequence[int]) -> dict[int, Holder]:
        rows = connection.execute(sql.HOLDERS, (json.dumps(ids),))
        return {id_: Holder(State(state), *others) for id_, state, *others in rows}

    def has_lapsed(self, step: Step, attempt: int | None, holder: Holder | None) -> bool:
        if holder is None:
            return attempt is not None
        if attempt is not None:  # what is open is in doubt as soon as its lease ends
            return (holder.state, holder.opened) != (State.OPEN, attempt)
        if holder.state is State.WAITING:
            # What another connector has claimed may end all the same, and not be put off.
            return isinstance(step, Postpone) and holder.lease not in {None, self.token}
        # It was found waiting, and now another connector has or has had it.
        return holder.lease != self.token if holder.state is State.OPEN else step.outcome is None


def _read(one: Claimed) -> tuple[float, int, int]:
    """What changes of a request whenever it was claimed."""
    return one.due_at, one.attempts, one.deferrals
