"""Charges attempts of several connectors to limits, without a row that each text changes.

A limit that counts one recipient's requests is charged as it is: the recipient's lane keeps others out.
Of a limit for the account as a whole, each connector takes some ahead, into a row of its own. That needs the
lane of the limit. Taking back what other connectors have not used needs the whole journal.

The invariant is in `usage.used`: it is what was used and what is reserved, grows only by what the limit
leaves, in a transaction that keeps all others from adding to it, and so never exceeds the limit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from twilio_notifications.adapters.journal.charging import charge, pay_back
from twilio_notifications.adapters.journal.lanes import NeedsJournal, of_limit
from twilio_notifications.adapters.journal.statements import work as sql
from twilio_notifications.adapters.journal.usage import read_usage
from twilio_notifications.core.policy import NOTHING_USED, Charge
from twilio_notifications.core.reservations import Reservation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.adapters.journal.sharing import Shared

_GIVE_BACK: Final = """
WITH given AS (DELETE FROM reservations WHERE {which} RETURNING scope, since, unused)
UPDATE usage SET used = used - back.unused
FROM (SELECT scope, since, CAST(SUM(unused) AS BIGINT) AS unused FROM given GROUP BY scope, since) AS back
WHERE usage.scope = back.scope AND usage.since = back.since
"""

GIVE_BACK_OWN: Final = _GIVE_BACK.format(which="member = ? AND scope = ?")

TAKE_BACK: Final = _GIVE_BACK.format(which="scope = ? AND since = ?")

FREE_RESERVED: Final = _GIVE_BACK.format(which="member NOT IN (SELECT token FROM members)")

OWN: Final = "SELECT scope, since, unused FROM reservations WHERE member = ?"

REST: Final = """
SELECT CAST(? AS BIGINT) - COALESCE((SELECT used FROM usage WHERE scope = ? AND since = ?), 0),
       (SELECT COUNT(*) FROM members)
"""

HOLD: Final = """
INSERT INTO reservations (member, scope, since, unused) VALUES (?, ?, ?, ?)
ON CONFLICT (member, scope, since) DO UPDATE SET unused = reservations.unused + excluded.unused
"""

USE: Final = """
UPDATE reservations SET unused = unused - ?1
WHERE member = ?2 AND scope = ?3 AND since = ?4 AND unused >= ?1
"""


def free_reserved(connection: Connection) -> None:
    """What connectors had reserved that are members no more, and had not used, is free again."""
    connection.execute(FREE_RESERVED)


_Key = tuple[int | None, str]
"""The token of this connector, which is a new one whenever it joins, and the scope."""


@dataclass(slots=True, kw_only=True)
class Reservations:
    """Implements Charging."""

    sharing: Shared
    monotonic: Callable[[], float]
    _lanes: Lanes | None = field(init=False, default=None)
    _own: Mapping[_Key, Reservation] = field(init=False, default_factory=dict)
    """Never changed, only replaced. Others may have taken some of it back since it was written."""
    _committed: Mapping[_Key, Reservation] = field(init=False, default_factory=dict)

    def lanes(self, charges: Iterable[Charge]) -> frozenset[str]:
        found = set()
        for one in _totals(charges):
            held = self._held(one)
            if held is None or not held.suffices(one.amount) or held.is_low(one.amount):
                found.add(of_limit(one.scope))
        return frozenset(found)

    def begun(self, lanes: Lanes | None) -> None:
        self._lanes = lanes

    def charge(self, connection: Connection, wanted: Mapping[int, Sequence[Charge]]) -> frozenset[int]:
        exact = {id_: [one for one in charges if not _is_reserved(one)] for id_, charges in wanted.items()}
        # The recipients are lanes of the transaction, so what they have used stays as it is read.
        bounded = {(one.scope, one.since) for each in exact.values() for one in each if one.most is not None}
        tally = read_usage(connection, bounded) if bounded else NOTHING_USED
        admitted = tally.admitted(exact)
        reserved = {id_: list(filter(_is_reserved, wanted[id_])) for id_ in admitted}
        fitting = self._use(connection, reserved)
        charge(connection, [one for id_, each in admitted.items() if id_ in fitting for one in each])
        return fitting

    def pay_back(self, connection: Connection, charges: Sequence[Charge]) -> None:
        own = [one for one in charges if self._is_own(one)]
        connection.executemany(HOLD, [(self.sharing.token, one.scope, one.since, one.amount) for one in own])
        for one in own:
            self._use_up(one.scope, -one.amount)
        others = [one for one in charges if not self._is_own(one)]
        pay_back(connection, sorted(others, key=lambda one: (one.scope, one.since)))

    def committed(self) -> None:
        self._committed = self._own

    def rolled_back(self) -> None:
        self._own = self._committed

    def _use(self, connection: Connection, wanted: Mapping[int, Sequence[Charge]]) -> frozenset[int]:
        """Uses what is reserved; those of the requests for which that, and what could be taken, suffices."""
        needed = _totals(one for charges in wanted.values() for one in charges)
        if not needed:
            return frozenset(wanted)
        if self._lanes is None:
            self._read(connection)
        for one in needed:
            held = self._held(one)
            lacks = held is None or not held.suffices(one.amount)
            if lacks or (held is not None and held.is_low(one.amount) and self._has_lane(one.scope)):
                self._take_ahead(connection, one)
        left = {one.scope: held.unused for one in needed if (held := self._held(one)) is not None}
        fitting = frozenset(id_ for id_, charges in wanted.items() if _fits(left, charges))
        used = _totals(one for id_ in fitting for one in wanted[id_])
        rows = [(one.amount, self.sharing.token, one.scope, one.since) for one in used]
        if connection.executemany(USE, rows).rowcount != len(rows):
            raise NeedsJournal  # another connector has taken some of it back
        for one in used:
            self._use_up(one.scope, one.amount)
        return fitting

    def _take_ahead(self, connection: Connection, wanted: Charge) -> None:
        """Takes what is needed of the rest of the window, and some ahead; all that there is where it is less.

        Only with the whole journal is it known that there is less, because others may not use what they hold.
        """
        if not self._has_lane(wanted.scope):
            raise NeedsJournal
        held = self._held(wanted) or self._begin(connection, wanted)
        rest, members = self._rest(connection, wanted)
        if wanted.amount > held.unused + rest:
            if self._lanes is not None:
                raise NeedsJournal
            connection.execute(TAKE_BACK, (wanted.scope, wanted.since))
            held = replace(held, unused=0)
            rest, members = self._rest(connection, wanted)
        now = self.monotonic()
        taken = held.to_take(wanted.amount, rest=rest, members=members, now=now)
        if taken:
            connection.execute(sql.CHARGE, (wanted.scope, wanted.since, taken))
            connection.execute(HOLD, (self.sharing.token, wanted.scope, wanted.since, taken))
        self._keep(wanted.scope, held.took(taken, now=now))

    def _begin(self, connection: Connection, wanted: Charge) -> Reservation:
        """Of a window that has nothing reserved yet; what is reserved of the one before is given back."""
        since, most = wanted.since, wanted.most or 0
        earlier = self._own.get((self.sharing.token, wanted.scope))
        if earlier is None:
            return Reservation(since=since, most=most)
        connection.execute(GIVE_BACK_OWN, (self.sharing.token, wanted.scope))
        return earlier.of(since=since, most=most)

    def _rest(self, connection: Connection, wanted: Charge) -> tuple[int, int]:
        """What the limit leaves of the window, and the number of the members."""
        values = (wanted.most, wanted.scope, wanted.since)
        rest, members = connection.execute(REST, values).fetchone()
        return max(0, rest), max(1, members)

    def _read(self, connection: Connection) -> None:
        """What others have left of this connector's reservations."""
        rows = connection.execute(OWN, (self.sharing.token,)).fetchall()
        found = {(scope, since): unused for scope, since, unused in rows}
        self._own = {
            (token, scope): replace(held, unused=found.get((scope, held.since), 0))
            for (token, scope), held in self._own.items()
        }

    def _held(self, charge: Charge) -> Reservation | None:
        """What is reserved of the window; None: nothing of this window, or not by this limit."""
        held = self._own.get((self.sharing.token, charge.scope))
        is_it = held is not None and (held.since, held.most) == (charge.since, charge.most)
        return held if is_it else None

    def _is_own(self, charge: Charge) -> bool:
        held = self._own.get((self.sharing.token, charge.scope))
        return held is not None and held.since == charge.since

    def _has_lane(self, scope: str) -> bool:
        return self._lanes is None or of_limit(scope) in self._lanes.names

    def _use_up(self, scope: str, amount: int) -> None:
        self._keep(scope, self._own[self.sharing.token, scope].used(amount))

    def _keep(self, scope: str, held: Reservation) -> None:
        token = self.sharing.token
        others = {key: one for key, one in self._own.items() if key[0] == token}
        self._own = {**others, (token, scope): held}


def _is_reserved(charge: Charge) -> bool:
    return charge.of_account and charge.most is not None


def _totals(charges: Iterable[Charge]) -> list[Charge]:
    """One charge for each window of a limit for the account, in the order of their names."""
    amounts: Counter[tuple[str, float, int | None]] = Counter()
    for one in charges:
        if _is_reserved(one):
            amounts[one.scope, one.since, one.most] += one.amount
    return [
        Charge(scope=scope, since=since, amount=amount, most=most, of_account=True)
        for (scope, since, most), amount in sorted(amounts.items())
    ]


def _fits(left: dict[str, int], charges: Sequence[Charge]) -> bool:
    """Whether this is left for all the charges of a request; then it is left no more."""
    if any(left.get(one.scope, 0) < one.amount for one in charges):
        return False
    for one in charges:
        left[one.scope] -= one.amount
    return True
