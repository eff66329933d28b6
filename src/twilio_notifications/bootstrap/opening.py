"""Opens everything that a connector consists of, in the order in which it is needed; closes it in reverse.

What is opened depends on the settings: a nucleus, a page of metrics and a local copy of the secret are there
only where the configuration wants them.
"""

from __future__ import annotations

import random
import secrets
import socket
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import TYPE_CHECKING, assert_never

from twilio_notifications import journals
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.bootstrap import greengrass, outside
from twilio_notifications.bootstrap.outside import mqtt_transport, twilio_sender
from twilio_notifications.bootstrap.secrets import identity, kept, secret_copy, secret_sources
from twilio_notifications.bootstrap.stages import Parts, wired
from twilio_notifications.bootstrap.tracking import calling, endpoint, signature_tokens, tracking
from twilio_notifications.bootstrap.watching import WatchListeners, watching
from twilio_notifications.config import GreengrassSettings, MqttSettings, Settings, StatusDetail
from twilio_notifications.core.conclusions import StatusWriter, Timing
from twilio_notifications.core.errors import ConfigurationError, JournalUnreachable
from twilio_notifications.core.policy import Pace
from twilio_notifications.extras import not_installed
from twilio_notifications.pipeline.bells import Bells
from twilio_notifications.pipeline.care.notebook import Notebook
from twilio_notifications.pipeline.events import EventStream
from twilio_notifications.pipeline.line.failures import Failures
from twilio_notifications.pipeline.line.pacing import AHEAD_OF_A_DATABASE, AHEAD_OF_A_FILE, Pacing
from twilio_notifications.pipeline.logins.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.logins.credentials import Credentials
from twilio_notifications.ports.events import ConfigurationWarning, JournalAvailable, JournalUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from twilio_notifications.adapters.greengrass import ConfigurationWatch, Nucleus
    from twilio_notifications.adapters.journal.journal import SqlJournal
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Clock, Events, Supervisor, Transport

UNREACHABLE_SECONDS = 1.0
"""Between two tries to open a journal whose server is away."""

Reread = Callable[[Mapping[str, object] | None], Settings]
"""Reads the configuration again, with that of the component where there is a nucleus."""


def require_available(settings: Settings, environ: Mapping[str, str]) -> None:
    """Raises a ConfigurationError for what the configuration wants and this installation does not have."""
    problems = list(greengrass.problems(environ)) if greengrass.is_wanted(settings) else []
    if settings.metrics.listen is not None and find_spec("prometheus_client") is None:
        problems.append(not_installed("prometheus-client", needed_by="[metrics] listen", extra="metrics"))
    if settings.traces.url is not None and find_spec("opentelemetry") is None:
        problems.append(not_installed("opentelemetry-sdk", needed_by="[traces] url", extra="otel"))
    problems += journals.problems(settings.journal)
    if problems:
        raise ConfigurationError(problems)


@asynccontextmanager
async def connector(  # noqa: PLR0913 - each is a thing of its own that only the command has
    settings: Settings,
    *,
    reread: Reread,
    events: Events,
    environ: Mapping[str, str],
    supervisor: Supervisor,
    component: greengrass.Component | None = None,
    listeners: WatchListeners | None = None,
    callback_listeners: Sequence[socket.socket] = (),
    subscribers: Sequence[Events] = (),
) -> AsyncIterator[Connector]:
    """A connector whose journal is open and whose secret is read; closes everything in reverse order.

    `reread` gives the settings as they are by then, on a person's wish; it raises ConfigurationError.
    As a `component`, it watches its configuration for changes, and `reread` is given that configuration.
    `listeners` are those of metrics and health, `callback_listeners` those of Twilio's callbacks, where they
    were opened before. `subscribers` hear the events after `events` and the metrics; only tests have any.
    """
    for warning in settings.warnings:
        events.tell(ConfigurationWarning(warning=warning))
    clock = SystemClock()
    notebook = Notebook(clock=clock, version=version("twilio-notifications"))
    watched = watching(settings, clock, listeners or WatchListeners(), events)
    events = EventStream([events, notebook, *watched.subscribers(), *subscribers])
    name = own_name()
    bells, pacing = Bells.on(clock), _pacing(settings, clock, events)

    def renew_credentials() -> None:
        pacing.renew_credentials()
        bells.work.ring()
        bells.logins.ring()

    async with AsyncExitStack() as stack:
        opening = _Opening(stack=stack, settings=settings, environ=environ, clock=clock, events=events)
        await watched.serve_health(stack, events)  # a secret may be waited for
        nucleus = await stack.enter_async_context(greengrass.nucleus(settings, environ))
        credentials = await opening.credentials(nucleus, on_renewed=renew_credentials)
        journal = await opening.journal(member=name)
        watched.watch(journal)
        sender = await opening.sender(credentials)
        called = await calling(settings, journal)
        await watched.trace(stack, called.secret)
        around = opening.transport_parts(nucleus, journal, component=component, supervisor=supervisor)
        connector = wired(
            Parts(
                settings=settings,
                reread=lambda: _reread(reread, around.watch),
                journal=journal,
                sender=sender,
                calling=called,
                credentials=credentials,
                transport=around.transport,
                clock=clock,
                events=events,
                supervisor=around.supervisor,
                may_end_at=around.may_end_at,
                bells=bells,
                pacing=pacing,
                failures=Failures(events=events, clock=clock),
                heartbeat=await watched.heartbeat(stack, events),
                notebook=notebook,
                name=name,
            )
        )
        await watched.serve_metrics(stack, journal=journal, connector=connector, events=events)
        tokens = signature_tokens(
            settings, environ, nucleus=nucleus, credentials=credentials, clock=clock, events=events
        )
        await stack.enter_async_context(
            endpoint(settings, callback_listeners, tokens=tokens, taker=connector.callbacks, events=events)
        )
        yield connector


def own_name() -> str:
    """The name of this connector, for people; new at each start, also where a machine keeps its name."""
    return f"{socket.gethostname()}-{secrets.token_hex(4)}"


def _pacing(settings: Settings, clock: Clock, events: Events) -> Pacing:
    delivery = settings.delivery
    return Pacing(
        pace=Pace.fresh(settings.twilio.concurrency),
        timing=Timing(
            backoff_initial=delivery.backoff_initial_seconds,
            backoff_maximum=delivery.backoff_maximum_seconds,
            settle=delivery.settle_seconds,
            credential_wait=delivery.credential_wait_seconds,
            credential_probe=delivery.credential_probe_seconds,
        ),
        statuses=StatusWriter(
            extended=settings.status.detail is StatusDetail.EXTENDED, tracking=tracking(settings)
        ),
        clock=clock,
        events=events,
        jitter=random.Random().random,  # noqa: S311 - it spreads waits, and keeps nothing secret
        ahead_share=AHEAD_OF_A_FILE if settings.journal.database is None else AHEAD_OF_A_DATABASE,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _TransportParts:
    """The transport, and what the program that started this process asks for."""

    transport: Transport
    supervisor: Supervisor
    watch: ConfigurationWatch | None
    """Over the configuration of the component; None where this process is no component."""
    may_end_at: float
    """The process does not exit before this instant: a nucleus gives up after three exits in an hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """What all parts are opened with; what a part opens is closed by `stack`."""

    stack: AsyncExitStack
    settings: Settings
    environ: Mapping[str, str]
    clock: Clock
    events: Events

    async def credentials(self, nucleus: Nucleus | None, *, on_renewed: Callable[[], None]) -> Credentials:
        """The secrets, read; with the local copy of the first one, where there is a copy."""
        settings, events = self.settings, self.events
        sources = secret_sources(settings, self.environ, nucleus=nucleus)
        found = kept(sources, secret_copy(settings), clock=self.clock, events=events)
        return await Credentials.read(
            found, identity=identity(settings), events=events, on_renewed=on_renewed
        )

    async def journal(self, *, member: str) -> SqlJournal:
        """The journal, open. A server that is away is waited for, as when it goes away later."""
        missed_for = None
        while True:
            journal = outside.journal(self.settings, events=self.events, member=member)
            try:
                await self.stack.enter_async_context(journal)
            except JournalUnreachable as error:
                if str(error) != missed_for:
                    missed_for = str(error)
                    self.events.tell(JournalUnavailable(journal=journal.name, error=missed_for))
                await self.clock.sleep(UNREACHABLE_SECONDS)
                continue
            if missed_for is not None:
                self.events.tell(JournalAvailable(journal=journal.name))
            return journal

    async def sender(self, credentials: Credentials) -> AuthorizedSender:
        """The way to Twilio, opened, which chooses among the logins."""
        twilio = twilio_sender(self.settings, clock=self.clock)
        return AuthorizedSender(await self.stack.enter_async_context(twilio), credentials)

    def transport_parts(
        self,
        nucleus: Nucleus | None,
        journal: SqlJournal,
        *,
        component: greengrass.Component | None,
        supervisor: Supervisor,
    ) -> _TransportParts:
        """The transport of the configuration, and what a nucleus adds where there is one."""
        settings, clock, events = self.settings, self.clock, self.events
        endurance = watch = None
        if isinstance(settings.transport, GreengrassSettings) or component is not None:
            endurance = greengrass.endurance(settings, clock.now())
        if nucleus is not None and component is not None:
            watch = greengrass.configuration_watch(settings, nucleus, component, events=events)
        match settings.transport:
            case MqttSettings() as chosen:
                transport: Transport = mqtt_transport(
                    chosen, clock=clock, events=events, on_new_session=journal.forget_packets
                )
            case GreengrassSettings() as chosen:
                assert nucleus is not None, "it is opened where the configuration wants it"
                assert endurance is not None
                transport = greengrass.transport(
                    chosen, nucleus, clock=clock, events=events, endurance=endurance, configuration=watch
                )
                supervisor = greengrass.supervisor(nucleus, supervisor, events=events)
            case _:
                assert_never(settings.transport)
        return _TransportParts(
            transport=transport,
            supervisor=supervisor,
            watch=watch,
            may_end_at=clock.now() if endurance is None else endurance.may_end_at,
        )


async def _reread(reread: Reread, watch: ConfigurationWatch | None) -> Settings:
    return reread(None if watch is None else await watch.take())
