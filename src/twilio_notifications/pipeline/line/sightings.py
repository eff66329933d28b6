"""Takes what is known about deliveries into the journal: from looks and from callbacks, by one way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from twilio_notifications.core.delivery import ending
from twilio_notifications.core.errors import JournalError, Reason
from twilio_notifications.ports.events import Defect, DeliveryChanged

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from twilio_notifications.core.delivery import Change, Followed
    from twilio_notifications.core.steps import Stall
    from twilio_notifications.pipeline.alarm import Alarm
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Journal, Unreported

    Conclude = Callable[[Followed], Change | None]
    """What follows for a delivery; None: nothing."""

_TRIES: Final = 8
"""How often a change is concluded again because another was taken meanwhile; each makes the state newer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sightings:
    """One for the whole connector. Each call raises JournalError."""

    journal: Journal
    failures: Failures
    events: Events
    bell: Alarm
    """Rung when a look is due earlier than it was."""
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""
    on_stalled: Callable[[Stall], None]
    """Hears of a sender whose queue at Twilio was full."""

    async def take(self, seen: Iterable[tuple[Followed, Conclude]]) -> bool:
        """Takes what follows for each, all in one transaction; whether anything did."""
        left = [(followed, conclude) for followed, conclude in seen]
        taken = False
        for _ in range(_TRIES):
            concluded = [(followed, conclude(followed), conclude) for followed, conclude in left]
            changes = [(followed, change) for followed, change, _ in concluded if change is not None]
            if not changes:
                break
            stale = await self._change(changes)
            taken = taken or len(stale) < len(changes)
            left = [
                (again, conclude)
                for followed, change, conclude in concluded
                if change is not None and change.request in stale
                if (again := await self.journal.delivery(followed.request.id)) is not None
            ]
        return taken

    async def _change(self, changes: Sequence[tuple[Followed, Change]]) -> frozenset[int]:
        """The requests whose changes were concluded from what is older than the journal."""
        try:
            changed = await self.journal.change([change for _, change in changes])
        except JournalError:
            raise
        except Exception as error:  # noqa: BLE001 - one of them is the cause, and the others must not pay for it
            if len(changes) > 1:
                return frozenset().union(*[await self._change([one]) for one in changes])
            self.events.tell(Defect(name="delivery_defect", error=error))
            self.journal.set_aside(changes[0][1].request)
            return frozenset()
        for followed, change in changes:
            if change.request not in changed.stale:
                self._tell(followed, change)
        self.on_written(changed.written)
        return changed.stale

    def _tell(self, followed: Followed, change: Change) -> None:
        if change.look_at is not None and change.look_at < (followed.look_at or float("inf")):
            self.bell.ring()
        if change.happened is not None:
            self.events.tell(DeliveryChanged(followed=followed, change=change))
        if change.stall is not None:
            self.on_stalled(change.stall)
        end = ending(change.after)
        failed = end is not None and end.reason is not None and ending(change.before) is None
        if end is not None and failed and end.reason is not Reason.CANCELLED:  # that was our own order
            self.failures.undelivered(followed, change.after.state, end)
