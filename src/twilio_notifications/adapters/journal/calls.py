"""Calls that wait to be written, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.kinds import Kind
    from twilio_notifications.adapters.journal.lanes import Lanes


class Ledger(Protocol):
    """What is kept in memory about the journal, and so must follow its transactions."""

    def begun(self, connection: Connection, lanes: Lanes | None) -> None:
        """A transaction has begun, which has these lanes; None: the whole journal."""

    def committed(self) -> None: ...

    def rolled_back(self) -> None: ...

    def is_empty(self) -> bool:
        """Whether nothing waits, neither for Twilio nor to be reported."""


@dataclass(frozen=True, slots=True)
class Waiting:
    kind: Kind[Any, Any]
    call: Any
    future: asyncio.Future[Any]
    arrival: bool = False
    size: int = 0
    """Bytes of its requests and rejections; 0 for what only has to keep its place among them."""
    members: int = 1


@dataclass(frozen=True, slots=True)
class Result:
    future: asyncio.Future[Any]
    value: Any = None
    error: BaseException | None = None


class CallFailed(Exception):
    """A call failed by its own fault; its cause says how."""


def deliver(results: Sequence[Result]) -> None:
    for result in results:
        if result.future.done():  # its waiter was cancelled; the change is on disk all the same
            continue
        if result.error is None:
            result.future.set_result(result.value)
        else:
            result.future.set_exception(result.error)
