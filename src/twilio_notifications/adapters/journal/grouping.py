"""Which recorded requests the broker may deliver again to a connector that takes in with others.

With a shared subscription, a broker gives what a connector has not acknowledged back to it, with DUP, or
hands it to another one, without. So each connector writes down over which part of which connection it
recorded a request. Such a *period* lasts from beat to beat. It is *sent* one beat after its end, if the
connection stands until then: by then its PUBACKs have left. What was recorded in a period that is not sent,
and whose connection or connector is gone, accounts for one delivery to another connector.

While the connector of such a period lives, it is not known yet whether a delivery to another one is a
repetition: the broker may have seen the end of a connection before anyone else. So the other one asks again,
until the period is sent or its connector is gone. All of this runs in the writer's thread.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.lanes import of_delivery
from twilio_notifications.adapters.journal.redelivery import Redelivery
from twilio_notifications.adapters.journal.statements import arrivals
from twilio_notifications.adapters.journal.statements import groups as sql
from twilio_notifications.core.errors import LeaseEnded
from twilio_notifications.ports import Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.sharing import Sharing
    from twilio_notifications.ports import Mark

LONGEST_HOLD_LEASES: Final = 1.5
"""A connector that is gone is removed within a lease and a beat. Only two connectors that wait for each
other's acknowledgements wait longer, and must not wait without end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the configuration says of a shared subscription."""

    client: str
    """The client identifier of this connector, the same at each start."""
    handing_over_seconds: float
    """For how long a broker may hand over what a connector had not acknowledged when it was gone."""
    session_seconds: float
    """For how long the broker keeps the session of a client."""
    lease_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Connection:
    """The present connection to the broker, since the first delivery over it."""

    number: int
    period: int
    token: int | None
    """The lease under which it began."""
    is_used: bool = True
    """Whether something was recorded in its period."""
    closed: tuple[int, ...] = ()
    """Its periods that are not sent yet."""


@dataclass(slots=True, kw_only=True)
class GroupRedelivery:
    """Does for a connector of a group what Redelivery does for one that takes in alone."""

    group: Group
    sharing: Sharing
    sure_seconds: float
    monotonic: Callable[[], float]
    _present: _Connection | None = field(init=False, default=None)
    _committed: _Connection | None = field(init=False, default=None)
    _held: dict[tuple[bytes, int], float] = field(init=False, default_factory=dict)
    """Deliveries that are not decided, and since when."""

    @property
    def connection(self) -> int:
        """What is recorded now names this period; 0: nothing that can be repeated was delivered."""
        return 0 if self._present is None else self._present.period

    def require(self, connection: Connection) -> None:
        """Raises LeaseEnded where this connector may record nothing that came over its connection.

        Another connector may have taken it for dead, and have recorded what the broker handed over.
        """
        stale = self._present is not None and self._present.token != self.sharing.token
        if stale or not self.sharing.is_member(connection):
            raise LeaseEnded("the lease of this connector has ended since it connected to the broker")

    def lanes_of(self, mark: Mark | None) -> frozenset[str]:
        """Another connector may record at the same time what the broker handed over."""
        return frozenset() if mark is None else frozenset({of_delivery(mark.digest)})

    def recorded(self, id_: int) -> None:
        """Its period is known already."""

    def load(self, connection: Connection) -> None:
        """Nothing of an earlier run is needed."""

    def next_connection(self, connection: Connection) -> None:
        """The connections of this connector have nothing to do with who leads."""

    def raise_watermark(self, connection: Connection, *, now: float) -> None:
        """Each beat looks at what is sure."""

    def committed(self) -> None:
        self._committed = self._present

    def rolled_back(self) -> None:
        self._present = self._committed

    def judge(self, connection: Connection, mark: Mark, *, redelivered: bool) -> Recording:
        """Whether this delivery is NEW, REPEATED, or UNDECIDED yet; each record accounts for one delivery."""
        present = self._present = replace(self._present or self._begin(connection), is_used=True)
        values = {
            "digest": mark.digest,
            "packet_id": mark.packet_id,
            "connection": present.number,
            "client": self.group.client,
        }
        found = _of_client(connection, values) if redelivered else None
        held = (mark.digest, mark.packet_id)
        if found is None:
            found = self._of_others(connection, values)
            if found is _UNDECIDED:
                since = self._held.setdefault(held, self.monotonic())
                if self.monotonic() < since + LONGEST_HOLD_LEASES * self.group.lease_seconds:
                    return Recording.UNDECIDED
                found = None
        self._held.pop(held, None)
        if found is None:
            return Recording.NEW
        kind, key = found
        connection.execute(sql.TAKE_OVER[kind], (mark.packet_id, present.period, key))
        return Recording.REPEATED

    def beat(self, connection: Connection) -> None:
        """A period ends, and those of earlier beats are sent. Also writes down which connectors are gone."""
        now, group = self.sharing.now(connection), self.group
        connection.execute(sql.END_OF_THE_GONE, (now,))
        present = self._present
        if present is not None and present.token == self.sharing.token:
            self._present = self._next_period(connection, present, now=now)
        over = now - group.handing_over_seconds
        values = {"client": group.client, "sure": now - self.sure_seconds, "over": over}
        connection.execute(sql.DELETE_SURE, values)
        connection.execute(sql.DELETE_FORGOTTEN, (min(over, now - group.session_seconds),))

    def connection_ended(self, connection: Connection, *, now: float) -> None:  # noqa: ARG002 - the database's clock counts
        """What was delivered over it may be delivered again, to this connector or to another one."""
        connection.execute(sql.END_OF_CLIENT, (self.sharing.now(connection), self.group.client))
        self._present = None
        self._held.clear()

    def forget(self, connection: Connection) -> None:
        """The broker has a new session, so it delivers nothing of the last one with DUP to this client."""
        connection.execute(sql.FORGET, (self.group.client,))

    def _begin(self, connection: Connection) -> _Connection:
        """The first period of a connection."""
        self.sharing.require_journal()
        now, client = self.sharing.now(connection), self.group.client
        connection.execute(sql.END_OF_CLIENT, (now, client))
        (earlier,) = connection.execute(sql.NEWEST_NUMBER).fetchone()
        if connection.execute(sql.IS_PERIOD, (earlier,)).fetchone() is None:
            connection.execute(sql.KEEP_EARLIER, (earlier, earlier, now))
        number = _drawn(connection)
        connection.execute(sql.BEGIN, (number, number, client, self.sharing.token))
        return _Connection(number=number, period=number, token=self.sharing.token)

    def _next_period(self, connection: Connection, present: _Connection, *, now: float) -> _Connection:
        closed = present.closed
        if not self._held:  # acknowledgements keep their order, so they wait for what is held
            connection.executemany(sql.SENT, [(now, number) for number in closed])
            closed = ()
        if not present.is_used:
            return replace(present, closed=closed)
        number = _drawn(connection)
        connection.execute(sql.BEGIN, (number, present.number, self.group.client, present.token))
        return replace(present, period=number, is_used=False, closed=(*closed, present.period))

    def _of_others(self, connection: Connection, values: Mapping[str, object]) -> tuple[str, int] | None:
        """What another connector has recorded, and may not have acknowledged."""
        rows = connection.execute(sql.LEFT_BY_OTHERS, values).fetchall()
        if not rows:
            return None
        over = self.sharing.now(connection) - self.group.handing_over_seconds
        for kind, key, ended_at in rows:
            if ended_at is None:
                return _UNDECIDED
            if ended_at > over:
                return kind, key
        return None


AnyRedelivery = Redelivery | GroupRedelivery

_UNDECIDED: Final = ("", 0)


def _drawn(connection: Connection) -> int:
    """A number that no other period has."""
    connection.execute(arrivals.NEXT_CONNECTION)
    (number,) = connection.execute(sql.NEWEST_NUMBER).fetchone()
    return int(number)


def _of_client(connection: Connection, values: Mapping[str, object]) -> tuple[str, int] | None:
    """What the session of this client has delivered before."""
    for id_, packet_id, over in connection.execute(sql.REPEATABLE, values).fetchall():
        superseded = connection.execute(sql.IS_SUPERSEDED, (id_, packet_id, over)).fetchone()
        if not superseded[0]:
            return "requests", int(id_)
    for kind, statement in (("duplicates", sql.REPEATABLE_DUPLICATE), ("wishes", sql.REPEATABLE_WISH)):
        row = connection.execute(statement, values).fetchone()
        if row is not None:
            return kind, int(row[0])
    return None
