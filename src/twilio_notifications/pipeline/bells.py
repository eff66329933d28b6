"""By what the stages wake each other: made before them, so that no stage needs to know another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from twilio_notifications.pipeline.alarm import Alarm

if TYPE_CHECKING:
    from twilio_notifications.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Bells:
    """One alarm for each stage that waits for others."""

    work: Alarm
    """The dispatcher: a request may be due, or a place may be free."""
    doubts: Alarm
    """The settler: an attempt may be in doubt."""
    logins: Alarm
    """The log-in check: there may be another login."""

    chains: Alarm
    """The escalator: a step may be due, or an order may wait."""

    @classmethod
    def on(cls, clock: Clock) -> Self:
        """Bells that wake at instants of this clock."""
        return cls(work=Alarm(clock), doubts=Alarm(clock), logins=Alarm(clock), chains=Alarm(clock))
