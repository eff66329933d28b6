"""Kinds of calls that the writer carries out together, and what it takes apart where one of them fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.lanes import Lanes

Call = TypeVar("Call")
Result = TypeVar("Result")


class Kind(Protocol[Call, Result]):
    """Calls of one kind that share a transaction are carried out by one call of `together`."""

    @property
    def first(self) -> bool:
        """Refers only to what is committed, so that it may be carried out before all other kinds."""

    def lanes(self, call: Call) -> Lanes | None:
        """What the call keeps other connectors out of; None: the whole journal."""

    def together(self, connection: Connection, calls: Sequence[Call]) -> Sequence[Result]:
        """The results of all calls, in their order; raises where one of them fails."""

    def parts(self, call: Call) -> Sequence[Call]:
        """The members of a call, each as a call of its own; none: it fails as a whole."""

    def joined(self, call: Call, outcomes: Sequence[Result | Exception]) -> Result:
        """The result of a call whose parts were carried out one by one; an error: that part failed."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A function of its own, and its lanes."""

    run: Callable[[Connection], Any]
    lanes: Lanes | None


class Single:
    """Operations, which share nothing but the transaction."""

    first = False

    def lanes(self, call: Operation) -> Lanes | None:
        return call.lanes

    def together(self, connection: Connection, calls: Sequence[Operation]) -> Sequence[Any]:
        return [call.run(connection) for call in calls]

    def parts(self, call: Operation) -> Sequence[Operation]:  # noqa: ARG002 - nothing is known of it
        return []

    def joined(self, call: Operation, outcomes: Sequence[Any]) -> Any:  # noqa: ARG002
        return outcomes[0]
