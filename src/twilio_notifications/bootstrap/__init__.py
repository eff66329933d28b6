"""The composition root: Settings → a wired connector. The only room that hands adapters to the pipeline."""

from __future__ import annotations

import random
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.crash import milestones
from twilio_notifications.bootstrap.counting import NO_PROMETHEUS_CLIENT, counting, metrics_endpoint
from twilio_notifications.bootstrap.outside import (
    NO_GREENGRASS_TRANSPORT,
    mqtt_transport,
    sqlite_journal,
    supervisor,
    twilio_sender,
)
from twilio_notifications.bootstrap.secrets import (
    NO_GREENGRASS_SECRETS,
    identity,
    kept,
    secret_copy,
    secret_files,
    secret_sources,
)
from twilio_notifications.bootstrap.stages import Parts, wired
from twilio_notifications.config import SecretOrigin, StatusDetail, TransportKind
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.pipeline.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.credentials import Credentials
from twilio_notifications.pipeline.metering import Unmetered
from twilio_notifications.pipeline.status import StatusWriter
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Observer, Supervisor

__all__ = [
    "connector",
    "identity",
    "require_available",
    "secret_copy",
    "secret_files",
    "secret_sources",
    "sqlite_journal",
    "supervisor",
    "twilio_sender",
]


def require_available(settings: Settings) -> None:
    """Raises a ConfigurationError for what the configuration may name and this version does not have."""
    missing = {
        NO_GREENGRASS_TRANSPORT: settings.transport.kind is not TransportKind.MQTT,
        NO_GREENGRASS_SECRETS: settings.secrets.source is SecretOrigin.GREENGRASS,
    }
    if settings.metrics.listen is not None:
        missing[NO_PROMETHEUS_CLIENT] = find_spec("prometheus_client") is None
    problems = [sentence for sentence, is_missing in missing.items() if is_missing]
    if problems:
        raise ConfigurationError(problems)


@asynccontextmanager
async def connector(
    settings: Settings,
    *,
    reread: Callable[[], Settings],
    observer: Observer,
    environ: Mapping[str, str],
    supervisor: Supervisor,
) -> AsyncIterator[Connector]:
    """A connector whose journal is open and whose secret is read; closes everything in reverse order.

    `reread` gives the settings as they are by then, on a person's wish; it raises ConfigurationError.
    """
    for warning in settings.warnings:
        observer.event("configuration_warning", level=Level.WARNING, warning=warning)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        counters, observer = counting(settings, observer)
        sources = secret_sources(settings, environ)
        credentials = await Credentials.read(
            kept(sources, secret_copy(settings), clock=clock, observer=observer),
            identity=identity(settings),
            observer=observer,
        )
        journal = await stack.enter_async_context(sqlite_journal(settings, observer=observer))
        if counters is not None:
            counters.watch(journal.by_state)
            await stack.enter_async_context(metrics_endpoint(settings, counters, observer))
        twilio = await stack.enter_async_context(twilio_sender(settings, clock=clock))
        yield wired(
            Parts(
                settings=settings,
                reread=reread,
                journal=journal,
                sender=AuthorizedSender(twilio, credentials),
                credentials=credentials,
                transport=mqtt_transport(
                    settings, clock=clock, observer=observer, on_new_session=journal.forget_packets
                ),
                statuses=StatusWriter(extended=settings.status.detail is StatusDetail.EXTENDED),
                clock=clock,
                observer=observer,
                meter=counters or Unmetered(),
                supervisor=supervisor,
                milestones=milestones(environ),
                jitter=random.SystemRandom().random,
            )
        )
