"""Times the steps of the line: out of the events that begin and end a step it makes one event with both.

Only there where metrics or traces listen. What it keeps is bounded: of more than MOST_BEGUN steps under way
the oldest are forgotten, and never timed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from twilio_notifications.ports import events
from twilio_notifications.ports.events import StepTimed
from twilio_notifications.ports.line_steps import LineStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports import Envelope, Event, Events

MOST_BEGUN: Final = 20_000
"""Far more than attempts and statuses can be under way; requests that wait for hours may be more."""


class StepTimer:
    """Hears the events of the line, and tells `listeners` of each step that is over."""

    def __init__(self, listeners: Events, *, now: Callable[[], float], most_begun: int = MOST_BEGUN) -> None:
        """`now`: seconds since the epoch."""
        self._listeners = listeners
        self._now = now
        self._most_begun = most_begun
        self._begun: dict[tuple[LineStep, int], float] = {}
        """When it began, by what it is about; in the order of the beginnings."""
        self._hears: Mapping[type[Event], Callable[[Any], None]] = {
            events.RequestReceived: self._begin_recording,
            events.RequestRecorded: self._end_recording,
            events.AttemptsOpened: self._end_waiting,
            events.TwilioAnswered: self._end_sending,
            events.RequestPostponed: self._begin_waiting,
            events.RequestFinished: self._end_closing,
            events.AttemptInDoubt: self._end_closing,
            events.DoubtSettled: self._end_settling,
            events.StatusPublished: self._begin_reporting,
            events.StatusAcknowledged: self._end_reporting,
        }

    def tell(self, event: Event) -> None:
        """Notes a beginning, or tells of an end; does nothing with other events."""
        hear = self._hears.get(type(event))
        if hear is not None:
            hear(event)

    def _begin_recording(self, event: events.RequestReceived) -> None:
        self._begin(LineStep.RECORD, id(event.inbound))

    def _end_recording(self, event: events.RequestRecorded) -> None:
        began_at = self._begun.pop((LineStep.RECORD, id(event.inbound)), None)
        if event.number is not None and began_at is not None:
            envelope = event.inbound.envelope
            self._over(LineStep.RECORD, event.number, began_at, _trace(envelope))

    def _end_waiting(self, event: events.AttemptsOpened) -> None:
        for request in event.requests:
            self._open(request)

    def _end_sending(self, event: events.TwilioAnswered) -> None:
        self._end(LineStep.SEND, event.request)
        self._begin(LineStep.CLOSE, event.request.id)

    def _begin_waiting(self, event: events.RequestPostponed) -> None:
        self._end(LineStep.CLOSE, event.request)
        self._begin(LineStep.WAIT, event.request.id)

    def _end_closing(self, event: events.RequestFinished | events.AttemptInDoubt) -> None:
        self._end(LineStep.CLOSE, event.request)

    def _end_settling(self, event: events.DoubtSettled) -> None:
        request = event.request
        self._over(LineStep.SETTLE, request.id, self._now() - event.seconds, request.traceparent)

    def _begin_reporting(self, event: events.StatusPublished) -> None:
        self._begun.setdefault((LineStep.REPORT, event.status.position), self._now())

    def _end_reporting(self, event: events.StatusAcknowledged) -> None:
        began_at = self._begun.pop((LineStep.REPORT, event.status.position), None)
        if began_at is not None:
            status = event.status
            self._over(LineStep.REPORT, status.request, began_at, _trace(status.envelope))

    def _open(self, request: Claimed) -> None:
        """The wait is over; that of a first attempt began with the acceptance, also before a restart."""
        began_at = self._begun.pop((LineStep.WAIT, request.id), None)
        if began_at is None and request.attempt == 1:
            began_at = request.accepted_at
        if began_at is not None:
            self._over(LineStep.WAIT, request.id, began_at, request.traceparent)
        self._begin(LineStep.SEND, request.id)

    def _begin(self, step: LineStep, key: int) -> None:
        self._begun[step, key] = self._now()
        if len(self._begun) > self._most_begun:
            del self._begun[next(iter(self._begun))]

    def _end(self, step: LineStep, request: Claimed) -> None:
        began_at = self._begun.pop((step, request.id), None)
        if began_at is not None:
            self._over(step, request.id, began_at, request.traceparent)

    def _over(self, step: LineStep, number: int, began_at: float, traceparent: str | None) -> None:
        self._listeners.tell(
            StepTimed(
                step=step, number=number, traceparent=traceparent, began_at=began_at, ended_at=self._now()
            )
        )


def _trace(envelope: Envelope | None) -> str | None:
    return None if envelope is None else envelope.traceparent
