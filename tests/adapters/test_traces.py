"""One trace for each request: its parts fit together, also over a restart, without any of its content."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from tests.support.factories import START, a_claimed, a_failure, a_rejection, a_success
from tests.support.fakes import RecordingEvents
from tests.support.patience import WAIT_SECONDS
from twilio_notifications.adapters.traces import Tracing
from twilio_notifications.core.errors import Reason
from twilio_notifications.core.spans import place
from twilio_notifications.ports import Inbound, Level, Recording, events
from twilio_notifications.ports.line_steps import LineStep

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED, UNSAMPLED = f"00-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-00"
SECRET = b"the journal's secret"
SECOND = 1_000_000_000


@asynccontextmanager
async def tracing(exporter: SpanExporter, told: RecordingEvents | None = None) -> AsyncIterator[Tracing]:
    found = Tracing("", version="0", events=told or RecordingEvents(), exporter=exporter)
    found.begin(SECRET)
    async with found:
        yield found


def finished(number: int = 7, *, traceparent: str | None = None, fails: bool = False) -> events.Event:
    request = replace(a_claimed(number), traceparent=traceparent)
    at = START + 2
    step = a_failure(number, at=at, reason=Reason.EXPIRED) if fails else a_success(number, at=at)
    return events.RequestFinished(request=request, step=step, attempted=not fails)


def timed(step: LineStep, number: int = 7, *, traceparent: str | None = None) -> events.StepTimed:
    return events.StepTimed(
        step=step, number=number, traceparent=traceparent, began_at=START, ended_at=START + 1
    )


async def spans(*told: events.Event) -> list[ReadableSpan]:
    exporter = InMemorySpanExporter()
    async with tracing(exporter) as found:
        for event in told:
            found.tell(event)
    return list(exporter.get_finished_spans())


def context(span: ReadableSpan) -> tuple[str, str]:
    assert span.context is not None
    return f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}"


async def test_the_steps_of_a_request_are_parts_of_its_span() -> None:
    *steps, root = await spans(*map(timed, LineStep), finished())
    trace_id, root_id = context(root)
    assert ("request", None) == (root.name, root.parent)
    assert (START * SECOND, (START + 2) * SECOND) == (root.start_time, root.end_time)
    assert list(LineStep) == [span.name for span in steps]
    for span in steps:
        assert span.parent is not None
        assert (trace_id, root_id) == (context(span)[0], f"{span.parent.span_id:016x}")
        assert (START * SECOND, (START + 1) * SECOND) == (span.start_time, span.end_time)
    assert len(steps) + 1 == len({context(span)[1] for span in (*steps, root)})


async def test_a_request_of_a_traced_client_is_a_part_of_the_clients_trace() -> None:
    step, root = await spans(timed(LineStep.SEND, traceparent=SAMPLED), finished(traceparent=SAMPLED))
    assert root.parent is not None
    assert (TRACE, PARENT) == (f"{root.parent.trace_id:032x}", f"{root.parent.span_id:016x}")
    assert root.parent.is_remote
    assert TRACE == context(root)[0] == context(step)[0]


async def test_a_client_that_does_not_record_its_trace_is_not_recorded() -> None:
    assert [] == await spans(timed(LineStep.SEND, traceparent=UNSAMPLED), finished(traceparent=UNSAMPLED))


async def test_after_a_restart_the_same_request_is_the_same_span() -> None:
    (step,) = await spans(timed(LineStep.RECORD))
    (root,) = await spans(finished())
    assert step.parent is not None
    assert context(root) == (context(step)[0], f"{step.parent.span_id:016x}")
    assert int(context(root)[1], 16) == place(7, None, secret=SECRET).span_id


async def test_a_request_that_fails_is_an_error_with_its_reason() -> None:
    (root,) = await spans(finished(fails=True))
    assert (StatusCode.ERROR, "Expired") == (root.status.status_code, root.status.description)
    assert root.attributes is not None
    assert "Expired" == root.attributes["twilio_notifications.reason"]


async def test_a_rejection_has_a_span_too() -> None:
    inbound = Inbound(topic="twilio/txt", payload=b"", acknowledge=lambda: None)
    rejected = events.RequestRecorded(
        inbound=inbound, arrival=a_rejection(), recording=Recording.NEW, number=3
    )
    (root,) = await spans(rejected)
    assert ("request", StatusCode.ERROR) == (root.name, root.status.status_code)


async def test_a_doubt_that_is_settled_with_an_outcome_ends_the_span() -> None:
    request, step = a_claimed(7), a_success(7, at=START + 31)
    settled = events.DoubtSettled(level=Level.INFO, request=request, step=step, outcome="found", seconds=30.0)
    (root,) = await spans(settled)
    assert (START + 31) * SECOND == root.end_time


async def test_a_span_holds_the_number_of_the_journal_and_nothing_of_the_content() -> None:
    *_, root = await spans(*map(timed, LineStep), finished())
    assert {"number": 7, "channel": "SMS", "attempts": 1} == {
        name.removeprefix("twilio_notifications."): value for name, value in (root.attributes or {}).items()
    }


class FailingExporter(SpanExporter):
    """Takes no spans while it fails; `raises` is how."""

    def __init__(self, *, raises: bool) -> None:
        self.fails = True
        self.raises = raises

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        if self.fails and self.raises:
            raise OSError(f"{len(spans)} spans, and no network")
        return SpanExportResult.FAILURE if self.fails else SpanExportResult.SUCCESS


@pytest.mark.parametrize("raises", [True, False])
async def test_a_collector_that_is_away_has_one_warning_and_one_line_when_it_is_back(*, raises: bool) -> None:
    told, exporter = RecordingEvents(), FailingExporter(raises=raises)
    async with tracing(exporter, told) as found:
        for fails, name in ((True, "traces_lost"), (True, ""), (False, "traces_taken"), (False, "")):
            exporter.fails = fails
            found.tell(finished())
            await asyncio.to_thread(found._provider.force_flush)
            async with asyncio.timeout(WAIT_SECONDS):
                while name and not told.named(name):  # noqa: ASYNC110 - the event comes from a thread
                    await asyncio.sleep(0)
    assert ["traces_lost", "traces_taken"] == [each.name for each in told.lines]
