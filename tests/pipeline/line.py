"""The line from intake to outbox on fakes: SQLite in memory, a scripted sender, a clock turned by hand."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
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
from twilio_notifications.core.policy import Pace
from twilio_notifications.pipeline.authorized_sender import AuthorizedSender
from twilio_notifications.pipeline.credentials import Credentials, Identity, Sources
from twilio_notifications.pipeline.deferring import Timing
from twilio_notifications.pipeline.dispatcher import Dispatcher
from twilio_notifications.pipeline.failures import Failures
from twilio_notifications.pipeline.status import StatusWriter

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Literal

    from twilio_notifications.ports import Claimed, Journal, Unreported

TIMING = Timing(
    backoff_initial=1.0, backoff_maximum=60.0, settle=30.0, credential_wait=300.0, credential_probe=10.0
)


@dataclass(slots=True, kw_only=True)
class Line:
    """A dispatcher with everything around it, and the words in which tests speak of it."""

    sqlite: SqliteJournal
    journal: Journal
    clock: LineClock
    sender: ScriptedSender
    events: RecordingEvents
    secret: ScriptedSecret
    credentials: Credentials
    dispatcher: Dispatcher
    woken: list[str] = field(default_factory=list)

    async def accept(self, *phone_numbers: str, **arguments: Any) -> None:
        """Records a request for each recipient, as the intake does, and lets the line react."""
        for phone_number in phone_numbers:
            named = {"request_id": phone_number, "accepted_at": self.clock.now(), **arguments}
            await self.journal.record(a_request(phone_number, **named))
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
    path: Path | None = None,
    second: ScriptedSecret | None = None,
) -> AsyncIterator[Line]:
    """A line that stands still; `running` sets it in motion."""
    clock, events = LineClock(), RecordingEvents()
    async with SqliteJournal(path, events=events, ordering=ordering) as sqlite:
        clock.journal = WatchedJournal(sqlite)
        journal = cast("Journal", clock.journal)
        secret = ScriptedSecret()
        credentials = await Credentials.read(
            Sources(first=secret, second=second), identity=Identity(account_sid="AC"), events=events
        )
        woken: list[str] = []
        failures = Failures(events=events, clock=clock)
        sender = ScriptedSender(clock)
        dispatcher = Dispatcher(
            journal=journal,
            sender=AuthorizedSender(sender, credentials),
            clock=clock,
            events=events,
            statuses=StatusWriter(),
            failures=failures,
            timing=timing,
            jitter=jitter,
            pace=Pace.fresh(concurrency),
            on_status=lambda: woken.append("status"),
            on_doubt=lambda: woken.append("doubt"),
        )
        credentials.on_renewed = dispatcher.credentials_renewed
        yield Line(
            sqlite=sqlite,
            journal=journal,
            clock=clock,
            sender=sender,
            events=events,
            secret=secret,
            credentials=credentials,
            dispatcher=dispatcher,
            woken=woken,
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
