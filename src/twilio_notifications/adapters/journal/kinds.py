"""Kinds of calls that the writer carries out together, and what it takes apart where one of them fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.adapters.journal.connection import Connection

Call = TypeVar("Call")
Result = TypeVar("Result")


class Kind(Protocol[Call, Result]):
    """Calls of one kind that share a transaction are carried out by one call of `together`."""

    @property
    def first(self) -> bool:
        """Refers only to what is committed, so that it may be carried out before all other kinds."""

    def together(self, connection: Connection, calls: Sequence[Call]) -> Sequence[Result]:
        """The results of all calls, in their order; raises where one of them fails."""

    def parts(self, call: Call) -> Sequence[Call]:
        """The members of a call, each as a call of its own; none: it fails as a whole."""

    def joined(self, call: Call, outcomes: Sequence[Result | Exception]) -> Result:
        """The result of a call whose parts were carried out one by one; an error: that part failed."""


class Single:
    """A function of its own, which shares nothing but the transaction."""

    first = False

    def together(self, connection: Connection, calls: Sequence[Callable[[Connection], Any]]) -> Sequence[Any]:
        return [call(connection) for call in calls]

    def parts(
        self,
        call: Callable[[Connection], Any],  # noqa: ARG002 - nothing is known of it
    ) -> Sequence[Callable[[Connection], Any]]:
        return []

    def joined(self, call: Callable[[Connection], Any], outcomes: Sequence[Any]) -> Any:  # noqa: ARG002
        return outcomes[0]
