"""Charges attempts to the limits of the operator: runs in the writer's thread, inside its transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from twilio_notifications.adapters.journal.statements import work as sql

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.core.policy import Charge


class Charging(Protocol):
    """How what attempts use of the limits is written down; follows the transactions."""

    def lanes(self, charges: Iterable[Charge]) -> frozenset[str]:
        """What `charge` keeps other connectors out of, as far as that is known before the transaction."""

    def begun(self, lanes: Lanes | None) -> None:
        """A transaction has begun, which has these lanes; None: the whole journal."""

    def charge(self, connection: Connection, wanted: Mapping[int, Sequence[Charge]]) -> frozenset[int]:
        """Those of the requests whose charges are written, each as a whole.

        The others have none, because another connector has used up the rest. May raise NeedsJournal.
        """

    def pay_back(self, connection: Connection, charges: Sequence[Charge]) -> None:
        """What was charged is not used after all."""

    def committed(self) -> None: ...

    def rolled_back(self) -> None: ...


class ChargedAlone:
    """No other connector can use up what this one has judged by."""

    def lanes(self, charges: Iterable[Charge]) -> frozenset[str]:  # noqa: ARG002 - there are no others
        return frozenset()

    def begun(self, lanes: Lanes | None) -> None:
        """It always has the whole journal."""

    def charge(self, connection: Connection, wanted: Mapping[int, Sequence[Charge]]) -> frozenset[int]:
        charge(connection, [one for charges in wanted.values() for one in charges])
        return frozenset(wanted)

    def pay_back(self, connection: Connection, charges: Sequence[Charge]) -> None:
        pay_back(connection, charges)

    def committed(self) -> None:
        """It keeps nothing in memory."""

    def rolled_back(self) -> None:
        """It keeps nothing in memory."""


def charge(connection: Connection, charges: Sequence[Charge]) -> None:
    """Adds the charges to the windows themselves."""
    if charges:
        connection.executemany(sql.CHARGE, [(one.scope, one.since, one.amount) for one in charges])


def pay_back(connection: Connection, charges: Sequence[Charge]) -> None:
    """Takes the charges off the windows themselves."""
    if charges:
        connection.executemany(sql.PAY_BACK, [(one.amount, one.scope, one.since) for one in charges])
        connection.executemany(sql.FORGET_UNUSED, {(one.scope, one.since) for one in charges})
