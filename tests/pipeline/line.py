"""The line from intake to outbox on fakes: SQLite in memory, a scripted sender, a clock turned by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tests.support.clock import HandClock
from tests.support.factories import a_request
from tests.support.fakes import (
    LineClock,
    RecordingEvents,
    ScriptedSecret,
    ScriptedSender,
    WatchedJournal,
    stalled,
)
from twilio_notifications.adapters.sqlite import SqliteJournal
from twilio_notifications.core.conclusions import ChainWriter, StatusWriter, Timing
from twilio_notifications.core.contract import Extensions, Topics
from twilio_notifications.core.delivery import Tracking
from twilio_notifications.core.pace import NO_PACES
from twilio_notifications.core.policy import Limits, Pace
from twilio_notifications.core.quiet_hours import QuietHours
from twilio_notifications.pipeline.bells import Bells
from twilio_notifications.pipeline.events import EventStream
from twilio_notifications.pipeline.line.assembly import Calling, LineNeeds, build_line
from twilio_notifications.pipeline.line.failures import Failures
from twilio_notifications.pipeline.line.intake import Intake
from twilio_notifications.pipeline.line.pacing import Pacing
from twilio_notifications.pipeline.line.reception import Reception
from twilio_notifications.pipeline.line.slots import Slots
from twilio_notifications.pipeline.logins.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.logins.credentials import Credentials, Identity, Sources

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager, AbstractContextManager
    from pathlib import Path
    from typing import Literal

    from twilio_notifications.core.escalation import Chain
    from twilio_notifications.core.model import Contact
    from twilio_notifications.core.pace import SenderRates
    from twilio_notifications.core.steps import Claimed
    from twilio_notifications.pipeline.line.admission import Admission
    from twilio_notifications.pipeline.line.assembly import Line as Stages
    from twilio_notifications.pipeline.line.dispatcher import Dispatcher
    from twilio_notifications.ports import Events, Journal, Unreported

TIMING = Timing(
    backoff_initial=1.0, backoff_maximum=60.0, settle=30.0, credential_wait=300.0, credential_probe=10.0
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The stages that send with everything around them, and the words in which tests speak of them."""

    sqlite: SqliteJournal
    watched: WatchedJournal
    clock: LineClock
    sender: ScriptedSender
    events: RecordingEvents
    secret: ScriptedSecret
    credentials: Credentials
    surroundings: LineNeeds
    stages: Stages
    written: list[Unreported]
    """What was handed on to be published."""
    keys: list[int]
    """Requests in whose calls a key was pressed."""

    @property
    def journal(self) -> Journal:
        return self.surroundings.journal

    @property
    def bells(self) -> Bells:
        return self.surroundings.bells

    @property
    def pacing(self) -> Pacing:
        return self.surroundings.pacing

    @property
    def admission(self) -> Admission:
        return self.stages.admission

    @property
    def dispatcher(self) -> Dispatcher:
        return self.stages.dispatcher

    async def accept(self, *phone_numbers: str, **arguments: Any) -> None:
        """Records a request for each recipient, to take the longer way, and lets the line react."""
        for phone_number in phone_numbers:
            named = {"request_id": phone_number, "accepted_at": self.clock.now(), **arguments}
            await self.journal.record([a_request(phone_number, **named)])
        self.dispatcher.wake()
        await self.clock.settle()

    async def statuses(self) -> list[dict[str, Any]]:
        """The outbox, oldest first."""
        return [json.loads(row.status) for row in await self.outbox()]

    async def outbox(self) -> list[Unreported]:
        return await self.journal.unreported(after=0, limit=1000)

    async def results(self) -> list[tuple[str, str]]:
        """(id, `success` or the error) of each status."""
        return [
            (status["id"], status["response"].get("error", status["response"]["status"]))
            for status in await self.statuses()
        ]

    async def waiting(self) -> list[Claimed]:
        """Everything that waits, whether or not it is due."""
        return await self.journal.overdue(now=float("inf"), limit=1000)

    async def turns(self) -> None:
        """Lets every stage run that can, without waiting for the journal's thread."""
        await HandClock.settle(self.clock)

    def stalled_disk(self) -> AbstractContextManager[None]:
        """Within it the journal commits nothing, as on a disk that is full or very slow."""
        return stalled(self.sqlite)


@asynccontextmanager
async def a_line(
    *,
    concurrency: int = 50,
    ordering: Literal["recipient", "none"] = "recipient",
    jitter: Callable[[], float] = lambda: 1.0,
    timing: Timing = TIMING,
    limits: Limits | None = None,
    quiet_hours: QuietHours | None = None,
    path: Path | None = None,
    second: ScriptedSecret | None = None,
    twilio: Callable[[HandClock], ScriptedSender] = ScriptedSender,
    subscribers: Sequence[Events] = (),
    tracking: Tracking | None = None,
    calling: Calling | None = None,
    looks_per_minute: int = 30,
    paces: Mapping[str, SenderRates] = NO_PACES,
    shared: Callable[..., AbstractAsyncContextManager[Any]] | None = None,
) -> AsyncIterator[Line]:
    """A line that stands still; `running` sets it in motion. `subscribers` hear its events too.

    `shared` opens a journal that other lines use too; None: it has its own on SQLite.
    """
    clock, heard = LineClock(), RecordingEvents()
    events = EventStream([heard, *subscribers])
    bells = Bells.on(clock)
    pacing = Pacing(
        pace=Pace.fresh(concurrency),
        timing=timing,
        statuses=StatusWriter(tracking=tracking or Tracking()),
        clock=clock,
        events=events,
        jitter=jitter,
    )

    def renew_credentials() -> None:
        pacing.renew_credentials()
        bells.work.ring()
        bells.logins.ring()

    async def press(request: int) -> None:
        keys.append(request)

    keys: list[int] = []
    settings: dict[str, Any] = {"events": events, "ordering": ordering, "paces": paces}
    opening = SqliteJournal(path, **settings) if shared is None else shared(**settings)
    async with opening as sqlite:
        clock.journal = WatchedJournal(sqlite)
        secret = ScriptedSecret()
        credentials = await Credentials.read(
            Sources(first=secret, second=second),
            identity=Identity(account_sid="AC"),
            events=events,
            on_renewed=renew_credentials,
        )
        sender, written = twilio(clock), list["Unreported"]()
        authorized = AuthorizedSender(sender, credentials)
        surroundings = LineNeeds(
            journal=cast("Journal", clock.journal),
            sender=authorized,
            clock=clock,
            events=events,
            bells=bells,
            pacing=pacing,
            failures=Failures(events=events, clock=clock),
            limits=limits or Limits(),
            quiet_hours=quiet_hours or QuietHours(),
            on_written=written.extend,
            on_followed_up=written.extend,
            receipts=authorized,
            looks_per_minute=looks_per_minute,
            calling=calling or Calling(),
            on_key=press,
            slots=Slots(concurrency),
        )
        yield Line(
            sqlite=sqlite,
            watched=clock.journal,
            clock=clock,
            sender=sender,
            events=heard,
            secret=secret,
            credentials=credentials,
            surroundings=surroundings,
            stages=build_line(surroundings),
            written=written,
            keys=keys,
        )


def a_writer(
    surroundings: LineNeeds,
    *,
    chains: Mapping[str, Chain] | None = None,
    contacts: Mapping[str, Contact] | None = None,
    takes_answers: bool = True,
) -> ChainWriter:
    """Knows these chains and contacts."""
    return ChainWriter(
        statuses=surroundings.pacing.statuses,
        chains=chains or {},
        contacts=contacts or {},
        default_sender_number="+19999999999",
        takes_answers=takes_answers,
    )


def an_intake(surroundings: LineNeeds, stages: Stages, writer: ChainWriter | None = None) -> Intake:
    """Before these stages: what arrives on the topics of the connector goes to them."""
    writer = writer or a_writer(surroundings)
    return Intake(
        hold_seconds=0.0,
        journal=surroundings.journal,
        clock=surroundings.clock,
        events=surroundings.events,
        reception=Reception(
            clock=surroundings.clock,
            statuses=surroundings.pacing.statuses,
            default_sender_number="+19999999999",
            lifetime_seconds=14_400,
            extensions=Extensions(contacts=writer.contacts, escalations=frozenset(writer.chains)),
            writer=writer,
        ),
        failures=surroundings.failures,
        topics=Topics.with_prefix(""),
        on_chain=surroundings.bells.chains.ring,
        gate=stages.dispatcher,
        on_written=surroundings.on_written,
    )


@asynccontextmanager
async def a_running_line(**arguments: Any) -> AsyncIterator[Line]:
    """A line whose dispatcher runs until the test ends."""
    async with a_line(**arguments) as line, running(line):
        yield line


@asynccontextmanager
async def running(line: Line) -> AsyncIterator[None]:
    stage = asyncio.create_task(line.dispatcher.run(), name="dispatcher")
    try:
        await line.clock.settle()
        yield
        assert not stage.done(), stage
    finally:
        stage.cancel()
        await asyncio.wait({stage})
