"""The composition root: Settings → a wired connector. The only file that names adapters to the pipeline."""

from __future__ import annotations

import json
import os
import random
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, assert_never

from twilio_notifications.adapters.aws_secrets import AwsSecret
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.crash import milestones
from twilio_notifications.adapters.mqtt import MqttTransport
from twilio_notifications.adapters.secret_copy import EncryptedCopy
from twilio_notifications.adapters.secret_sources import EnvironmentSecret, FileSecret
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.adapters.systemd import SystemdSupervisor
from twilio_notifications.adapters.twilio import TwilioSender
from twilio_notifications.config import Ordering, SecretOrigin, StatusDetail, TransportKind
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.core.policy import Pace
from twilio_notifications.pipeline.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.connector import Connector
from twilio_notifications.pipeline.credentials import Credentials, Identity, Sources
from twilio_notifications.pipeline.dispatcher import Dispatcher, Timing
from twilio_notifications.pipeline.intake import Intake
from twilio_notifications.pipeline.kept_secret import KeptSecret
from twilio_notifications.pipeline.reconfiguration import Reconfiguration
from twilio_notifications.pipeline.refresher import Refresher
from twilio_notifications.pipeline.reporter import Reporter
from twilio_notifications.pipeline.settler import Settler, SettlingTimes
from twilio_notifications.pipeline.status import StatusWriter
from twilio_notifications.pipeline.supervision import Supervision
from twilio_notifications.pipeline.sweeper import Sweeper
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable, Mapping

    from twilio_notifications.config import Settings
    from twilio_notifications.core.contract import Topics
    from twilio_notifications.ports import Clock, Milestones, Observer, SecretCopy, Sender, Supervisor

NO_GREENGRASS_TRANSPORT = '[transport] kind = "greengrass" is not available in this version: use "mqtt"'
NO_GREENGRASS_SECRETS = (
    '[secrets] source = "greengrass" is not available in this version: use "environment", "file" or "aws"'
)


def require_available(settings: Settings) -> None:
    """Raises a ConfigurationError for what the configuration may name and this version does not have."""
    missing = {
        NO_GREENGRASS_TRANSPORT: settings.transport.kind is not TransportKind.MQTT,
        NO_GREENGRASS_SECRETS: settings.secrets.source is SecretOrigin.GREENGRASS,
    }
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
        sources = secret_sources(settings, environ)
        credentials = await Credentials.read(
            _kept(sources, secret_copy(settings), clock=clock, observer=observer),
            identity=identity(settings),
            observer=observer,
        )
        journal = await stack.enter_async_context(sqlite_journal(settings, observer=observer))
        twilio = await stack.enter_async_context(twilio_sender(settings, clock=clock))
        yield _wired(
            _Parts(
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
                supervisor=supervisor,
                milestones=milestones(environ),
                jitter=random.SystemRandom().random,
            )
        )


def sqlite_journal(settings: Settings, *, observer: Observer) -> SqliteJournal:
    """The journal of the configuration, not opened yet."""
    return SqliteJournal(
        settings.journal.path,
        observer=observer,
        ordering="none" if settings.delivery.ordering is Ordering.NONE else "recipient",
        maximum_waiting=settings.journal.maximum_waiting,
        deduplicate_seconds=settings.delivery.deduplicate_by_id_seconds,
    )


def twilio_sender(settings: Settings, *, clock: Clock) -> TwilioSender:
    """The way to Twilio, not opened yet."""
    return TwilioSender(
        base_url=settings.twilio.base_url,
        account_sid=settings.parameters.account_sid,
        clock=clock,
        timeout_seconds=settings.twilio.timeout_seconds,
        ca_file=settings.twilio.ca_file,
    )


def identity(settings: Settings) -> Identity:
    """Whose secret it is."""
    return Identity(account_sid=settings.parameters.account_sid, api_key_sid=settings.secrets.api_key_sid)


def secret_sources(settings: Settings, environ: Mapping[str, str]) -> Sources:
    """Where the configuration says that the secrets are."""
    secrets = settings.secrets
    match secrets.source:
        case SecretOrigin.ENVIRONMENT:
            second = secrets.second_variable
            return Sources(
                first=EnvironmentSecret(secrets.variable, environ=environ),
                second=None if second is None else EnvironmentSecret(second, environ=environ),
            )
        case SecretOrigin.FILE:
            files, second_files = secret_files(settings, environ)
            return Sources(
                first=FileSecret(*files), second=FileSecret(*second_files) if second_files else None
            )
        case SecretOrigin.AWS:
            label = secrets.second_label
            return Sources(
                first=_aws_secret(settings, secrets.staging_label),
                second=None if label is None else _aws_secret(settings, label),
            )
        case SecretOrigin.GREENGRASS:
            raise ConfigurationError([NO_GREENGRASS_SECRETS])
        case _:
            assert_never(secrets.source)


def _aws_secret(settings: Settings, label: str) -> AwsSecret:
    for package in ("boto3", "cryptography"):
        if find_spec(package) is None:
            missing = f'[secrets] source = "aws" needs the package {package}, which is not installed'
            raise ConfigurationError([f"{missing}. In a clone of the project, run: pip install '.[aws]'"])
    return AwsSecret(_secret_arn(settings), label=label, json_key=settings.secrets.json_key)


def _secret_arn(settings: Settings) -> str:
    arn = settings.parameters.secret_arn
    assert arn is not None, "the configuration requires it for this source"
    return arn


def secret_copy(settings: Settings) -> SecretCopy | None:
    """The local copy of the first secret, for "aws"; the others have theirs on this machine anyway."""
    secrets = settings.secrets
    if secrets.source is not SecretOrigin.AWS or secrets.key_file is None:
        return None
    name = json.dumps([_secret_arn(settings), secrets.staging_label, secrets.json_key])
    return EncryptedCopy(secrets.copy_path, key_file=secrets.key_file, name=name)


def _kept(sources: Sources, copy: SecretCopy | None, *, clock: Clock, observer: Observer) -> Sources:
    if copy is None:
        return sources
    return replace(sources, first=KeptSecret(sources.first, copy, clock=clock, observer=observer))


def secret_files(settings: Settings, environ: Mapping[str, str]) -> tuple[list[Path], list[Path]]:
    """Where the first and the second secret may be, for "file"; none for the other sources."""
    secrets = settings.secrets
    if secrets.source is not SecretOrigin.FILE:
        return [], []
    return (
        _candidates(secrets.path, secrets.path_as_given, environ),
        _candidates(secrets.second_path, secrets.second_path_as_given, environ),
    )


def _candidates(path: Path | None, given: str | None, environ: Mapping[str, str]) -> list[Path]:
    """A relative name is looked up where systemd puts credentials first, then beside the configuration."""
    if path is None or given is None:
        return []
    directory = environ.get("CREDENTIALS_DIRECTORY")
    return [Path(directory) / given, path] if directory and not Path(given).is_absolute() else [path]


def supervisor(environ: Mapping[str, str], *, observer: Observer) -> SystemdSupervisor:
    """Whoever started this process, if it wants to know; made before the process is confined."""
    return SystemdSupervisor(environ, pid=os.getpid(), observer=observer)


def mqtt_transport(
    settings: Settings,
    *,
    clock: Clock,
    observer: Observer,
    on_new_session: Callable[[], asyncio.Future[None]],
) -> MqttTransport:
    """The way to the broker."""
    if settings.transport.kind is not TransportKind.MQTT:
        raise ConfigurationError([NO_GREENGRASS_TRANSPORT])
    topics = settings.transport.topics
    return MqttTransport(
        settings.transport,
        topics=(topics.text, topics.call),
        clock=clock,
        observer=observer,
        jitter=random.SystemRandom().random,
        on_new_session=on_new_session,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parts:
    """What more than one stage is given."""

    settings: Settings
    reread: Callable[[], Settings]
    journal: SqliteJournal
    sender: Sender
    credentials: Credentials
    transport: MqttTransport
    statuses: StatusWriter
    clock: Clock
    observer: Observer
    supervisor: Supervisor
    milestones: Milestones
    jitter: Callable[[], float]

    @property
    def topics(self) -> Topics:
        return self.settings.transport.topics


def _wired(parts: _Parts) -> Connector:
    """The stages, each told whom to wake when it has done its part."""
    reporter = _reporter(parts)
    dispatcher = _dispatcher(parts, reporter)
    settler = _settler(parts, dispatcher, reporter)
    dispatcher.on_doubt = settler.wake
    parts.credentials.on_renewed = dispatcher.credentials_renewed
    return Connector(
        journal=parts.journal,
        transport=parts.transport,
        intake=_intake(parts, dispatcher, reporter),
        dispatcher=dispatcher,
        settler=settler,
        reporter=reporter,
        supervision=Supervision(supervisor=parts.supervisor, journal=parts.journal, clock=parts.clock),
        sweeper=Sweeper(
            journal=parts.journal,
            clock=parts.clock,
            observer=parts.observer,
            retention_seconds=parts.settings.journal.retention_seconds,
        ),
        refresher=Refresher(
            credentials=parts.credentials,
            clock=parts.clock,
            period_seconds=parts.settings.secrets.refresh_seconds,
        ),
        clock=parts.clock,
        observer=parts.observer,
        milestones=parts.milestones,
        drain_seconds=parts.settings.delivery.drain_seconds,
        reloads=(_reconfiguration(parts, dispatcher).reload, parts.credentials.refresh),
    )


def _reconfiguration(parts: _Parts, dispatcher: Dispatcher) -> Reconfiguration:
    return Reconfiguration(
        started_with=parts.settings,
        reread=parts.reread,
        dispatcher=dispatcher,
        observer=parts.observer,
    )


def _reporter(parts: _Parts) -> Reporter:
    return Reporter(
        journal=parts.journal,
        transport=parts.transport,
        clock=parts.clock,
        observer=parts.observer,
        milestones=parts.milestones,
        topic=parts.topics.status,
    )


def _dispatcher(parts: _Parts, reporter: Reporter) -> Dispatcher:
    return Dispatcher(
        journal=parts.journal,
        sender=parts.sender,
        clock=parts.clock,
        observer=parts.observer,
        milestones=parts.milestones,
        statuses=parts.statuses,
        timing=_timing(parts.settings),
        jitter=parts.jitter,
        pace=Pace.fresh(parts.settings.twilio.concurrency),
        limits=parts.settings.limits,
        on_status=reporter.wake,
    )


def _settler(parts: _Parts, dispatcher: Dispatcher, reporter: Reporter) -> Settler:
    delivery = parts.settings.delivery
    return Settler(
        journal=parts.journal,
        sender=parts.sender,
        clock=parts.clock,
        observer=parts.observer,
        milestones=parts.milestones,
        statuses=parts.statuses,
        times=SettlingTimes(
            settle=delivery.settle_seconds,
            backoff_initial=delivery.backoff_initial_seconds,
            backoff_maximum=delivery.backoff_maximum_seconds,
        ),
        jitter=parts.jitter,
        on_request=dispatcher.wake,
        on_status=reporter.wake,
    )


def _intake(parts: _Parts, dispatcher: Dispatcher, reporter: Reporter) -> Intake:
    return Intake(
        journal=parts.journal,
        clock=parts.clock,
        observer=parts.observer,
        milestones=parts.milestones,
        statuses=parts.statuses,
        topics=parts.topics,
        default_sender_number=parts.settings.parameters.default_sender_number,
        lifetime_seconds=parts.settings.delivery.lifetime_seconds,
        on_request=dispatcher.wake,
        on_status=reporter.wake,
    )


def _timing(settings: Settings) -> Timing:
    delivery = settings.delivery
    return Timing(
        backoff_initial=delivery.backoff_initial_seconds,
        backoff_maximum=delivery.backoff_maximum_seconds,
        settle=delivery.settle_seconds,
        credential_wait=delivery.credential_wait_seconds,
        credential_probe=delivery.credential_probe_seconds,
    )
