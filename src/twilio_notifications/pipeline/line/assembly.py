"""Puts together the stages that send: each is given its neighbours when it is made, and none afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.lifecycle import State
from twilio_notifications.pipeline.alarm import Alarm
from twilio_notifications.pipeline.line.admission import Admission
from twilio_notifications.pipeline.line.aside import Aside
from twilio_notifications.pipeline.line.attempts import Attempts
from twilio_notifications.pipeline.line.dispatcher import Dispatcher
from twilio_notifications.pipeline.line.settler import Settler
from twilio_notifications.pipeline.line.slots import Slots
from twilio_notifications.pipeline.line.taking import StepTaker

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twilio_notifications.core import policy
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.ports import Clock, Sender
    from twilio_notifications.ports.events import Events
    from twilio_notifications.ports.journal import Journal, Unreported


@dataclass(frozen=True, slots=True, kw_only=True)
class LineNeeds:
    """What the stages that send are given from outside."""

    journal: Journal
    sender: Sender
    clock: Clock
    events: Events
    bells: Bells
    pacing: Pacing
    failures: Failures
    limits: policy.Limits
    on_written: Callable[[Sequence[Unreported]], None]
    """Is given the statuses that are in the outbox now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The stages that send, and the parts of them that others use too."""

    admission: Admission
    attempts: Attempts
    dispatcher: Dispatcher
    settler: Settler


def build_line(given: LineNeeds) -> Line:
    """Dispatcher and settler, with everything that they share."""
    slots, wake = Slots(given.pacing.pace.maximum), _waker(given)
    admission = Admission(
        journal=given.journal,
        pacing=given.pacing,
        clock=given.clock,
        bell=given.bells.work,
        limits=given.limits,
    )
    aside = Aside(
        journal=given.journal,
        statuses=given.pacing.statuses,
        clock=given.clock,
        events=given.events,
        on_written=given.on_written,
    )
    taker = StepTaker(
        journal=given.journal,
        aside=aside,
        slots=slots,
        wake=wake,
        doubts=given.bells.doubts,
        events=given.events,
        failures=given.failures,
        failing=Alarm(given.clock),
    )
    attempts = Attempts(
        sender=given.sender,
        pacing=given.pacing,
        admission=admission,
        slots=slots,
        taker=taker,
        clock=given.clock,
        events=given.events,
        wake=wake,
    )
    dispatcher = Dispatcher(
        journal=given.journal,
        sender=given.sender,
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        pacing=given.pacing,
        admission=admission,
        slots=slots,
        attempts=attempts,
        taker=taker,
        aside=aside,
    )
    settler = _settler(given, aside, taker)
    return Line(admission=admission, attempts=attempts, dispatcher=dispatcher, settler=settler)


def _settler(given: LineNeeds, aside: Aside, taker: StepTaker) -> Settler:
    return Settler(
        journal=given.journal,
        sender=given.sender,
        clock=given.clock,
        events=given.events,
        bells=given.bells,
        statuses=given.pacing.statuses,
        failures=given.failures,
        timing=given.pacing.timing,
        jitter=given.pacing.jitter,
        aside=aside,
        taker=taker,
    )


def _waker(given: LineNeeds) -> Callable[[], None]:
    def wake() -> None:
        """The dispatcher has nothing to do while no request waits, and the network is there."""
        if given.journal.by_state()[State.WAITING] or given.pacing.pace.offline:
            given.bells.work.ring()

    return wake
