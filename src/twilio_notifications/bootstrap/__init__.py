"""The composition root: Settings → a wired connector. The only room that hands adapters to the pipeline."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.bootstrap import greengrass
from twilio_notifications.bootstrap.counting import (
    NO_PROMETHEUS_CLIENT,
    counting,
    metrics_endpoint,
    metrics_listeners,
)
from twilio_notifications.bootstrap.outside import (
    mqtt_transport,
    prepare_journal,
    sqlite_journal,
    supervisor,
    twilio_sender,
)
from twilio_notifications.bootstrap.secrets import (
    identity,
    kept,
    secret_copy,
    secret_files,
    secret_sources,
)
from twilio_notifications.bootstrap.stages import Parts, wired
from twilio_notifications.config import Settings, StatusDetail, TransportKind
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.pipeline.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.credentials import Credentials
from twilio_notifications.pipeline.failures import Failures
from twilio_notifications.pipeline.metering import Unmetered
from twilio_notifications.pipeline.milestones import Unwatched
from twilio_notifications.pipeline.status import StatusWriter
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Sequence

    from twilio_notifications.adapters.greengrass import ConfigurationWatch, Endurance, Nucleus
    from twilio_notifications.adapters.sqlite import SqliteJournal
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.pipeline.credentials import Sources
    from twilio_notifications.ports import Clock, Milestones, Observer, Supervisor, Transport

__all__ = [
    "connector",
    "greengrass",
    "identity",
    "metrics_listeners",
    "prepare_journal",
    "require_available",
    "secret_copy",
    "secret_files",
    "secret_sources",
    "sqlite_journal",
    "supervisor",
    "twilio_sender",
]

Reread = Callable[[Mapping[str, object] | None], Settings]
"""Reads the configuration again, with that of the component where there is a nucleus."""


def require_available(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises a ConfigurationError for what the configuration wants and this installation does not have."""
    problems = list(greengrass.problems(environ)) if greengrass.is_wanted(settings) else []
    if settings.metrics.listen is not None and find_spec("prometheus_client") is None:
        problems.append(NO_PROMETHEUS_CLIENT)
    if problems:
        raise ConfigurationError(problems)


@asynccontextmanager
async def connector(  # noqa: PLR0913 - each is a thing of its own that only the command has
    settings: Settings,
    *,
    reread: Reread,
    observer: Observer,
    environ: Mapping[str, str],
    supervisor: Supervisor,
    component: greengrass.Component | None = None,
    listeners: Sequence[socket.socket] = (),
    milestones: Milestones | None = None,
) -> AsyncIterator[Connector]:
    """A connector whose journal is open and whose secret is read; closes everything in reverse order.

    `reread` gives the settings as they are by then, on a person's wish; it raises ConfigurationError.
    As a `component`, it watches its configuration for changes, and `reread` is given that configuration.
    `listeners` are those of the metrics, where they were opened before. `milestones` are for tests alone.
    """
    for warning in settings.warnings:
        observer.event("configuration_warning", level=Level.WARNING, warning=warning)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        counters, observer = counting(settings, observer)
        nucleus = await stack.enter_async_context(greengrass.nucleus(settings, environ))
        sources = secret_sources(settings, environ, nucleus=nucleus)
        credentials = await _credentials(settings, sources, clock=clock, observer=observer)
        journal = await stack.enter_async_context(sqlite_journal(settings, observer=observer))
        if counters is not None:
            counters.watch(journal.by_state)
            await stack.enter_async_context(metrics_endpoint(settings, counters, observer, listeners))
        twilio = await stack.enter_async_context(twilio_sender(settings, clock=clock))
        endurance = _endurance(settings, clock, is_component=component is not None)
        watch = None
        if nucleus is not None and component is not None:
            watch = greengrass.configuration_watch(settings, nucleus, component, observer=observer)
        transport = _transport(
            settings,
            nucleus,
            journal=journal,
            endurance=endurance,
            watch=watch,
            clock=clock,
            observer=observer,
        )
        if nucleus is not None and settings.transport.kind is TransportKind.GREENGRASS:
            supervisor = greengrass.supervisor(nucleus, supervisor, observer=observer)
        yield wired(
            Parts(
                settings=settings,
                reread=lambda: _reread(reread, watch),
                journal=journal,
                sender=AuthorizedSender(twilio, credentials),
                credentials=credentials,
                transport=transport,
                statuses=StatusWriter(extended=settings.status.detail is StatusDetail.EXTENDED),
                clock=clock,
                observer=observer,
                meter=counters or Unmetered(),
                supervisor=supervisor,
                may_end_at=clock.now() if endurance is None else endurance.may_end_at,
                milestones=milestones or Unwatched(),
                failures=Failures(observer=observer, clock=clock),
                jitter=random.SystemRandom().random,
            )
        )


def _transport(  # noqa: PLR0913 - what either transport is made of
    settings: Settings,
    nucleus: Nucleus | None,
    *,
    journal: SqliteJournal,
    endurance: Endurance | None,
    watch: ConfigurationWatch | None,
    clock: Clock,
    observer: Observer,
) -> Transport:
    """The transport of the configuration; that of a nucleus only where there is one."""
    if nucleus is None or endurance is None or settings.transport.kind is TransportKind.MQTT:
        return mqtt_transport(
            settings,
            clock=clock,
            observer=observer,
            on_new_session=journal.forget_packets,
            on_connection_ended=journal.connection_ended,
        )
    return greengrass.transport(
        settings,
        nucleus,
        clock=clock,
        observer=observer,
        endurance=endurance,
        configuration=watch,
    )


async def _credentials(
    settings: Settings, sources: Sources, *, clock: Clock, observer: Observer
) -> Credentials:
    """With the local copy of the first secret, where there is one."""
    found = kept(sources, secret_copy(settings), clock=clock, observer=observer)
    return await Credentials.read(found, identity=identity(settings), observer=observer)


def _endurance(settings: Settings, clock: Clock, *, is_component: bool) -> Endurance | None:
    """Of what a nucleus has started, and would give up where it ended too often."""
    if is_component or settings.transport.kind is TransportKind.GREENGRASS:
        return greengrass.endurance(settings, clock.now())
    return None


async def _reread(reread: Reread, watch: ConfigurationWatch | None) -> Settings:
    return reread(None if watch is None else await watch.take())
