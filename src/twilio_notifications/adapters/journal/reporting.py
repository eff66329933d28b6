"""What reports do to the rows: runs in the writer's thread, inside its transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.adapters.journal.lanes import NO_LANES
from twilio_notifications.adapters.journal.statements import outbox as sql
from twilio_notifications.core.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from twilio_notifications.adapters.journal.connection import Connection
    from twilio_notifications.adapters.journal.grouping import AnyRedelivery
    from twilio_notifications.adapters.journal.lanes import Lanes
    from twilio_notifications.adapters.journal.memory import Memory
    from twilio_notifications.adapters.journal.sharing import Sharing


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCall:
    """One call of the reporter: the broker has acknowledged these statuses."""

    positions: tuple[int, ...]
    at: float
    now: float
    """The instant of the call, by the monotonic clock."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reports:
    """A kind of calls (kinds.py); the result is None."""

    memory: Memory
    redelivery: AnyRedelivery
    sharing: Sharing
    on_failed: Callable[[Mapping[int, Exception]], None]
    """Hears which statuses a defect keeps from being reported, in the writer's thread."""
    first: bool = True

    def lanes(self, call: ReportCall) -> Lanes:  # noqa: ARG002 - only the leader reports
        return NO_LANES

    def together(self, connection: Connection, calls: Sequence[ReportCall]) -> list[None]:
        self.sharing.require_leadership(connection)
        self.redelivery.raise_watermark(connection, now=max(call.now for call in calls))
        positions = [(position,) for call in calls for position in call.positions]
        times = [(call.at, position) for call in calls for position in call.positions]
        connection.executemany(sql.REPORT, times)
        reported = connection.executemany(sql.REPORT_REQUEST, positions).rowcount
        if self.sharing.is_shared:
            reported -= connection.executemany(sql.NOT_REPORTED, positions).rowcount
        self.memory.change(was=State.FINISHED, now=None, by=max(0, reported))
        return [None for _ in calls]

    def parts(self, call: ReportCall) -> list[ReportCall]:
        return [ReportCall(positions=(position,), at=call.at, now=call.now) for position in call.positions]

    def joined(self, call: ReportCall, outcomes: Sequence[Exception | None]) -> None:
        failed = {
            position: outcome
            for position, outcome in zip(call.positions, outcomes, strict=True)
            if outcome is not None
        }
        self.on_failed(failed)
