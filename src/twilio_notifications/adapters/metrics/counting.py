"""Counts the events of the connector.

All children are made at the start and found by a tuple: an increment costs half a microsecond and cannot make
a new series.
"""

from __future__ import annotations

from functools import partial
from itertools import product
from typing import TYPE_CHECKING, assert_never

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from twilio_notifications.adapters.metrics import catalogue
from twilio_notifications.adapters.metrics.catalogue import NO_REASON, SECONDS, Cause, Result, Settled
from twilio_notifications.core.delivery import result_word
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.steps import Finish, Postpone
from twilio_notifications.ports import NewRejection, NewRequest, Recording, events

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.metrics.catalogue import Metric
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.ports import Event

_GAUGES: Mapping[type[Event], tuple[Metric, int]] = {
    events.BrokerConnected: (catalogue.BROKER, 1),
    events.BrokerLost: (catalogue.BROKER, 0),
    events.BrokerUnreachable: (catalogue.BROKER, 0),
    events.NucleusConnected: (catalogue.BROKER, 1),
    events.NucleusLost: (catalogue.BROKER, 0),
    events.NucleusRefused: (catalogue.BROKER, 0),
    events.NucleusUnreachable: (catalogue.BROKER, 0),
    events.ConnectorStopped: (catalogue.BROKER, 0),
    events.TwilioReachable: (catalogue.TWILIO, 1),
    events.TwilioUnreachable: (catalogue.TWILIO, 0),
    events.LoginAccepted: (catalogue.LOGIN, 1),
    events.LoginRefused: (catalogue.LOGIN, 0),
    events.CredentialsAccepted: (catalogue.LOGIN, 1),
    events.CredentialsRefused: (catalogue.LOGIN, 0),
    events.JournalAvailable: (catalogue.DISK, 1),
    events.JournalUnavailable: (catalogue.DISK, 0),
}
"""What an event says of the present."""

_DROPS: Mapping[type[Event], Cause] = {
    events.RetainedDropped: Cause.RETAINED,
    events.UnknownTopicDropped: Cause.UNKNOWN_TOPIC,
    events.WishDropped: Cause.WRONG_WISH,
}


class Counters:
    """One connector's metrics."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of no use here
        self._registry = CollectorRegistry()
        self._requests = self._counters(catalogue.REQUESTS)
        self._too_large = self._counters(catalogue.TOO_LARGE)[()]
        self._dropped = self._counters(catalogue.DROPPED)
        self._attempts = self._counters(catalogue.ATTEMPTS)
        self._deferrals = self._counters(catalogue.DEFERRALS)
        self._settlements = self._counters(catalogue.SETTLEMENTS)
        self._statuses = self._counters(catalogue.STATUSES)
        self._seconds = self._histograms(catalogue.STATUS_SECONDS)
        self._chains = self._counters(catalogue.CHAINS)
        self._deliveries = self._counters(catalogue.DELIVERIES)
        self._looks = self._counters(catalogue.LOOKS)
        self._callbacks = self._counters(catalogue.CALLBACKS)
        self._defects = self._counters(catalogue.DEFECTS)[()]
        self._gauges = {
            metric.name: self._gauge(metric)
            for metric in (catalogue.BROKER, catalogue.TWILIO, catalogue.LOGIN, catalogue.DISK)
        }
        for metric in (catalogue.TWILIO, catalogue.LOGIN, catalogue.DISK):
            self._gauges[metric.name].set(1)
        self._pauses, self._pause_ends = (
            self._gauge(metric) for metric in (catalogue.PAUSES, catalogue.PAUSE_ENDS)
        )
        for reason in catalogue.LASTING:
            self._pauses.labels(reason).set(0)
            self._pause_ends.labels(reason).set(0)
        self._journal = self._gauge(catalogue.JOURNAL)
        self.watch(lambda: dict.fromkeys(catalogue.COUNTED_STATES, 0))

    def watch(self, by_state: Callable[[], Mapping[State, int]]) -> None:
        """Asks this journal at each scrape, which must cost next to nothing."""
        for state in catalogue.COUNTED_STATES:
            self._journal.labels(state).set_function(partial(_counted, by_state, state))

    def page(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    def tell(self, event: Event) -> None:
        """Counts the event, if it means something here."""
        match event:
            case events.RequestRecorded():
                self._recorded(event)
            case events.RequestFinished(request=request, step=step):
                self._attempted(request, step)
                self._finished(request, step)
            case events.RequestPostponed(request=request, step=step):
                self._attempted(request, step)
                self._deferrals[(step.reason,)].inc()
            case events.AttemptInDoubt(request=request, step=step):
                self._attempted(request, step)
            case events.DoubtSettled():
                self._settled(event)
            case events.ChainEnded(ending=ending):
                self._chains[(ending,)].inc()
            case events.Defect():
                self._defects.inc()
            case _:
                self._heard(event)

    def _heard(self, event: Event) -> None:
        """An event of a delivery, or one of which its kind is all that matters here."""
        kind = type(event)
        match event:
            case events.DeliveryChanged(change=change):
                word = result_word(change.after)
                if word is not None and result_word(change.before) is None:
                    self._deliveries[change.after.channel, word].inc()
            case events.DeliveryLookedUp(kind=look, answered=answered):
                self._looks[look, "yes" if answered else "no"].inc()
            case events.CallbackAnswered(result=outcome):
                self._callbacks[(outcome,)].inc()
            case events.PausesChanged(reason=reason, count=count, until=until):
                self._pauses.labels(reason).set(count)
                self._pause_ends.labels(reason).set(until or 0)
            case _ if kind in _GAUGES:
                metric, value = _GAUGES[kind]
                self._gauges[metric.name].set(value)
            case _ if kind in _DROPS:
                self._dropped[(_DROPS[kind],)].inc()
            case _:
                pass  # nothing of it is counted

    def _attempted(self, request: Claimed, step: Step) -> None:
        if step.outcome is not None:
            self._attempts[request.notification.channel, step.outcome].inc()

    def _recorded(self, event: events.RequestRecorded) -> None:
        if event.inbound.passed_over:
            self._too_large.inc()
        arrival = event.arrival
        channel = arrival.notification.channel if isinstance(arrival, NewRequest) else arrival.channel
        match event.recording, arrival:
            case Recording.REPEATED, _:
                self._requests[channel, Result.REPEATED].inc()
            case Recording.DUPLICATE, _:
                self._requests[channel, Result.DUPLICATE].inc()
            case Recording.FULL, _:
                self._rejected(channel, Reason.QUEUE_FULL)
            case _, NewRejection(reason=reason):
                self._rejected(channel, reason)
            case _, NewRequest():
                self._requests[channel, Result.ACCEPTED].inc()

    def _settled(self, event: events.DoubtSettled) -> None:
        self._settlements[event.request.notification.channel, Settled(event.outcome)].inc()
        match event.step:
            case Finish():
                self._finished(event.request, event.step)
            case Postpone(reason=reason):
                self._deferrals[(reason,)].inc()
            case _:
                assert_never(event.step)

    def _rejected(self, channel: Channel, reason: Reason) -> None:
        self._requests[channel, Result.REJECTED].inc()
        self._statuses[channel, reason].inc()

    def _finished(self, request: Claimed, step: Finish) -> None:
        channel = request.notification.channel
        self._statuses[channel, step.reason or NO_REASON].inc()
        self._seconds[(channel,)].observe(max(0.0, step.at - request.accepted_at))

    # Making them, each with every value of its labels.

    def _counters(self, metric: Metric) -> dict[tuple[str, ...], Counter]:
        counter = Counter(metric.full_name, metric.meaning, tuple(metric.labels), registry=self._registry)
        return {values: counter.labels(*values) if values else counter for values in _values(metric)}

    def _histograms(self, metric: Metric) -> dict[tuple[str, ...], Histogram]:
        histogram = Histogram(
            metric.full_name, metric.meaning, tuple(metric.labels), registry=self._registry, buckets=SECONDS
        )
        return {values: histogram.labels(*values) for values in _values(metric)}

    def _gauge(self, metric: Metric) -> Gauge:
        return Gauge(metric.full_name, metric.meaning, tuple(metric.labels), registry=self._registry)


def _counted(by_state: Callable[[], Mapping[State, int]], state: State) -> float:
    return float(by_state()[state])


def _values(metric: Metric) -> list[tuple[str, ...]]:
    return list(product(*metric.labels.values()))
