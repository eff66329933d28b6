"""The stages of the line, each told whom to wake when it has done its part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.core.policy import Pace
from twilio_notifications.pipeline.connector import Connector
from twilio_notifications.pipeline.deferring import Timing
from twilio_notifications.pipeline.dispatcher import Dispatcher
from twilio_notifications.pipeline.intake import Intake
from twilio_notifications.pipeline.login_check import LoginCheck
from twilio_notifications.pipeline.reconfiguration import Reconfiguration
from twilio_notifications.pipeline.refresher import Refresher
from twilio_notifications.pipeline.reporter import Reporter
from twilio_notifications.pipeline.settler import Settler, SettlingTimes
from twilio_notifications.pipeline.supervision import Supervision
from twilio_notifications.pipeline.sweeper import Sweeper

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.adapters.sqlite import SqliteJournal
    from twilio_notifications.config import Settings
    from twilio_notifications.core.contract import Topics
    from twilio_notifications.pipeline.credentials import Credentials
    from twilio_notifications.pipeline.failures import Failures
    from twilio_notifications.pipeline.status import StatusWriter
    from twilio_notifications.ports import Clock, Events, Sender, Supervisor, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What more than one stage is given."""

    settings: Settings
    reread: Callable[[], Awaitable[Settings]]
    journal: SqliteJournal
    sender: Sender
    credentials: Credentials
    transport: Transport
    statuses: StatusWriter
    clock: Clock
    events: Events
    supervisor: Supervisor
    may_end_at: float
    jitter: Callable[[], float]
    failures: Failures

    @property
    def topics(self) -> Topics:
        return self.settings.transport.topics


def wired(parts: Parts) -> Connector:
    """The connector of these parts."""
    reporter = _reporter(parts)
    dispatcher = _dispatcher(parts, reporter)
    settler = _settler(parts, dispatcher, reporter)
    dispatcher.on_doubt = settler.wake
    login_check = LoginCheck(sender=parts.sender, clock=parts.clock, events=parts.events)

    def renewed() -> None:
        dispatcher.credentials_renewed()
        login_check.wake()

    async def refreshed() -> bool:
        complete = await parts.credentials.refresh()
        login_check.wake()
        return complete

    parts.credentials.on_renewed = renewed
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
            events=parts.events,
            retention_seconds=parts.settings.journal.retention_seconds,
        ),
        refresher=Refresher(
            credentials=parts.credentials,
            clock=parts.clock,
            period_seconds=parts.settings.secrets.refresh_seconds,
            on_refreshed=login_check.wake,
        ),
        login_check=login_check,
        clock=parts.clock,
        events=parts.events,
        drain_seconds=parts.settings.delivery.drain_seconds,
        may_end_at=parts.may_end_at,
        reloads=(_reconfiguration(parts, dispatcher).reload, refreshed),
    )


def _reconfiguration(parts: Parts, dispatcher: Dispatcher) -> Reconfiguration:
    return Reconfiguration(
        started_with=parts.settings,
        reread=parts.reread,
        dispatcher=dispatcher,
        events=parts.events,
    )


def _reporter(parts: Parts) -> Reporter:
    return Reporter(
        journal=parts.journal,
        transport=parts.transport,
        clock=parts.clock,
        events=parts.events,
        topic=parts.topics.status,
    )


def _dispatcher(parts: Parts, reporter: Reporter) -> Dispatcher:
    return Dispatcher(
        journal=parts.journal,
        sender=parts.sender,
        clock=parts.clock,
        events=parts.events,
        statuses=parts.statuses,
        failures=parts.failures,
        timing=_timing(parts.settings),
        jitter=parts.jitter,
        pace=Pace.fresh(parts.settings.twilio.concurrency),
        limits=parts.settings.limits,
        on_status=reporter.wake,
    )


def _settler(parts: Parts, dispatcher: Dispatcher, reporter: Reporter) -> Settler:
    delivery = parts.settings.delivery
    return Settler(
        journal=parts.journal,
        sender=parts.sender,
        clock=parts.clock,
        events=parts.events,
        statuses=parts.statuses,
        failures=parts.failures,
        times=SettlingTimes(
            settle=delivery.settle_seconds,
            backoff_initial=delivery.backoff_initial_seconds,
            backoff_maximum=delivery.backoff_maximum_seconds,
        ),
        jitter=parts.jitter,
        on_request=dispatcher.wake,
        on_status=reporter.wake,
    )


def _intake(parts: Parts, dispatcher: Dispatcher, reporter: Reporter) -> Intake:
    return Intake(
        journal=parts.journal,
        clock=parts.clock,
        events=parts.events,
        statuses=parts.statuses,
        failures=parts.failures,
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
