"""Events of the steps of the line: how long each took, for the metrics and for traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.ports.events.event import Event

if TYPE_CHECKING:
    from twilio_notifications.ports.line_steps import LineStep


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTimed(Event):
    """A step of the line is over. Instants are seconds since the epoch."""

    step: LineStep
    number: int
    """The journal's number of the request."""
    traceparent: str | None
    """The client's trace, as it wrote it; None: it named none."""
    began_at: float
    ended_at: float

    @property
    def seconds(self) -> float:
        """How long it took; never negative."""
        return max(0.0, self.ended_at - self.began_at)
