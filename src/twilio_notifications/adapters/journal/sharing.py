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

from twilio_notifications.adapters.journal.statements import care
from twilio_notifications.adapters.journal.statements import members as sql
from twilio_notifications.core.errors import NotLeading
from twilio_notifications.core.lifecycle import State
from twilio_notifications.core.shares import fair_share, granted
from twilio_notifications.core.steps import AttemptOutcome, Finish, Postpone
from twilio_notifications.ports import Beat

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.memory import Standing
    from twilio_notifications.core.steps import Step

GONE = "the connector that made the attempt was killed, stood still, or lost the database"


class Sharing(Protocol):
    """How a connector stands to others that use the journal; for the writer's thread."""

    @property
    def is_shared(self) -> bool: ...

    @property
    def token(self) -> int | None:
        """The lease of what is claimed and opened from now on; None: the file's lock is the lease."""

    def now(self, connection: Connection) -> float:
        """Seconds since the epoch, by the clock that all of them share."""

    def require_leadership(self, connection: Connection) -> None:
        """Raises NotLeading where another connector leads, or may: then nothing may be written."""

    def is_member(self, connection: Connection) -> bool:
        """Whether an attempt that is opened now is this connector's."""

    def claimed(self, connection: Connection, ids: Sequence[int]) -> set[int]:
        """Those of these requests that this connector has a lease of from now on."""

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        """Gives back the leases of those of these requests that wait."""

    def tell_news(self, connection: Connection) -> None:
        """The other connectors may have something to claim or to report, once this is committed."""

    def has_lapsed(self, connection: Connection, step: Step, known: Standing | None) -> bool:
        """Whether the step comes from a lease that has ended; keeps what Twilio answered.

        `known` is the open attempt that the step closes, as this connector opened it; None: it closes none.
        """


class Alone:
    """One connector owns the journal."""

    is_shared = False
    token = None

    def now(self, connection: Connection) -> float:  # noqa: ARG002 - the machine's clock is the only one
        return time.time()

    def require_leadership(self, connection: Connection) -> None:
        """It leads."""

    def is_member(self, connection: Connection) -> bool:  # noqa: ARG002 - it is the only one
        return True

    def claimed(self, connection: Connection, ids: Sequence[int]) -> set[int]:  # noqa: ARG002 - all are its own
        return set(ids)

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        """There is no other connector that could claim them."""

    def tell_news(self, connection: Connection) -> None:
        """There is none that would hear it."""

    def has_lapsed(self, connection: Connection, step: Step, known: Standing | None) -> bool:  # noqa: ARG002 - its lease is the lock
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
    notify: Callable[[Connection, int], object]
    """Has the database tell the others, once the transaction is committed; the token is this connector's."""
    token: int | None = field(init=False, default=None)
    is_shared: bool = field(init=False, default=True)

    def beat(self, connection: Connection, *, places: int, in_use: int, at: float) -> Beat:
        """See ports.Members.beat."""
        now = self.clock(connection)
        joined = self._join(connection, now)
        leader = self._leader(connection, now)
        removed: tuple[str, ...] = ()
        doubts = 0
        if leader == self.token:
            removed = tuple(
                name for (name,) in connection.execute(sql.REMOVE_ENDED, (now, self.token)).fetchall()
            )
            connection.execute(sql.FREE_CLAIMS)
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

    def _leader(self, connection: Connection, now: float) -> int | None:
        """The token of the member that leads; this one's where no other member does."""
        (leader,) = connection.execute(sql.LEADER).fetchone()
        if leader == self.token:
            return self.token
        if leader is not None and connection.execute(sql.LEADER_IS_LIVE, (leader, now)).fetchone():
            return int(leader)
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
            connection.execute(care.RECOVER_OPEN, (GONE, at, at))

    def now(self, connection: Connection) -> float:
        return self.clock(connection)

    def require_leadership(self, connection: Connection) -> None:
        (leader,) = connection.execute(sql.LEADER).fetchone()
        if leader is None or leader != self.token:
            raise NotLeading("another connector leads")

    def is_member(self, connection: Connection) -> bool:
        return connection.execute(sql.IS_MEMBER, (self.token,)).fetchone() is not None

    def claimed(self, connection: Connection, ids: Sequence[int]) -> set[int]:
        if not self.is_member(connection):
            return set()
        return {id_ for id_ in ids if connection.execute(sql.CLAIM_ONE, (self.token, id_)).rowcount}

    def release(self, connection: Connection, ids: Sequence[int]) -> None:
        connection.executemany(sql.RELEASE_CLAIM, [(id_, self.token) for id_ in ids])

    def tell_news(self, connection: Connection) -> None:
        if self.token is not None:
            self.notify(connection, self.token)

    def has_lapsed(self, connection: Connection, step: Step, known: Standing | None) -> bool:
        row = connection.execute(sql.HOLDER, (step.id,)).fetchone()
        if row is None:
            return known is not None
        state, opened, lease = row
        if known is None and state == State.WAITING:
            return lease is not None and lease != self.token
        if known is None:  # found waiting, or in doubt, and now another connector has or has had it
            return bool(lease != self.token) if state == State.OPEN else step.outcome is None
        if (state, opened, lease) == (State.OPEN, known.opened, known.lease):
            return False
        _keep_evidence(connection, step, known)
        return True


def _keep_evidence(connection: Connection, step: Step, known: Standing) -> None:
    if step.outcome is None or step.outcome is AttemptOutcome.IN_DOUBT:
        return
    values = (step.id, known.opened, step.outcome, *_answered(step), step.at)
    connection.execute(sql.KEEP_EVIDENCE, values)
    connection.execute(sql.HASTEN_SETTLING, (step.at, step.id, known.opened))


def _answered(step: Step) -> tuple[str | None, str | None, str | None, str | None, int | None]:
    """SID, Twilio's word, its numbers, and its code."""
    match step:
        case Finish(follow=follow) if follow is not None:
            return step.sid, follow.word, follow.sender_number, follow.phone_number, step.code
        case Finish(sid=str()):
            payload = json.loads(step.status).get("response", {}).get("payload", {})
            messages = payload.get("messages", {})
            numbers = payload.get("from_number"), messages.get("to_number")
            return step.sid, messages.get("message_status"), *numbers, None
        case Finish() | Postpone():
            return None, None, None, None, step.code
        case _:
            return None, None, None, None, None
