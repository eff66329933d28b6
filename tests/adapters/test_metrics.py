"""The metrics: all there at the start, moved by exactly what happened."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, get_args

import pytest

from tests.support.factories import (
    START,
    a_change,
    a_claimed,
    a_failure,
    a_followed,
    a_postponement,
    a_request,
    a_success,
)
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.metrics import Counters, catalogue
from twilio_notifications.adapters.metrics.catalogue import DELIVERY_RESULTS, METRICS, PREFIX
from twilio_notifications.core.delivery import NO_RECEIPT, RANKS, CallResult
from twilio_notifications.core.errors import Reason, WaitReason
from twilio_notifications.core.escalation import Door
from twilio_notifications.core.model import Channel
from twilio_notifications.core.policy import Period, Quota, Unit
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports import Inbound, Level, NewRejection, Recording, events
from twilio_notifications.ports.figures import Backlog, Figures, QuotaUse
from twilio_notifications.ports.line_steps import LineStep

if TYPE_CHECKING:
    from twilio_notifications.core.steps import Claimed


LAST_RANK = 4


def series(page: bytes) -> dict[str, float]:
    """Each line of the page but its comments."""
    lines = [line for line in page.decode().splitlines() if not line.startswith("#")]
    return {
        name.removeprefix(PREFIX): float(value) for name, _, value in (line.rpartition(" ") for line in lines)
    }


def moved(counters: Counters, before: dict[str, float]) -> dict[str, float]:
    """What is another number now; of histograms the count alone."""
    return {
        name: value - before[name]
        for name, value in series(counters.page()).items()
        if value != before[name] and not any(part in name for part in ("_bucket", "_sum", "timestamp"))
    }


def inbound(*, passed_over: int = 0) -> Inbound:
    return Inbound(topic="twilio/txt", payload=b"", acknowledge=lambda: None, passed_over=passed_over)


def rejection(reason: Reason = Reason.INVALID_PARAMETER) -> NewRejection:
    return NewRejection(
        channel=Channel.SMS, request_id="x", accepted_at=START, reason=reason, message="no", status=b"{}"
    )


def request() -> Claimed:
    return a_claimed()


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("channel", Channel)
def test_every_reason_stands_at_zero_from_the_start(channel: Channel, reason: Reason) -> None:
    """An alert on a series that is not there never fires."""
    page = series(Counters(now=lambda: START).page())
    assert 0 == page[f'statuses_total{{channel="{channel}",reason="{reason}"}}']


@pytest.mark.parametrize("reason", catalogue.PUT_OFF)
def test_every_reason_to_put_off_stands_at_zero_from_the_start(reason: WaitReason) -> None:
    assert 0 == series(Counters(now=lambda: START).page())[f'deferrals_total{{reason="{reason}"}}']


@pytest.mark.parametrize("reason", catalogue.LASTING)
def test_a_pause_and_its_end_are_gauges_by_reason(reason: WaitReason) -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    assert 0 == before[f'pauses{{reason="{reason}"}}']
    counters.tell(events.PausesChanged(reason=reason, count=2, until=START + 600))
    assert {f'pauses{{reason="{reason}"}}': 2} == moved(counters, before)
    ends = f'pause_ends_timestamp_seconds{{reason="{reason}"}}'
    assert START + 600 == series(counters.page())[ends]
    counters.tell(events.PausesChanged(reason=reason, count=0, until=None))
    assert {} == moved(counters, before)
    assert 0 == series(counters.page())[ends]


def test_what_is_exported_is_the_catalogue() -> None:
    page = Counters(now=lambda: START).page().decode()
    exported = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    assert {metric.full_name for metric in METRICS} == exported


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            a_success(1),
            {
                'attempts_total{channel="SMS",outcome="ACCEPTED",reason="none"}': 1,
                'statuses_total{channel="SMS",reason="none"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_failure(1, reason=Reason.UNAUTHORIZED, outcome=AttemptOutcome.REFUSED),
            {
                'attempts_total{channel="SMS",outcome="REFUSED",reason="Unauthorized"}': 1,
                'statuses_total{channel="SMS",reason="Unauthorized"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_failure(1, reason=Reason.EXPIRED, outcome=AttemptOutcome.UNSENT),
            {
                'attempts_total{channel="SMS",outcome="UNSENT",reason="Expired"}': 1,
                'statuses_total{channel="SMS",reason="Expired"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_failure(1, reason=Reason.EXPIRED),
            {
                'statuses_total{channel="SMS",reason="Expired"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_postponement(1, due_at=START, outcome=AttemptOutcome.DEFERRED),
            {
                'attempts_total{channel="SMS",outcome="DEFERRED",reason="account_slowed"}': 1,
                'deferrals_total{reason="account_slowed"}': 1,
            },
        ),
        (
            Doubt(id=1, at=START, settle_at=START, message=""),
            {'attempts_total{channel="SMS",outcome="IN_DOUBT",reason="none"}': 1},
        ),
    ],
)
def test_an_attempt_moves_what_it_came_to_and_nothing_else(
    step: Finish | Postpone | Doubt, expected: dict[str, float]
) -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    match step:
        case Finish():
            counters.tell(events.RequestFinished(request=request(), step=step, attempted=True))
        case Postpone():
            counters.tell(events.RequestPostponed(request=request(), step=step, attempted=True))
        case Doubt():
            counters.tell(events.AttemptInDoubt(request=request(), step=step))
    assert expected == moved(counters, before)


def test_arrivals_are_counted_by_what_became_of_them() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    for recording in (Recording.NEW, Recording.REPEATED, Recording.DUPLICATE, Recording.FULL):
        arrived = events.RequestRecorded(inbound=inbound(), arrival=a_request(), recording=recording)
        counters.tell(arrived)
    large = inbound(passed_over=300_000)
    counters.tell(events.RequestRecorded(inbound=large, arrival=rejection(), recording=Recording.NEW))
    expected = {
        'requests_total{channel="SMS",result="accepted"}': 1,
        'requests_total{channel="SMS",result="repeated"}': 1,
        'requests_total{channel="SMS",result="duplicate"}': 1,
        'requests_total{channel="SMS",result="rejected"}': 2,
        'statuses_total{channel="SMS",reason="QueueFull"}': 1,
        'statuses_total{channel="SMS",reason="InvalidParameter"}': 1,
        "requests_too_large_total": 1,
    }
    assert expected == moved(counters, before)


def test_a_request_that_is_turned_away_moves_no_attempts() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    step = a_postponement(1, due_at=START)
    counters.tell(events.RequestPostponed(request=request(), step=step, attempted=False))
    assert {'deferrals_total{reason="account_slowed"}': 1} == moved(counters, before)


def test_a_settled_doubt_moves_settlements_and_statuses() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    settled = events.DoubtSettled(
        level=Level.ERROR,
        request=request(),
        step=a_failure(1, reason=Reason.OUTCOME_UNKNOWN, outcome=AttemptOutcome.IN_DOUBT),
        outcome="unknown",
        seconds=1.0,
    )
    counters.tell(settled)
    expected = {
        'settlements_total{channel="SMS",result="unknown"}': 1,
        'statuses_total{channel="SMS",reason="OutcomeUnknown"}': 1,
        'status_seconds_count{channel="SMS"}': 1,
    }
    assert expected == moved(counters, before)


def test_a_delivery_is_counted_once_when_it_is_over() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    followed = a_followed()
    for earlier, word in (("queued", "sent"), ("sent", "undelivered"), ("undelivered", "undelivered")):
        known = replace(followed, delivery=replace(followed.delivery, state=earlier))
        counters.tell(events.DeliveryChanged(followed=known, change=a_change(known, word)))
    assert {'deliveries_total{channel="SMS",result="undelivered"}': 1} == moved(counters, before)


def test_every_end_of_a_delivery_has_its_series() -> None:
    """A series that is missing would be an error where it is counted."""
    last = {word for ranks in RANKS.values() for word, rank in ranks.items() if rank >= LAST_RANK}
    assert (last - {"completed"}) | set(CallResult) | {NO_RECEIPT} == set(DELIVERY_RESULTS)


def test_looks_and_callbacks_are_counted_by_what_became_of_them() -> None:
    assert get_args(events.LookKind) == catalogue.LOOKS.labels["kind"]
    assert get_args(events.CallbackResult) == catalogue.CALLBACKS.labels["result"]
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    counters.tell(events.DeliveryLookedUp(kind="page", answered=False))
    counters.tell(events.CallbackAnswered(result="forbidden"))
    expected = {
        'delivery_looks_total{answered="no",kind="page"}': 1,
        'callbacks_total{result="forbidden"}': 1,
    }
    assert expected == moved(counters, before)


def test_events_tell_how_things_stand() -> None:
    counters = Counters(now=lambda: START)
    told = (
        events.BrokerConnected(level=Level.INFO, broker="", protocol=""),
        events.TwilioUnreachable(error=""),
        events.JournalUnavailable(journal="", error=""),
        events.RetainedDropped(topic=""),
        events.Defect(name="intake_failed", error=ValueError()),
    )
    for event in told:
        counters.tell(event)
    page = series(counters.page())
    assert (1, 0, 0) == (page["broker_connected"], page["twilio_reachable"], page["journal_writable"])
    assert (1, 1) == (page['dropped_total{cause="retained"}'], page["defects_total"])
    changes: list[tuple[events.Event, int]] = [
        (events.BrokerLost(level=Level.INFO, broker="", error=""), 0),
        (events.NucleusConnected(pubsub=""), 1),
        (events.NucleusLost(error=""), 0),
    ]
    for change, connected in changes:
        counters.tell(change)
        assert connected == series(counters.page())["broker_connected"]


@pytest.mark.parametrize("channel", Channel)
@pytest.mark.parametrize(("reason", "gauge"), [(None, "last_success"), (Reason.EXPIRED, "last_failure")])
def test_the_last_success_and_the_last_failure_are_instants(
    channel: Channel, reason: Reason | None, gauge: str
) -> None:
    counters = Counters(now=lambda: START)
    step = a_success(1, at=START + 5) if reason is None else a_failure(1, at=START + 5, reason=reason)
    finished = a_claimed(channel=channel)
    counters.tell(events.RequestFinished(request=finished, step=step, attempted=True))
    page = series(counters.page())
    for name in ("last_success", "last_failure"):
        for each in Channel:
            expected = START + 5 if (name, each) == (gauge, channel) else 0
            assert expected == page[f'{name}_timestamp_seconds{{channel="{each}"}}']


def test_the_secret_has_an_age_and_a_local_copy_is_as_old_as_its_making() -> None:
    now = [START]
    counters = Counters(now=lambda: now[0])
    read, since = "secret_read_timestamp_seconds", "secret_since_timestamp_seconds"
    told: list[tuple[events.Event, float, float]] = [
        (events.SecretRead(), START + 10, START),
        (events.SecretRenewed(), START + 10, START + 20),
        (events.SecretFromCopy(age_seconds=3600, error=""), START + 10, START + 20),
        (events.SecretRead(), START + 30 - 3600, START + 20),
        (events.SecretFromSource(), START + 30 - 3600, START + 20),
        (events.SecretRead(), START + 60, START + 20),
    ]
    for event, read_at, since_at in told:
        now[0] += 10
        counters.tell(event)
        page = series(counters.page())
        assert (read_at, since_at) == (page[read], page[since])


@pytest.mark.parametrize("door", Door)
def test_an_acknowledgement_is_counted_by_its_door_with_its_delay(door: Door) -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    ended = events.ChainEnded(level=Level.INFO, number=1, ending="acknowledged", how=door, seconds=42.0)
    counters.tell(ended)
    expected = {
        'escalations_ended_total{ending="acknowledged"}': 1,
        f'acknowledgements_total{{door="{door}"}}': 1,
        "acknowledgement_seconds_count": 1,
    }
    assert expected == moved(counters, before)
    assert 42 == series(counters.page())["acknowledgement_seconds_sum"]


def test_a_chain_that_no_person_acknowledged_has_no_delay() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    lost = events.ChainEnded(level=Level.ERROR, number=1, ending="unacknowledged", seconds=900.0)
    counters.tell(lost)
    assert {'escalations_ended_total{ending="unacknowledged"}': 1} == moved(counters, before)


@pytest.mark.parametrize("step", LineStep)
def test_each_step_of_the_line_has_a_histogram(step: LineStep) -> None:
    counters = Counters(now=lambda: START)
    counters.tell(
        events.StepTimed(step=step, number=1, traceparent=None, began_at=START, ended_at=START + 0.25)
    )
    page = series(counters.page())
    assert (1, 0.25) == (
        page[f'step_seconds_count{{step="{step}"}}'],
        page[f'step_seconds_sum{{step="{step}"}}'],
    )
    assert (0, 1) == (
        page[f'step_seconds_bucket{{le="0.1",step="{step}"}}'],
        page[f'step_seconds_bucket{{le="0.25",step="{step}"}}'],
    )


def test_what_waits_and_what_is_used_of_the_quotas_is_shown_and_goes_back_to_zero() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    quota = Quota(unit=Unit.TEXTS, period=Period.DAY, most=100)
    figures = Figures(
        at=START + 60,
        backlog=Backlog(waiting={None: 1, WaitReason.RETRY: 3}, oldest_at=START),
        quotas=(QuotaUse(quota=quota, used=7),),
    )
    counters.show(figures)
    expected = {
        'waiting_requests{reason="none"}': 1,
        'waiting_requests{reason="retry"}': 3,
        "oldest_waiting_seconds": 60,
        'quota_used{period="day",unit="texts"}': 7,
        'quota_most{period="day",unit="texts"}': 100,
    }
    assert expected == moved(counters, before)
    counters.show(Figures(at=START + 61, backlog=Backlog(), quotas=()))
    assert {} == moved(counters, before)


def test_heartbeats_are_counted_by_what_became_of_them() -> None:
    counters = Counters(now=lambda: START)
    before = series(counters.page())
    counters.tell(events.HeartbeatTaken(level=Level.DEBUG, host="hc.example"))
    counters.tell(events.HeartbeatMissed(level=Level.DEBUG, host="hc.example", error=""))
    counters.tell(events.HeartbeatWithheld(level=Level.DEBUG, host="hc.example", error=""))
    expected = {f'heartbeats_total{{result="{each}"}}': 1 for each in ("taken", "missed", "withheld")}
    assert expected == moved(counters, before)


@pytest.mark.promtool
def test_promtool_finds_nothing_to_complain_of() -> None:
    """Names, kinds and meanings are as Prometheus recommends."""
    page = Counters(now=lambda: START).page()
    checked = subprocess.run(
        ["promtool", "check", "metrics"], input=page, capture_output=True, check=False, timeout=WAIT_SECONDS
    )
    assert (b"", 0) == (checked.stdout + checked.stderr, checked.returncode)
