"""The stages of the line, each told whom to wake when it has done its part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications.config import MqttSettings
from twilio_notifications.core.conclusions import ChainWriter, OrderWriter
from twilio_notifications.core.delivery import Following
from twilio_notifications.pipeline.care.leading import Leading
from twilio_notifications.pipeline.care.news import News
from twilio_notifications.pipeline.care.reconfiguration import Reconfiguration
from twilio_notifications.pipeline.care.supervision import Supervision
from twilio_notifications.pipeline.care.sweeper import Sweeper
from twilio_notifications.pipeline.connector import Connector
from twilio_notifications.pipeline.line.assembly import LineNeeds, build_line
from twilio_notifications.pipeline.line.ended import EndedTeller
from twilio_notifications.pipeline.line.escalator import Escalator
from twilio_notifications.pipeline.line.intake import Intake
from twilio_notifications.pipeline.line.orders import OrderTaker
from twilio_notifications.pipeline.line.reception import Reception
from twilio_notifications.pipeline.line.replies import Replies
from twilio_notifications.pipeline.line.reporter import Reporter
from twilio_notifications.pipeline.line.slots import Slots
from twilio_notifications.pipeline.logins.login_check import LoginCheck
from twilio_notifications.pipeline.logins.refresher import Refresher

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from twilio_notifications.adapters.journal.journal import SqlJournal
    from twilio_notifications.config import Settings, TransportSettings
    from twilio_notifications.core.contract import Topics
    from twilio_notifications.pipeline.bells import Bells
    from twilio_notifications.pipeline.care.heartbeat import Heartbeat
    from twilio_notifications.pipeline.care.notebook import Notebook
    from twilio_notifications.pipeline.line.assembly import Calling, Line
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.pacing import Pacing
    from twilio_notifications.pipeline.logins.authorized_sender import AuthorizedSender
    from twilio_notifications.pipeline.logins.credentials import Credentials
    from twilio_notifications.ports import Clock, Events, Supervisor, Transport


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts that the stages are made with."""

    settings: Settings
    reread: Callable[[], Awaitable[Settings]]
    journal: SqlJournal
    sender: AuthorizedSender
    calling: Calling
    credentials: Credentials
    transport: Transport
    clock: Clock
    events: Events
    supervisor: Supervisor
    may_end_at: float
    bells: Bells
    pacing: Pacing
    failures: Failures
    heartbeat: Heartbeat | None
    notebook: Notebook
    name: str
    """Of this connector among those that share the journal; new at each start."""

    @property
    def topics(self) -> Topics:
        return self.settings.transport.topics


def wired(parts: Parts) -> Connector:
    """The connector of these parts."""
    reporter = Reporter(
        journal=parts.journal,
        transport=parts.transport,
        clock=parts.clock,
        events=parts.events,
        topic=parts.topics.status,
    )
    writer = _writer(parts)
    follow_up = reporter.follow_up if parts.journal.is_shared else reporter.publish
    ended = EndedTeller(events=parts.events, failures=parts.failures, bells=parts.bells, on_written=follow_up)
    escalator = _escalator(parts, ended, writer)
    leading = _leading(parts, reporter)
    line = _line(parts, reporter, escalator, leading)
    refresher = Refresher(
        credentials=parts.credentials,
        clock=parts.clock,
        period_seconds=parts.settings.secrets.refresh_seconds,
        bell=parts.bells.logins,
    )
    reconfiguration = Reconfiguration(
        started_with=parts.settings,
        reread=parts.reread,
        admission=line.admission,
        events=parts.events,
    )
    return Connector(
        journal=parts.journal,
        transport=parts.transport,
        intake=_intake(parts, line, reporter, writer),
        orders=_orders(parts, line, ended, writer),
        escalator=escalator,
        replies=_replies(parts, line, escalator, writer),
        dispatcher=line.dispatcher,
        settler=line.settler,
        tracker=line.tracker,
        callbacks=line.callbacks,
        reporter=reporter,
        failures=parts.failures,
        heartbeat=parts.heartbeat,
        notebook=parts.notebook,
        leading=leading,
        takes_in_with_others=takes_in_with_others(parts.settings.transport),
        supervision=Supervision(supervisor=parts.supervisor, journal=parts.journal, clock=parts.clock),
        sweeper=Sweeper(
            journal=parts.journal,
            clock=parts.clock,
            events=parts.events,
            retention_seconds=parts.settings.journal.retention_seconds,
        ),
        refresher=refresher,
        login_check=LoginCheck(
            sender=parts.sender, clock=parts.clock, events=parts.events, bell=parts.bells.logins
        ),
        clock=parts.clock,
        events=parts.events,
        drain_seconds=parts.settings.delivery.drain_seconds,
        may_end_at=parts.may_end_at,
        reloads=(reconfiguration.reload, refresher.refresh),
    )


def takes_in_with_others(transport: TransportSettings) -> bool:
    """Whether the connectors of a journal share the requests, and each is connected to the broker."""
    return isinstance(transport, MqttSettings) and bool(transport.shared_group)


def _writer(parts: Parts) -> ChainWriter:
    return ChainWriter(
        statuses=parts.pacing.statuses,
        chains=parts.settings.escalations,
        contacts=parts.settings.contacts,
        default_sender_number=parts.settings.parameters.default_sender_number,
        takes_answers=parts.settings.tracking.mode is not Following.OFF,
    )


def _leading(parts: Parts, reporter: Reporter) -> Leading:
    news = News(
        journal=parts.journal,
        pacing=parts.pacing,
        bells=parts.bells,
        reporter=reporter,
        clock=parts.clock,
    )
    leading = Leading(
        journal=parts.journal,
        clock=parts.clock,
        events=parts.events,
        name=parts.name,
        places=parts.settings.twilio.concurrency,
        lease_seconds=parts.settings.journal.lease_seconds,
        slots=Slots(parts.settings.twilio.concurrency),
        pacing=parts.pacing,
        work=parts.bells.work,
        look_around=news.look,
    )
    parts.journal.watch_news(lambda: news.wake(leads=leading.leads))
    return leading


def _line(parts: Parts, reporter: Reporter, escalator: Escalator, leading: Leading) -> Line:
    return build_line(
        LineNeeds(
            journal=parts.journal,
            sender=parts.sender,
            clock=parts.clock,
            events=parts.events,
            bells=parts.bells,
            pacing=parts.pacing,
            failures=parts.failures,
            limits=parts.settings.limits,
            quiet_hours=parts.settings.quiet_hours,
            on_written=reporter.publish,
            on_followed_up=reporter.follow_up if parts.journal.is_shared else reporter.publish,
            receipts=parts.sender,
            looks_per_minute=parts.settings.tracking.requests_per_minute,
            calling=parts.calling,
            on_key=escalator.key_pressed,
            slots=leading.slots,
            leads=lambda: leading.leads,
            may_attempt=leading.may_attempt,
        )
    )


def _replies(parts: Parts, line: Line, escalator: Escalator, writer: ChainWriter) -> Replies:
    tracking = parts.settings.tracking
    return Replies(
        journal=parts.journal,
        inbox=parts.sender,
        leave=line.leave,
        clock=parts.clock,
        events=parts.events,
        writer=writer,
        acknowledge=escalator.acknowledge,
        period_seconds=None if tracking.mode is Following.OFF else tracking.inbound_seconds,
    )


def _orders(parts: Parts, line: Line, ended: EndedTeller, writer: ChainWriter) -> OrderTaker:
    return OrderTaker(
        journal=parts.journal,
        clock=parts.clock,
        events=parts.events,
        bells=parts.bells,
        writer=OrderWriter(chains=writer, lifetime_seconds=parts.settings.delivery.lifetime_seconds),
        pacing=parts.pacing,
        ended=ended,
        on_followed=line.on_followed,
    )


def _escalator(parts: Parts, ended: EndedTeller, writer: ChainWriter) -> Escalator:
    return Escalator(
        journal=parts.journal,
        inbox=parts.sender,
        clock=parts.clock,
        events=parts.events,
        bells=parts.bells,
        writer=writer,
        lifetime_seconds=parts.settings.delivery.lifetime_seconds,
        ended=ended,
    )


def _intake(parts: Parts, line: Line, reporter: Reporter, writer: ChainWriter) -> Intake:
    return Intake(
        journal=parts.journal,
        clock=parts.clock,
        events=parts.events,
        reception=Reception(
            clock=parts.clock,
            statuses=parts.pacing.statuses,
            default_sender_number=parts.settings.parameters.default_sender_number,
            lifetime_seconds=parts.settings.delivery.lifetime_seconds,
            extensions=parts.settings.extensions,
            writer=writer,
        ),
        on_chain=parts.bells.chains.ring,
        failures=parts.failures,
        topics=parts.topics,
        gate=line.dispatcher,
        # Where a client ends a chain, another connector may just have written a status of one of its steps.
        on_written=reporter.follow_up if parts.journal.is_shared else reporter.publish,
    )
