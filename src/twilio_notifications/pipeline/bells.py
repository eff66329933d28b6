"""The alarms by which the stages wake each other: made before them, so that no stage has to know another."""

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
    callbacks: Alarm
    """What takes callbacks: the SID of one that was kept is known."""
    deliveries: Alarm
    """The tracker: a look may be due earlier than it knows."""
    logins: Alarm
    """The log-in check: there may be another login."""

    chains: Alarm
    """The escalator: a step may be due, or an order may wait."""

    @classmethod
    def on(cls, clock: Clock) -> Self:
        """Bells that wake at instants of this clock."""
        return cls(
            work=Alarm(clock),
            doubts=Alarm(clock),
            callbacks=Alarm(clock),
            deliveries=Alarm(clock),
            chains=Alarm(clock),
            logins=Alarm(clock),
        )
