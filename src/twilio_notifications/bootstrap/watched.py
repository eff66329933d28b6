"""What watches the connector from outside: metrics, health, traces and heartbeat, each where it is wanted.

What needs an extra is imported only where the operator wants it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import TYPE_CHECKING

from twilio_notifications import journals, serving
from twilio_notifications.adapters.beacon import HttpBeacon
from twilio_notifications.adapters.pages import PagesEndpoint, health_pages
from twilio_notifications.bootstrap.watching import Watching
from twilio_notifications.pipeline.care.health import SERVER_SECONDS, Health
from twilio_notifications.pipeline.care.heartbeat import Heartbeat
from twilio_notifications.pipeline.care.survey import Survey
from twilio_notifications.pipeline.care.timing import StepTimer
from twilio_notifications.pipeline.events import EventStream
from twilio_notifications.ports.events import HealthListening, MetricsListening
from twilio_notifications.serving import HttpResponse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AsyncExitStack

    from twilio_notifications.adapters.journal.journal import SqlJournal
    from twilio_notifications.adapters.metrics import Counters
    from twilio_notifications.adapters.traces import Tracing
    from twilio_notifications.bootstrap.watching import WatchListeners
    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Clock, Events


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched(Watching):
    """Those that hear the events to watch the connector, and what shows their findings."""

    settings: Settings
    clock: Clock
    listeners: WatchListeners
    """Opened before, or none: then they are opened here."""
    counters: Counters | None
    """None without metrics."""
    tracing: Tracing | None
    """None without traces."""
    health: Health = field(default_factory=Health)

    @classmethod
    def of(cls, settings: Settings, clock: Clock, listeners: WatchListeners, events: Events) -> Watched:
        """What the settings want, not opened yet. `events` hear what goes wrong with traces."""
        return cls(
            settings=settings,
            clock=clock,
            listeners=listeners,
            counters=_counters(settings, clock),
            tracing=_tracing(settings, events),
        )

    def subscribers(self) -> Sequence[Events]:
        """Those that hear the events of the connector."""
        wanted = [each for each in (self.counters, self.tracing) if each is not None]
        timer = [StepTimer(EventStream(wanted), now=self.clock.now)] if wanted else []
        return [self.health, *wanted, *timer]

    async def trace(self, stack: AsyncExitStack, secret: bytes) -> None:
        """Traces requests until the stack is closed, where traces are wanted."""
        if self.tracing is not None:
            self.tracing.begin(secret)
            await stack.enter_async_context(self.tracing)

    def watch(self, journal: SqlJournal) -> None:
        """From now on the journal is watched, which is open."""
        on_server = self.settings.journal.database is not None
        self.health.watch(journal, patience_seconds=SERVER_SECONDS if on_server else 0.0)
        if self.counters is not None:
            self.counters.watch(journal.by_state)

    async def heartbeat(self, stack: AsyncExitStack, events: Events) -> Heartbeat | None:
        """What calls the address of the configuration; None: there is no such address."""
        settings = self.settings.heartbeat
        if settings.url is None:
            return None
        beacon = HttpBeacon(settings.url)
        await stack.enter_async_context(beacon)
        return Heartbeat(
            beacon=beacon,
            health=self.health,
            clock=self.clock,
            events=events,
            every_seconds=settings.every_seconds,
        )

    async def serve_health(self, stack: AsyncExitStack, events: Events) -> None:
        """Serves the health on an address of its own, where one is wanted, until the stack is closed."""
        address = self.settings.health.listen
        if address is not None:
            pages = PagesEndpoint(
                self.listeners.health or serving.listening(*address, setting="[health] listen"),
                pages=health_pages(self.health),
                events=events,
                listening=lambda port: HealthListening(address=f"{address[0]}:{port}"),
            )
            await stack.enter_async_context(pages)

    async def serve_metrics(
        self,
        stack: AsyncExitStack,
        *,
        journal: SqlJournal,
        connector: Connector,
        events: Events,
    ) -> None:
        """Serves the metrics and the health on one address, where it is wanted, until the stack is closed."""
        address, counters = self.settings.metrics.listen, self.counters
        if address is None or counters is None:
            return
        survey = Survey(
            backlog=journals.backlog(self.settings.journal),
            usage=journal,
            limits=lambda: connector.dispatcher.admission.limits,
            clock=self.clock,
        )
        pages = PagesEndpoint(
            self.listeners.metrics or serving.listening(*address, setting="[metrics] listen"),
            pages={"/metrics": partial(_metrics_page, counters, survey), **health_pages(self.health)},
            events=events,
            listening=lambda port: MetricsListening(address=f"{address[0]}:{port}"),
        )
        await stack.enter_async_context(pages)


def _counters(settings: Settings, clock: Clock) -> Counters | None:
    if settings.metrics.listen is None:
        return None
    from twilio_notifications.adapters import metrics  # noqa: PLC0415 - needs the extra

    return metrics.Counters(now=clock.now)


def _tracing(settings: Settings, events: Events) -> Tracing | None:
    if settings.traces.url is None:
        return None
    from twilio_notifications.adapters import traces  # noqa: PLC0415 - needs the extra

    return traces.Tracing(settings.traces.url, version=version("twilio-notifications"), events=events)


async def _metrics_page(counters: Counters, survey: Survey) -> HttpResponse:
    figures = await survey.look()
    if figures is not None:
        counters.show(figures)
    return HttpResponse(status="200 OK", body=counters.page(), content_type=counters.page_type)
