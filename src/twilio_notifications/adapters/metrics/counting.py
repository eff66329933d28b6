"""Counts the events of the connector.

All children are made at the start and found by a tuple: an increment costs half a microsecond and cannot make
a new series.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar, assert_never

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)

from twilio_notifications.adapters.metrics import catalogue
from twilio_notifications.adapters.metrics.catalogue import NO_REASON, Cause, HeartbeatResult, Result, Settled
from twilio_notifications.core.delivery import result_word
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.policy import Period, Unit
from twilio_notifications.core.steps import Doubt, Finish, Postpone
from twilio_notifications.ports import NewRejection, NewRequest, Recording, events
from twilio_notifications.ports.conditions import AT_THE_START, CONDITIONS, Condition

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twilio_notifications.adapters.metrics.catalogue import Metric
    from twilio_notifications.core.lifecycle import State
    from twilio_notifications.core.model import Channel
    from twilio_notifications.core.steps import Claimed, Step
    from twilio_notifications.ports import Event
    from twilio_notifications.ports.figures import Figures

_GAUGES: Mapping[Condition, Metric] = {
    Condition.BROKER: catalogue.BROKER,
    Condition.JOURNAL: catalogue.DISK,
    Condition.LOGIN: catalogue.LOGIN,
    Condition.TWILIO: catalogue.TWILIO,
}

_DROPS: Mapping[type[Event], Cause] = {
    events.RetainedDropped: Cause.RETAINED,
    events.UnknownTopicDropped: Cause.UNKNOWN_TOPIC,
    events.WishDropped: Cause.WRONG_WISH,
}

_BEATS: Mapping[type[Event], HeartbeatResult] = {
    events.HeartbeatTaken: HeartbeatResult.TAKEN,
    events.HeartbeatMissed: HeartbeatResult.MISSED,
    events.HeartbeatWithheld: HeartbeatResult.WITHHELD,
}


class Counters:
    """One connector's metrics."""

    page_type: ClassVar = "text/plain; version=0.0.4; charset=utf-8"

    def __init__(self, *, now: Callable[[], float]) -> None:
        """`now`: seconds since the epoch."""
        self._now = now
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
        self._steps = self._histograms(catalogue.STEPS)
        self._chains = self._counters(catalogue.CHAINS)
        self._acknowledgements = self._counters(catalogue.ACKNOWLEDGEMENTS)
        self._acknowledgement_seconds = self._histograms(catalogue.ACKNOWLEDGEMENT_SECONDS)[()]
        self._deliveries = self._counters(catalogue.DELIVERIES)
        self._looks = self._counters(catalogue.LOOKS)
        self._callbacks = self._counters(catalogue.CALLBACKS)
        self._heartbeats = self._counters(catalogue.HEARTBEATS)
        self._defects = self._counters(catalogue.DEFECTS)[()]
        self._gauges = {condition: self._gauges_of(metric)[()] for condition, metric in _GAUGES.items()}
        for condition, holds in AT_THE_START.items():
            self._gauges[condition].set(holds)
        self._secret_read = self._gauges_of(catalogue.SECRET_READ)[()]
        self._secret_since = self._gauges_of(catalogue.SECRET_SINCE)[()]
        self._secret_since.set(now())
        self._copied_at: float | None = None
        """When the local copy was made from which the secret comes; None: it comes from its source."""
        self._last_success = self._gauges_of(catalogue.LAST_SUCCESS)
        self._last_failure = self._gauges_of(catalogue.LAST_FAILURE)
        self._pauses = self._gauges_of(catalogue.PAUSES)
        self._pause_ends = self._gauges_of(catalogue.PAUSE_ENDS)
        self._members = self._gauges_of(catalogue.MEMBERS)[()]
        self._leads = self._gauges_of(catalogue.LEADS)[()]
        for of_one_that_is_alone in (self._members, self._leads):
            of_one_that_is_alone.set(1)
        self._waiting = self._gauges_of(catalogue.WAITING)
        self._oldest = self._gauges_of(catalogue.OLDEST)[()]
        self._quota_used = self._gauges_of(catalogue.QUOTA_USED)
        self._quota_most = self._gauges_of(catalogue.QUOTA_MOST)
        self._journal = self._gauges_of(catalogue.JOURNAL)
        self.watch(lambda: dict.fromkeys(catalogue.COUNTED_STATES, 0))

    def watch(self, by_state: Callable[[], Mapping[State, int]]) -> None:
        """Asks this journal at each scrape, which must cost next to nothing."""
        for state in catalogue.COUNTED_STATES:
            self._journal[(state,)].set_function(partial(_counted, by_state, state))

    def show(self, figures: Figures) -> None:
        """Shows what waits and what is used of the quotas from now on."""
        waiting = figures.backlog.waiting
        for (reason,), gauge in self._waiting.items():
            gauge.set(waiting.get(None if reason == NO_REASON else WaitReason(reason), 0))
        oldest_at = figures.backlog.oldest_at
        self._oldest.set(0 if oldest_at is None else max(0.0, figures.at - oldest_at))
        uses = {(use.quota.unit, use.quota.period): use for use in figures.quotas}
        for labels, most in self._quota_most.items():
            use = uses.get((Unit(labels[0]), Period(labels[1])))
            most.set(0 if use is None else use.quota.most)
            self._quota_used[labels].set(0 if use is None else use.used)

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
            case events.StepTimed(step=line_step):
                self._steps[(line_step,)].observe(event.seconds)
            case events.ChainEnded():
                self._chain_ended(event)
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
            case _ if kind in _DROPS:
                self._dropped[(_DROPS[kind],)].inc()
            case _ if kind in _BEATS:
                self._heartbeats[(_BEATS[kind],)].inc()
            case _:
                self._stand(event)

    def _stand(self, event: Event) -> None:
        """An event that says how something is from now on."""
        kind = type(event)
        match event:
            case events.MembersChanged(members=members):
                self._members.set(members)
            case events.LeadershipTaken() | events.LeadershipLost() | events.ConnectorStandsBy():
                self._leads.set(isinstance(event, events.LeadershipTaken))
            case events.PausesChanged(reason=reason, count=count, until=until):
                self._pauses[(reason,)].set(count)
                self._pause_ends[(reason,)].set(until or 0)
            case events.SecretFromCopy(age_seconds=age):
                self._copied_at = self._now() - age
            case events.SecretFromSource():
                self._copied_at = None
            case events.SecretRead():
                self._secret_read.set(self._copied_at or self._now())
            case events.SecretRenewed():
                self._secret_since.set(self._now())
            case _ if kind in CONDITIONS:
                condition, holds = CONDITIONS[kind]
                self._gauges[condition].set(holds)
            case _:
                pass  # nothing of it is counted

    def _attempted(self, request: Claimed, step: Step) -> None:
        if step.outcome is not None:
            reason = NO_REASON if isinstance(step, Doubt) or step.reason is None else step.reason
            self._attempts[request.notification.channel, step.outcome, reason].inc()

    def _chain_ended(self, event: events.ChainEnded) -> None:
        self._chains[(event.ending,)].inc()
        if event.how is not None:
            self._acknowledgements[(event.how,)].inc()
            self._acknowledgement_seconds.observe(event.seconds)

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
        (self._last_success if step.reason is None else self._last_failure)[(channel,)].set(step.at)
        self._seconds[(channel,)].observe(max(0.0, step.at - request.accepted_at))

    # Making them, each with every value of its labels.

    def _counters(self, metric: Metric) -> dict[tuple[str, ...], Counter]:
        counter = Counter(metric.full_name, metric.meaning, tuple(metric.labels), registry=self._registry)
        return {values: counter.labels(*values) if values else counter for values in metric.combinations}

    def _histograms(self, metric: Metric) -> dict[tuple[str, ...], Histogram]:
        histogram = Histogram(
            metric.full_name,
            metric.meaning,
            tuple(metric.labels),
            registry=self._registry,
            buckets=metric.buckets,
        )
        return {values: histogram.labels(*values) if values else histogram for values in metric.combinations}

    def _gauges_of(self, metric: Metric) -> dict[tuple[str, ...], Gauge]:
        gauge = Gauge(metric.full_name, metric.meaning, tuple(metric.labels), registry=self._registry)
        return {values: gauge.labels(*values) if values else gauge for values in metric.combinations}


def _counted(by_state: Callable[[], Mapping[State, int]], state: State) -> float:
    return float(by_state()[state])
