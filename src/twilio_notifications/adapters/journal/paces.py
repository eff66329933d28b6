"""Keeps what paced senders have used of their rates, and writes it in the transactions that use more of it.

It is used in the writer's thread and follows the transactions, except where it says otherwise. Where no
sender is paced, it does nothing.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.rows import claimed
from twilio_notifications.adapters.journal.statements import paces as sql
from twilio_notifications.core import policy
from twilio_notifications.core.model import Channel
from twilio_notifications.core.pace import Bucket, PacedSender, after_restart, amount, rate_of
from twilio_notifications.core.waits import MAXIMUM_RETRY_AFTER_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.core.model import Notification, Priority
    from twilio_notifications.core.pace import Rate, SenderRates
    from twilio_notifications.core.steps import Stall

_Order = tuple[tuple[float, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NextDeparture:
    """When the next request of a sender leaves, as it was read."""

    waits: int
    allowance: policy.Allowance
    departure: float | None
    """None: nothing waits for the sender."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowances:
    """The paced senders as of the last commit. Never changed, so another thread may read it."""

    senders: Mapping[int, policy.Allowance]
    waits: Mapping[int, int]
    """Those for which something may wait; the number grows whenever something more does."""
    order: _Order
    """The instant from which each of these has room for one segment or call, and its number; the earliest
    first."""
    readings: dict[int, NextDeparture]
    """The departures that the event loop has read. It reads one again after something has changed."""

    def free(self, *, now: float) -> list[int]:
        """Those with room for something, for which something may wait."""
        free = self.order[: bisect_right(self.order, (now, 2**63))]
        waits, readings = self.waits, self.readings
        return [
            sender
            for _, sender in free
            if (read := readings.get(sender)) is None
            or read.departure is not None
            or read.waits != waits[sender]
        ]

    def known(self, sender: int) -> NextDeparture | None:
        """The departure that was read for the sender; None where it may be another one by now."""
        reading = self.readings.get(sender)
        if reading is None or reading.waits != self.waits[sender]:
            return None
        is_current = reading.departure is None or reading.allowance is self.senders[sender]
        return reading if is_current else None

    def read(self, sender: int, departure: float | None) -> None:
        """Keeps when the next request of the sender leaves; None: nothing waits for it."""
        self.readings[sender] = NextDeparture(
            waits=self.waits[sender], allowance=self.senders[sender], departure=departure
        )


class Paces:
    """The senders of the configuration, by their numbers in the journal."""

    def __init__(self, rates: Mapping[str, SenderRates]) -> None:
        self._rates = rates
        self._numbers: dict[tuple[str, str], int] = {}
        self._senders: dict[int, policy.Allowance] = {}
        self._changed: set[int] = set()
        self._waits: dict[int, int] = {}
        self._touched: set[int] = set()
        """Those that the latest snapshot does not have as they are."""
        self.latest = Allowances(senders={}, waits={}, order=(), readings={})

    def load(self, connection: Connection) -> None:
        """Reads what an earlier run left. A sender that is not named any more keeps nothing waiting."""
        wanted = self._wanted()
        for id_, number, channel, unit, *_ in connection.execute(sql.SENDERS).fetchall():
            if unit is not None and (number, channel) not in wanted:
                connection.execute(sql.RELEASE, (id_,))
                connection.execute(sql.UNNAME_SENDER, (id_,))
        named = [(*key, rate.interval) for key, rate in wanted.items()]
        connection.executemany(sql.NAME_SENDER, named)
        for id_, number, channel, unit, full_at, place, paused_until in connection.execute(sql.SENDERS):
            if unit is not None:
                self._numbers[number, channel] = id_
                self._senders[id_] = policy.Allowance(
                    rate=wanted[number, channel],
                    bucket=Bucket(full_at),
                    place=place,
                    paused_until=paused_until,
                )
        self.wait_again()
        self.committed()

    def reload(self, connection: Connection) -> None:
        """Reads what other connectors have used of the rates, and what may wait for them."""
        if not self._numbers:
            return
        for id_, _, _, unit, full_at, place, paused_until in connection.execute(sql.SENDERS).fetchall():
            if unit is not None and id_ in self._senders:
                known = self._senders[id_]
                read = replace(known, bucket=Bucket(full_at), place=place, paused_until=paused_until)
                if read != known:
                    self._senders[id_] = read
                    self._touched.add(id_)
        self.wait_again()
        self.committed()

    def _wanted(self) -> dict[tuple[str, str], Rate]:
        return {
            (number, channel): rate_of(PacedSender(number=number, channel=channel), self._rates)
            for number in self._rates
            for channel in Channel
        }

    def restarted(self, connection: Connection, *, now: float) -> dict[PacedSender, float]:
        """Bounds what a clock in the future has left; the senders that pause still, and until when."""
        longest = now + MAXIMUM_RETRY_AFTER_SECONDS
        connection.execute(sql.BOUND_PAUSES, (longest, longest))
        for id_, sender in self._senders.items():
            bounded = after_restart(sender.bucket, sender.rate, now=now)
            if bounded != sender.bucket or sender.paused_until > longest:
                self._change(
                    id_, replace(sender, bucket=bounded, paused_until=min(sender.paused_until, longest))
                )
        self.write(connection)
        return {
            PacedSender(number=number, channel=Channel(channel)): until
            for number, channel, until in connection.execute(sql.PAUSED, (now,))
        }

    # What arrives and what leaves.

    def wait(self, sender: int) -> None:
        """Something more may be claimed of this sender from the next commit on, or earlier than before."""
        self._waits[sender] = self._waits.get(sender, 0) + 1
        self._touched.add(sender)

    def wait_again(self) -> None:
        """The same for all senders."""
        for sender in self._senders:
            self.wait(sender)

    @property
    def are_any(self) -> bool:
        """Whether the configuration paces a sender."""
        return bool(self._rates)

    def sender_of(self, notification: Notification) -> int | None:
        """The number of the paced sender; None where it is not paced."""
        if not self._numbers:
            return None
        return self._numbers.get((notification.sender_number, notification.channel))

    def needed(self, connection: Connection, requests: Sequence[int]) -> dict[int, tuple[int, int]]:
        """The paced senders of recorded requests, and what each takes of its rate; without others."""
        if not self._numbers or not requests:
            return {}
        rows = connection.execute(sql.OF_REQUESTS, (json.dumps(requests),))
        read = {row[0]: claimed(row).notification for row in rows}
        return {
            id_: (sender, amount(notification))
            for id_, notification in read.items()
            if (sender := self.sender_of(notification)) is not None
        }

    def join(self, connection: Connection, joining: Mapping[int, tuple[int, int]], *, at: float) -> None:
        """Has requests wait for their paced senders from now on; each with its sender and its units."""
        rows = [(sender, units, at, id_) for id_, (sender, units) in joining.items()]
        connection.executemany(sql.ASSIGN, rows)
        for sender, _ in joining.values():
            self.wait(sender)

    def has_room(self, sender: int, amount: int, *, at: float) -> bool:
        return policy.departs_at(self._senders[sender], amount) <= at

    def leave(self, sender: int, amount: int, priority: Priority, *, at: float) -> None:
        """A request leaves now; `write` has to follow in the same transaction."""
        self._change(sender, policy.left(self._senders[sender], amount, priority, at=at))

    def pause(self, connection: Connection, stall: Stall) -> None:
        """A sender's queue at Twilio is full, whether or not the sender is paced."""
        key = (stall.sender_number, stall.channel)
        connection.execute(sql.PAUSE, (*key, stall.until))
        id_ = self._numbers.get(key)
        if id_ is not None:
            sender = self._senders[id_]
            self._change(id_, replace(sender, paused_until=max(sender.paused_until, stall.until)))

    def write(self, connection: Connection) -> None:
        """Writes down what the requests that left since the last commit have used."""
        if self._changed:
            changed = [(id_, self._senders[id_]) for id_ in self._changed]
            rows = [(sender.bucket.full_at, sender.place, id_) for id_, sender in changed]
            connection.executemany(sql.LEAVE, rows)

    def committed(self) -> None:
        if not self._touched:
            return
        latest, order = self.latest, list(self.latest.order)
        for id_ in self._touched:
            if id_ in latest.waits:
                del order[bisect_left(order, (policy.departs_at(latest.senders[id_], 1), id_))]
            if id_ in self._waits:
                insort(order, (policy.departs_at(self._senders[id_], 1), id_))
        self.latest = Allowances(
            senders=dict(self._senders),
            waits=dict(self._waits),
            order=tuple(order),
            readings=latest.readings,
        )
        self._changed.clear()
        self._touched.clear()

    def rolled_back(self) -> None:
        if self._changed:
            self._senders = {**self._senders, **self.latest.senders}
            self._changed.clear()

    def _change(self, id_: int, sender: policy.Allowance) -> None:
        self._senders[id_] = sender
        self._changed.add(id_)
        self._touched.add(id_)
