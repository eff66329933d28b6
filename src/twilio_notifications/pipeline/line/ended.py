"""Tells what has ended before its time: chains, and requests that waited.

A client, a person, a newer request or the chain itself ends them. The same follows each time, after the
commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.escalation import EndKind
from twilio_notifications.ports.events import ChainEnded, Level, WaitingRequestEnded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core.escalation import Door
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Ended, Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedTeller:
    """Has the events told, the statuses published, and the stages woken that have something to do now."""

    events: Events
    failures: Failures
    bells: Bells
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""

    def tell(self, ended: Ended, *, kind: EndKind, how: Door | None = None) -> None:
        """`kind` is the end of its chains, `how` the door of an acknowledgement."""
        level = Level.ERROR if kind is EndKind.UNACKNOWLEDGED else Level.INFO
        for chain in ended.chains:
            self.events.tell(ChainEnded(level=level, number=chain, ending=kind, how=how))
        for request in ended.requests:
            self.events.tell(WaitingRequestEnded(number=request))
        for why in ended.unsuccessful:
            self.failures.failed(why.request, why)
        self.on_written(ended.written)
        if ended.chains or ended.requests:
            self.bells.work.ring()  # turns have passed on, and there may be texts for the others
            self.bells.chains.ring()  # calls may have to be hung up
