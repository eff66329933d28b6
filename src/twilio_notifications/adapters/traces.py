"""Traces for OpenTelemetry: one for each request, from its receipt to its status. Only with the extra `otel`.

Spans are made from events, after what they tell of has happened, and sent from a thread of the SDK. Nothing
waits for them: a collector that is away costs the traces of that time, and the connector nothing. No span
holds a phone number, a name or a text.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Self

import requests
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import (
    SERVICE_NAME,
    SERVICE_VERSION,
    OTELResourceDetector,
    Resource,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from twilio_notifications.config.urls import is_loopback
from twilio_notifications.core.spans import TracePlace, place
from twilio_notifications.core.steps import Finish
from twilio_notifications.ports import NewRejection, Recording, events
from twilio_notifications.ports.line_steps import LineStep

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from opentelemetry.sdk.trace import ReadableSpan

    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.ports import Event, Events

TIMEOUT_SECONDS: Final = 10.0
CLOSE_SECONDS: Final = 2.0
"""How long the end of the connector waits for the last spans."""

MOST_QUEUED: Final = 4096
"""Spans that wait for the collector; what comes beyond them is dropped."""

_NANOSECONDS: Final = 1_000_000_000
_ROOT: Final = "request"
_KINDS: Final[Mapping[LineStep, SpanKind]] = {
    LineStep.SEND: SpanKind.CLIENT,
    LineStep.REPORT: SpanKind.PRODUCER,
}
_PREFIX: Final = "twilio_notifications."


class Tracing:
    """Hears the events, and makes spans of them while it is open."""

    def __init__(
        self, url: str, *, version: str, events: Events, exporter: SpanExporter | None = None
    ) -> None:
        """`url` takes OTLP over HTTP. `exporter` takes its place, for tests."""
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL + 1)  # `events` hears of it, once
        self._loop = asyncio.get_running_loop()
        if exporter is None:
            session = requests.Session()
            session.trust_env = not is_loopback(url)  # the environment's proxy does not reach this machine
            exporter = OTLPSpanExporter(endpoint=url, timeout=TIMEOUT_SECONDS, session=session)
        self._exporter = _ToldExporter(exporter, on_change=self._change)
        self._events = events
        self._ids = _ChosenIds()
        attributes = {SERVICE_VERSION: version}
        if SERVICE_NAME not in OTELResourceDetector().detect().attributes:  # otherwise $OTEL_SERVICE_NAME
            attributes[SERVICE_NAME] = "twilio-notifications"
        resource = Resource.create(attributes)
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter, max_queue_size=MOST_QUEUED))
        self._tracer = self._provider.get_tracer("twilio_notifications", version)
        self._secret: bytes | None = None

    def begin(self, secret: bytes) -> None:
        """From now on there are requests; `secret` is the journal's, of which identifiers are made."""
        self._secret = secret

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await asyncio.to_thread(self._provider.force_flush, round(CLOSE_SECONDS * 1000))

    def tell(self, event: Event) -> None:
        """Makes the span that ends with the event, if one does."""
        match event:
            case events.StepTimed():
                self._step(event)
            case events.RequestFinished(request=request, step=step):
                self._end(request, step)
            case events.DoubtSettled(request=request, step=Finish() as step):
                self._end(request, step)
            case events.RequestRecorded(
                arrival=NewRejection() as rejection, recording=Recording.NEW, number=int(number)
            ):
                envelope = rejection.envelope
                self._request(
                    self._place(number, None if envelope is None else envelope.traceparent),
                    began_at=rejection.accepted_at,
                    ended_at=rejection.accepted_at,
                    reason=rejection.reason,
                    attributes={"number": number, "channel": rejection.channel},
                )
            case _:
                pass  # no span ends with it

    def _end(self, request: Claimed, step: Finish) -> None:
        attributes: dict[str, str | int] = {
            "number": request.id,
            "channel": request.notification.channel,
            "attempts": request.attempts + (step.outcome is not None and step.counted),
        }
        if request.chain is not None:
            attributes["chain"] = request.chain
        self._request(
            self._place(request.id, request.traceparent),
            began_at=request.accepted_at,
            ended_at=step.at,
            reason=step.reason,
            attributes=attributes,
        )

    def _place(self, number: int, traceparent: str | None) -> TracePlace:
        assert self._secret is not None, "events of requests come after the journal was opened"
        return place(number, traceparent, secret=self._secret)

    def _request(
        self,
        where: TracePlace,
        *,
        began_at: float,
        ended_at: float,
        reason: str | None,
        attributes: Mapping[str, str | int],
    ) -> None:
        """The span of the whole request; a part of the caller's, where it has named it."""
        parent = Context()
        if where.caller is not None:
            parent = _context(where.trace_id, where.caller, sampled=bool(where.is_sampled), remote=True)
        self._ids.choose(where.trace_id, where.span_id)
        span = self._tracer.start_span(
            _ROOT,
            context=parent,
            kind=SpanKind.CONSUMER,
            attributes={_PREFIX + name: value for name, value in attributes.items()},
            start_time=_instant(began_at),
        )
        if reason is not None:
            span.set_attribute(f"{_PREFIX}reason", reason)
            span.set_status(Status(StatusCode.ERROR, reason))
        span.end(_instant(max(began_at, ended_at)))

    def _step(self, event: events.StepTimed) -> None:
        """The span of a step, within that of its request; it may begin before it, or end after it."""
        where = self._place(event.number, event.traceparent)
        sampled = where.is_sampled
        if sampled is None:
            result = self._provider.sampler.should_sample(None, where.trace_id, _ROOT)
            sampled = result.decision is Decision.RECORD_AND_SAMPLE
        span = self._tracer.start_span(
            event.step,
            context=_context(where.trace_id, where.span_id, sampled=sampled, remote=False),
            kind=_KINDS.get(event.step, SpanKind.INTERNAL),
            start_time=_instant(event.began_at),
        )
        span.end(_instant(max(event.began_at, event.ended_at)))

    def _change(self, trouble: str | None) -> None:
        """From the thread of the exporter: spans are lost from now on, or are taken again."""
        event: Event = events.TracesTaken() if trouble is None else events.TracesLost(error=trouble)
        with suppress(RuntimeError):  # the loop is closed: the connector has ended
            self._loop.call_soon_threadsafe(self._events.tell, event)


class _ChosenIds(RandomIdGenerator):
    """Draws identifiers, unless the next ones were chosen."""

    def __init__(self) -> None:
        self._trace_id: int | None = None
        self._span_id: int | None = None

    def choose(self, trace_id: int, span_id: int) -> None:
        """The next span gets these."""
        self._trace_id, self._span_id = trace_id, span_id

    def generate_trace_id(self) -> int:
        chosen, self._trace_id = self._trace_id, None
        return super().generate_trace_id() if chosen is None else chosen

    def generate_span_id(self) -> int:
        chosen, self._span_id = self._span_id, None
        return super().generate_span_id() if chosen is None else chosen


class _ToldExporter(SpanExporter):
    """Tells when spans begin to be lost, and when they are taken again."""

    def __init__(self, exporter: SpanExporter, *, on_change: Callable[[str | None], None]) -> None:
        self._exporter = exporter
        self._on_change = on_change
        self._fails: bool | None = None

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """What the exporter says; in a thread."""
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 - whatever the library meets, the connector goes on
            result = SpanExportResult.FAILURE
        fails = result is not SpanExportResult.SUCCESS
        if fails is not self._fails and (fails or self._fails is not None):
            self._on_change("the collector at [traces] url does not take them" if fails else None)
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return self._exporter.force_flush(timeout_millis)


def _context(trace_id: int, span_id: int, *, sampled: bool, remote: bool) -> Context:
    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    parent = SpanContext(trace_id, span_id, is_remote=remote, trace_flags=flags)
    return set_span_in_context(NonRecordingSpan(parent), Context())


def _instant(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
