"""The metrics: all there at the start, moved by exactly what happened, served on one path alone."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
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
from tests.support.fakes import RecordingEvents
from twilio_notifications.adapters.metrics import Counters, MetricsEndpoint, catalogue, listening
from twilio_notifications.adapters.metrics.catalogue import DELIVERY_RESULTS, METRICS, PREFIX
from twilio_notifications.core.delivery import NO_RECEIPT, RANKS, CallResult
from twilio_notifications.core.errors import ListeningFailed, Reason, WaitReason
from twilio_notifications.core.model import Channel
from twilio_notifications.core.steps import AttemptOutcome, Doubt, Finish, Postpone
from twilio_notifications.ports import Inbound, Level, NewRejection, Recording, events
from twilio_notifications.serving import MOST_CONNECTIONS

if TYPE_CHECKING:
    from twilio_notifications.core.steps import Claimed


LAST_RANK = 4


def series(page: bytes) -> dict[str, float]:
    """Every line of the page but its comments."""
    lines = [line for line in page.decode().splitlines() if not line.startswith("#")]
    return {
        name.removeprefix(PREFIX): float(value) for name, _, value in (line.rpartition(" ") for line in lines)
    }


def moved(counters: Counters, before: dict[str, float]) -> dict[str, float]:
    """What is another number now; of histograms the count alone."""
    return {
        name: value - before[name]
        for name, value in series(counters.page()).items()
        if value != before[name] and "_bucket" not in name and "_sum" not in name
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
    page = series(Counters().page())
    assert 0 == page[f'statuses_total{{channel="{channel}",reason="{reason}"}}']


@pytest.mark.parametrize("reason", catalogue.PUT_OFF)
def test_every_reason_to_put_off_stands_at_zero_from_the_start(reason: WaitReason) -> None:
    assert 0 == series(Counters().page())[f'deferrals_total{{reason="{reason}"}}']


@pytest.mark.parametrize("reason", catalogue.LASTING)
def test_a_pause_and_its_end_are_gauges_by_reason(reason: WaitReason) -> None:
    counters = Counters()
    before = series(counters.page())
    assert 0 == before[f'pauses{{reason="{reason}"}}']
    counters.tell(events.PausesChanged(reason=reason, count=2, until=START + 600))
    expected = {
        f'pauses{{reason="{reason}"}}': 2,
        f'pause_ends_timestamp_seconds{{reason="{reason}"}}': START + 600,
    }
    assert expected == moved(counters, before)
    counters.tell(events.PausesChanged(reason=reason, count=0, until=None))
    assert {} == moved(counters, before)


def test_what_is_exported_is_the_catalogue() -> None:
    page = Counters().page().decode()
    exported = {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
    assert {metric.full_name for metric in METRICS} == exported


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (
            a_success(1),
            {
                'attempts_total{channel="SMS",outcome="ACCEPTED"}': 1,
                'statuses_total{channel="SMS",reason="none"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_failure(1, reason=Reason.UNAUTHORIZED, outcome=AttemptOutcome.REFUSED),
            {
                'attempts_total{channel="SMS",outcome="REFUSED"}': 1,
                'statuses_total{channel="SMS",reason="Unauthorized"}': 1,
                'status_seconds_count{channel="SMS"}': 1,
            },
        ),
        (
            a_failure(1, reason=Reason.EXPIRED, outcome=AttemptOutcome.UNSENT),
            {
                'attempts_total{channel="SMS",outcome="UNSENT"}': 1,
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
                'attempts_total{channel="SMS",outcome="DEFERRED"}': 1,
                'deferrals_total{reason="account_slowed"}': 1,
            },
        ),
        (
            Doubt(id=1, at=START, settle_at=START, message=""),
            {'attempts_total{channel="SMS",outcome="IN_DOUBT"}': 1},
        ),
    ],
)
def test_an_attempt_moves_what_it_came_to_and_nothing_else(
    step: Finish | Postpone | Doubt, expected: dict[str, float]
) -> None:
    counters = Counters()
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
    counters = Counters()
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
    counters = Counters()
    before = series(counters.page())
    step = a_postponement(1, due_at=START)
    counters.tell(events.RequestPostponed(request=request(), step=step, attempted=False))
    assert {'deferrals_total{reason="account_slowed"}': 1} == moved(counters, before)


def test_a_settled_doubt_moves_settlements_and_statuses() -> None:
    counters = Counters()
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
    counters = Counters()
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
    counters = Counters()
    before = series(counters.page())
    counters.tell(events.DeliveryLookedUp(kind="page", answered=False))
    counters.tell(events.CallbackAnswered(result="forbidden"))
    expected = {
        'delivery_looks_total{answered="no",kind="page"}': 1,
        'callbacks_total{result="forbidden"}': 1,
    }
    assert expected == moved(counters, before)


def test_events_tell_how_things_stand() -> None:
    counters = Counters()
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


async def ask(address: str, request: bytes) -> bytes:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /metrics HTTP/1.1", b"200 OK"),
        (b"GET /metrics?x=1 HTTP/1.1", b"200 OK"),
        (b"HEAD /metrics HTTP/1.1", b"200 OK"),
        (b"GET / HTTP/1.1", b"404 Not Found"),
        (b"GET /metrics/x HTTP/1.1", b"404 Not Found"),
        (b"POST /metrics HTTP/1.1", b"405 Method Not Allowed"),
        (b"HEAD / HTTP/1.1", b"404 Not Found"),
        (b"nonsense", b"404 Not Found"),
    ],
)
async def test_only_the_metrics_are_served(line: bytes, status: bytes) -> None:
    recorded = RecordingEvents()
    async with MetricsEndpoint("127.0.0.1", 0, page=lambda: b"the page", events=recorded):
        address = str(recorded.named("metrics_listening")[0].fields["address"])
        answer = await ask(address, line + b"\r\nHost: x\r\n\r\n")
        too_long = await ask(address, b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert (b"the page" in answer) == (line.startswith(b"GET") and status == b"200 OK")
    assert (b"\r\n\r\n" == answer[-4:]) == (line.startswith(b"HEAD") or b"405" in status)
    assert b"" == too_long


async def test_idle_clients_do_not_stay_and_make_room_before_that() -> None:
    """However many they are: the oldest one is hung up on, the newest one is served."""
    async with MetricsEndpoint(
        "127.0.0.1", 0, page=lambda: b"the page", events=RecordingEvents(), patience_seconds=0.5
    ) as endpoint:
        many = 2 * MOST_CONNECTIONS + 1
        idle = [await asyncio.open_connection("127.0.0.1", endpoint.port) for _ in range(many)]
        asked = b"GET /metrics HTTP/1.1\r\n\r\n"
        assert (await ask(f"127.0.0.1:{endpoint.port}", asked)).endswith(b"the page")
        there = [each for each in endpoint._server._open.values() if not each.transport.is_closing()]
        assert len(there) <= MOST_CONNECTIONS
        for reader, _ in idle:
            with suppress(ConnectionResetError):
                assert b"" == await reader.read()
        assert (await ask(f"127.0.0.1:{endpoint.port}", asked)).endswith(b"the page")
        for _, writer in idle:
            writer.close()


async def test_listeners_that_are_open_already_are_served_on_and_closed() -> None:
    """A confined process cannot make any; these were made before."""
    listeners = listening("localhost", 0)
    port = listeners[0].getsockname()[1]
    assert [port] * len(listeners) == [listener.getsockname()[1] for listener in listeners]
    endpoint = MetricsEndpoint(
        "localhost", port, page=lambda: b"the page", events=RecordingEvents(), listeners=listeners
    )
    async with endpoint:
        for address in {listener.getsockname()[0] for listener in listeners}:
            reader, writer = await asyncio.open_connection(address, port)
            writer.write(b"GET /metrics HTTP/1.1\r\n\r\n")
            assert (await reader.read()).endswith(b"the page")
            writer.close()
    assert [-1] * len(listeners) == [listener.fileno() for listener in listeners]


async def test_a_client_that_is_served_at_the_end_is_hung_up_on(caplog: pytest.LogCaptureFixture) -> None:
    async with MetricsEndpoint("127.0.0.1", 0, page=lambda: b"", events=RecordingEvents()) as endpoint:
        reader, writer = await asyncio.open_connection("127.0.0.1", endpoint.port)
        writer.write(b"GET ")
        await writer.drain()
        while not endpoint._server._open:  # noqa: ASYNC110 - nothing announces that a client was taken in
            await asyncio.sleep(0)
    with suppress(ConnectionResetError):
        assert b"" == await reader.read()
    writer.close()
    assert [] == caplog.records


async def test_a_busy_port_is_an_error_that_names_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        endpoint = MetricsEndpoint("127.0.0.1", port, page=lambda: b"", events=RecordingEvents())
        with pytest.raises(ListeningFailed, match=rf"\[metrics\] listen.*127\.0\.0\.1:{port}"):
            await endpoint.__aenter__()
