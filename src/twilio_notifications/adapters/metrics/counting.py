"""Counts what the stages and the observer tell.

All children are made at the start and found by a tuple: an increment costs half a microsecond and cannot make
a new series. What has an event of its own is heard there; the stages report directly what is too frequent for
one.
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
from twilio_notifications.adapters.metrics.catalogue import NO_REASON, SECONDS, Cause, Made, Result, Settled
from twilio_notifications.core.errors import Reason
from twilio_notifications.ports import Doubt, Finish, Level, NewRejection, NewRequest, Postpone, Recording

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.metrics.catalogue import Metric
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel
    from twilio_notifications.ports import Claimed, Inbound, Observer, Step

_GAUGES: Mapping[str, tuple[Metric, int]] = {
    "broker_connected": (catalogue.BROKER, 1),
    "broker_lost": (catalogue.BROKER, 0),
    "broker_unreachable": (catalogue.BROKER, 0),
    "nucleus_connected": (catalogue.BROKER, 1),
    "nucleus_lost": (catalogue.BROKER, 0),
    "nucleus_refused": (catalogue.BROKER, 0),
    "nucleus_unreachable": (catalogue.BROKER, 0),
    "connector_stopped": (catalogue.BROKER, 0),
    "twilio_reachable": (catalogue.TWILIO, 1),
    "twilio_unreachable": (catalogue.TWILIO, 0),
    "login_accepted": (catalogue.LOGIN, 1),
    "login_refused": (catalogue.LOGIN, 0),
    "credentials_accepted": (catalogue.LOGIN, 1),
    "credentials_refused": (catalogue.LOGIN, 0),
    "journal_available": (catalogue.DISK, 1),
    "journal_unavailable": (catalogue.DISK, 0),
}
"""What an event says of the present."""

_DROPS: Mapping[str, Cause] = {
    "retained_dropped": Cause.RETAINED,
    "unknown_topic_dropped": Cause.UNKNOWN_TOPIC,
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
        self._defects = self._counters(catalogue.DEFECTS)[()]
        self._gauges = {
            metric.name: self._gauge(metric)
            for metric in (catalogue.BROKER, catalogue.TWILIO, catalogue.LOGIN, catalogue.DISK)
        }
        for metric in (catalogue.TWILIO, catalogue.LOGIN, catalogue.DISK):
            self._gauges[metric.name].set(1)
        self._journal = self._gauge(catalogue.JOURNAL)
        self.watch(lambda: dict.fromkeys(catalogue.COUNTED_STATES, 0))

    def watch(self, by_state: Callable[[], Mapping[State, int]]) -> None:
        """Asks this journal at each scrape, which must cost next to nothing."""
        for state in catalogue.COUNTED_STATES:
            self._journal.labels(state).set_function(partial(_counted, by_state, state))

    def page(self) -> bytes:
        """Everything, in Prometheus' text format 0.0.4."""
        return generate_latest(self._registry)

    # What the stages tell.

    def recorded(self, inbound: Inbound, arrival: NewRequest | NewRejection, recording: Recording) -> None:
        """Something arrived, and this became of it."""
        if inbound.passed_over:
            self._too_large.inc()
        match recording, arrival:
            case Recording.REPEATED, _:
                self._requests[_channel(arrival), Result.REPEATED].inc()
            case Recording.DUPLICATE, _:
                self._requests[_channel(arrival), Result.DUPLICATE].inc()
            case Recording.FULL, _:
                self._rejected(_channel(arrival), Reason.QUEUE_FULL)
            case _, NewRejection(channel=channel, reason=reason):
                self._rejected(channel, reason)
            case _, NewRequest():
                self._requests[_channel(arrival), Result.ACCEPTED].inc()

    def attempted(self, request: Claimed, step: Step) -> None:
        """An attempt ended with this step."""
        outcome = _outcome(step)
        if outcome is not None:
            self._attempts[request.notification.channel, outcome].inc()
        self._stepped(request, step)

    def turned_away(self, request: Claimed, step: Step) -> None:
        """No attempt was made, and this became of the request."""
        self._stepped(request, step)

    def settled(self, request: Claimed, step: Step) -> None:
        """An attempt in doubt was looked up."""
        match step:
            case Doubt():
                return
            case Finish(reason=None):
                result = Settled.FOUND
            case Finish(reason=Reason.OUTCOME_UNKNOWN):
                result = Settled.UNKNOWN
            case Finish() | Postpone():
                result = Settled.ABSENT
            case _:
                assert_never(step)
        self._settlements[request.notification.channel, result].inc()
        self._stepped(request, step)

    # What the observer hears.

    def heard(self, event: str) -> None:
        """An event, if it means something here."""
        if event in _GAUGES:
            metric, value = _GAUGES[event]
            self._gauges[metric.name].set(value)
        elif event in _DROPS:
            self._dropped[(_DROPS[event],)].inc()

    def failed(self) -> None:
        """A defect of the connector."""
        self._defects.inc()

    def _rejected(self, channel: Channel, reason: Reason) -> None:
        self._requests[channel, Result.REJECTED].inc()
        self._statuses[channel, reason].inc()

    def _stepped(self, request: Claimed, step: Step) -> None:
        channel = request.notification.channel
        match step:
            case Finish(reason=reason, at=at):
                self._statuses[channel, reason or NO_REASON].inc()
                self._seconds[(channel,)].observe(max(0.0, at - request.accepted_at))
            case Postpone(reason=reason):
                self._deferrals[(reason,)].inc()
            case Doubt():
                return
            case _:
                assert_never(step)

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


class CountingObserver:
    """Passes everything on to another observer, and counts."""

    def __init__(self, observer: Observer, counters: Counters) -> None:
        self._next = observer
        self._counters = counters

    def event(self, name: str, *, level: Level = Level.INFO, **fields: object) -> None:
        self._next.event(name, level=level, **fields)
        self._counters.heard(name)

    def defect(self, name: str, error: BaseException) -> None:
        """A defect of the connector, with its trace."""
        self._next.defect(name, error)
        self._counters.failed()


def _counted(by_state: Callable[[], Mapping[State, int]], state: State) -> float:
    return float(by_state()[state])


def _values(metric: Metric) -> list[tuple[str, ...]]:
    return list(product(*metric.labels.values()))


def _channel(arrival: NewRequest | NewRejection) -> Channel:
    return arrival.notification.channel if isinstance(arrival, NewRequest) else arrival.channel


def _outcome(step: Step) -> Made | None:
    """None where the request expired before its attempt was made."""
    match step:
        case Finish(reason=None):
            return Made.ACCEPTED
        case Finish(counted=counted):
            return Made.REFUSED if counted else None
        case Postpone():
            return Made.DEFERRED
        case Doubt():
            return Made.IN_DOUBT
        case _:
            assert_never(step)
