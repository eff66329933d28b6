"""Which recorded requests the broker may deliver again, because their PUBACKs may not have reached it.

Those are the requests delivered over connections that have ended, beyond a watermark in the table `broker`.
The watermark rises when the connection has outlived a PUBACK by `sure_seconds`: by then the keep alive would
have ended a connection on which the PUBACK was lost. It is written in transactions that happen anyway.
All of this runs in the writer's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.statements import arrivals as sql
from twilio_notifications.ports import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.ports import Mark

_MOST_PAUSES = 128
"""Instants that are remembered at once: more would raise the watermark more smoothly, and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """The current connection to the broker."""

    number: int = 1
    """Counted over all runs."""
    in_use: bool = False
    """Whether the journal has recorded something that came over it."""
    newest: tuple[tuple[float, int], ...] = ()
    """When which request was the newest one on disk, at intervals."""


@dataclass(slots=True, kw_only=True)
class Redelivery:
    """`monotonic` counts seconds, and does not care about the time of day."""

    sharing: Sharing
    sure_seconds: float
    monotonic: Callable[[], float]
    _present: _Connection = field(init=False, default=_Connection())
    _committed: _Connection = field(init=False, default=_Connection())
    _latest: int = field(init=False, default=0)
    """The newest request of this run; a transaction that is rolled back leaves a gap before the next one."""

    @property
    def connection(self) -> int:
        """The number of the connection to the broker."""
        return self._present.number

    def require(self, connection: Connection) -> None:
        """Raises NotLeading where another connector takes requests in."""
        self.sharing.require_leadership(connection)

    def lanes_of(self, mark: Mark | None) -> frozenset[str]:  # noqa: ARG002 - the leader alone takes in
        """What keeps other connectors from recording the same delivery at the same time."""
        return frozenset()

    def recorded(self, id_: int) -> None:
        """Takes note of a new request."""
        self._latest = id_

    def load(self, connection: Connection) -> None:
        """What this run knows of an earlier connection says nothing of the next one."""
        (number,) = connection.execute(sql.CONNECTION).fetchone()
        self._present = self._committed = _Connection(number=number)

    def rolled_back(self) -> None:
        self._present = self._committed

    def committed(self) -> None:
        """What was recorded is on disk, and its PUBACKs leave now."""
        if self._present.in_use:
            self._note(self.monotonic())
        self._committed = self._present

    def _note(self, now: float) -> None:
        newest = self._present.newest
        if newest:
            then, known = newest[-1]
            if self._latest <= known or now - then < self.sure_seconds / _MOST_PAUSES:
                return
        self._present = replace(self._present, newest=(*newest, (now, self._latest)))

    def judge(self, connection: Connection, mark: Mark, *, redelivered: bool) -> Recording:
        """REPEATED where the broker delivers again what is recorded, otherwise NEW.

        Each record accounts for one delivery.
        """
        if not self._present.in_use:
            self._present = replace(self._present, in_use=True)
        if not redelivered:
            return Recording.NEW
        values = {"digest": mark.digest, "packet_id": mark.packet_id, "connection": self.connection}
        id_ = _repeated_request(connection, values)
        if id_ is not None:
            connection.execute(sql.REPEATED, (mark.packet_id, self.connection, id_))
        elif not any(
            connection.execute(statement, values).rowcount
            for statement in (sql.REPEATED_DUPLICATE, sql.REPEATED_WISH)
        ):
            return Recording.NEW
        self._present = replace(self._present, newest=())  # its PUBACK leaves now: it is not sure for a while
        return Recording.REPEATED

    def beat(self, connection: Connection) -> None:
        """There is nothing to do from beat to beat."""

    def raise_watermark(self, connection: Connection, *, now: float) -> None:
        """Writes down what has become sure, if anything has.

        `now` is when the operation was submitted, and the connection stood: with a disk that fails, it may be
        carried out long after the connection has ended.
        """
        long_ago, newest = now - self.sure_seconds, self._present.newest
        if newest and newest[0][0] <= long_ago:
            sure = [request for at, request in newest if at <= long_ago]
            self._present = replace(self._present, newest=newest[len(sure) :])
            connection.execute(sql.ACKNOWLEDGED, (sure[-1],))

    def connection_ended(self, connection: Connection, *, now: float) -> None:
        """What was delivered over it may be delivered again over the next one."""
        if self._present.in_use:
            self.raise_watermark(connection, now=now)
            self.next_connection(connection)

    def next_connection(self, connection: Connection) -> None:
        connection.execute(sql.NEXT_CONNECTION)
        self._present = _Connection(number=self._present.number + 1)

    def forget(self, connection: Connection) -> None:
        """The broker has a new session, so it delivers nothing of the last one."""
        connection.execute(sql.FORGET_PACKETS)
        self._present = replace(self._present, newest=())


def _repeated_request(connection: Connection, values: Mapping[str, object]) -> int | None:
    """The request that accounts for this delivery; None where it is a new one."""
    for id_, packet_id, delivered in connection.execute(sql.REPEATABLE, values).fetchall():
        superseded = connection.execute(sql.IS_SUPERSEDED, (id_, packet_id, delivered)).fetchone()
        if not superseded[0]:
            return int(id_)
    return None
