"""Starts the stages, recovers the requests of an earlier run, and drains at the end.

The line: transport → intake → journal → dispatcher → sender → journal → reporter → transport. The settler
takes the attempts in doubt; the sweeper removes requests that were reported long ago.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from twilio_notifications.core.errors import NotLeading, NucleusLost
from twilio_notifications.ports.events import (
    ConnectorDraining,
    ConnectorReady,
    ConnectorReloaded,
    ConnectorReloadFailed,
    ConnectorStopped,
    DrainCutShort,
    JournalOpened,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    from twilio_notifications.pipeline.care.heartbeat import Heartbeat
    from twilio_notifications.pipeline.care.leading import Leading
    from twilio_notifications.pipeline.care.notebook import Notebook
    from twilio_notifications.pipeline.care.supervision import Supervision
    from twilio_notifications.pipeline.care.sweeper import Sweeper
    from twilio_notifications.pipeline.line.callbacks import Callbacks
    from twilio_notifications.pipeline.line.dispatcher import Dispatcher
    from twilio_notifications.pipeline.line.escalator import Escalator
    from twilio_notifications.pipeline.line.failures import Failures
    from twilio_notifications.pipeline.line.intake import Intake
    from twilio_notifications.pipeline.line.orders import OrderTaker
    from twilio_notifications.pipeline.line.replies import Replies
    from twilio_notifications.pipeline.line.reporter import Reporter
    from twilio_notifications.pipeline.line.settler import Settler
    from twilio_notifications.pipeline.line.tracker import Tracker
    from twilio_notifications.pipeline.logins.login_check import LoginCheck
    from twilio_notifications.pipeline.logins.refresher import Refresher
    from twilio_notifications.ports import Clock, Events, Journal, Transport

GOODBYE_SECONDS = 2.0
CANCEL_AGAIN_SECONDS = 0.5
"""The most seconds for the DISCONNECT, which a broker that reads no more would delay. The end of the
connection has the same effect."""

T = TypeVar("T")


@dataclass(slots=True, kw_only=True)
class Connector:
    """One connector, with all its stages."""

    journal: Journal
    transport: Transport
    intake: Intake
    dispatcher: Dispatcher
    settler: Settler
    orders: OrderTaker
    escalator: Escalator
    replies: Replies
    tracker: Tracker
    callbacks: Callbacks
    reporter: Reporter
    failures: Failures
    sweeper: Sweeper
    refresher: Refresher
    login_check: LoginCheck
    supervision: Supervision
    leading: Leading
    takes_in_with_others: bool = False
    """Each connector of the journal is connected to the broker, and not only the one that leads."""
    heartbeat: Heartbeat | None = None
    notebook: Notebook
    clock: Clock
    events: Events
    drain_seconds: float
    may_end_at: float = 0.0
    """Do not exit before this instant: the nucleus gives up after three exits in an hour."""
    reloads: Sequence[Callable[[], Awaitable[bool]]] = ()
    """The parts that `reload` reads again, in this order. Each tells its own errors."""
    _is_recovered: bool = field(init=False, default=False)
    """What was there before this connector led is recovered."""
    _led: list[asyncio.Task[None]] = field(init=False, default_factory=list)
    """The stages that only the leader has."""
    _lost: NucleusLost | None = field(init=False, default=None)
    ready: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    """Set when the first subscription is acknowledged and work can start."""

    async def run(self, stop: asyncio.Event, hurry: asyncio.Event) -> None:
        """Works until `stop` is set, then drains for at most `drain_seconds` or until `hurry` is set.

        Raises NucleusLost, after the drain, where only a restart of the process helps.
        """
        if await _unless(stop, _carry_out(self._join())) is None:
            # Stopped first, as on a full disk: nothing runs, nothing drains.
            self.events.tell(ConnectorStopped())
            return
        async with asyncio.TaskGroup() as stages:
            running = _started(
                stages.create_task,
                dispatcher=self.dispatcher.run(),
                failures=self.failures.run(),
                refresher=self.refresher.run(),
                login_check=self.login_check.run(),
                callbacks=self.callbacks.run(),
                supervision=self.supervision.run(),
                membership=self.leading.run(),
                leading=self._lead_whenever(stop),
            )
            if self.takes_in_with_others:
                running += _started(stages.create_task, transport=self._run_transport(stop))
            if self.heartbeat is not None:
                running += _started(stages.create_task, heartbeat=self.heartbeat.run())
            await stop.wait()
            await self._drain(hurry)
            await _end(self._led)
            await _end(running)
        if self.leading.leads:
            await self.notebook.end(self.journal, events=self.events)
        await self.leading.leave()
        self.events.tell(ConnectorStopped())
        if self._lost is not None:
            raise self._lost

    async def _join(self) -> None:
        """Joins, and has all that must be known and done before anything is sent."""
        await self.leading.beat()
        # Where another one leads, that one carries out what was ordered before, such as a pause.
        while not self.leading.leads and await self.orders.holds_up():
            await self.leading.next_beat()
        if self.leading.leads:
            try:
                await self._take_over()
            except NotLeading:  # it stood still meanwhile
                self.leading.step_down()
            else:
                return
        # Nothing leaves before it knows what keeps requests waiting: the others found that out.
        await self.leading.look_around(False)  # noqa: FBT003
        self._stand_by()

    async def _take_over(self) -> None:
        """What an earlier run or another connector left: recovers it, and carries out what was ordered."""
        recovery = await self.journal.recover(now=self.clock.now())
        self._is_recovered = True
        self.events.tell(
            JournalOpened(
                waiting=recovery.waiting, in_doubt=recovery.in_doubt, unreported=recovery.unreported
            )
        )
        self.dispatcher.pacing.recover(recovery.stalled)
        await self.orders.catch_up()

    async def _lead_whenever(self, stop: asyncio.Event) -> None:
        """Runs the stages of the leader for as long as this connector leads, whenever it does."""
        while not stop.is_set():
            await self.leading.gained()
            try:
                if not self._is_recovered:
                    await self._take_over()
                await self._lead(stop)
            except NotLeading:
                self._is_recovered = False
                self.leading.step_down()
                self.reporter.closing()
                # One that goes on taking in connects again, and so publishes nothing more on its own.
                await self.transport.close()
                self._stand_by()

    async def _lead(self, stop: asyncio.Event) -> None:
        """Returns when its stages were ended; raises NotLeading when another connector leads."""
        self._led = _started(
            asyncio.create_task,
            settler=self.settler.run(),
            orders=self.orders.run(),
            escalator=self.escalator.run(),
            replies=self.replies.run(),
            tracker=self.tracker.run(),
            reporter=self.reporter.run(),
            sweeper=self.sweeper.run(),
            notebook=self.notebook.run(self.journal, events=self.events),
            loss=self.leading.lost(),
        )
        if not self.takes_in_with_others:
            self._led += _started(asyncio.create_task, transport=self._run_transport(stop))
        try:
            await asyncio.wait(self._led, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            await _end(self._led)
        errors = [stage.exception() for stage in self._led if not stage.cancelled()]
        defects = [error for error in errors if not isinstance(error, NotLeading | None)]
        if defects:
            raise BaseExceptionGroup("stages of the leader", defects)
        for lost in filter(None, errors):
            raise lost

    def _stand_by(self) -> None:
        """Another connector leads. What waits in the journal is work enough for one that takes nothing in."""
        if not self.takes_in_with_others:
            self._be_ready()

    def _be_ready(self) -> None:
        """Tells once that work can start: over the broker, or from the journal where another one leads."""
        if not self.ready.is_set():
            self.ready.set()
            self.events.tell(ConnectorReady())
            self.supervision.ready()

    async def reload(self) -> None:
        """Reads the parts again that may change while the connector works: secrets and configuration."""
        self.supervision.reloading()
        complete = [await reload() for reload in self.reloads]
        if all(complete):
            self.events.tell(ConnectorReloaded())
        else:
            self.events.tell(ConnectorReloadFailed())
        if self.ready.is_set():
            self.supervision.ready()

    async def rested(self) -> None:
        """Returns when the connector may end by itself."""
        await self.clock.sleep(max(0.0, self.may_end_at - self.clock.now()))

    async def _run_transport(self, stop: asyncio.Event) -> None:
        """Runs the transport; if it raises NucleusLost, makes the connector drain."""
        try:
            await self.transport.run(
                on_inbound=self.intake.receive,
                on_ready=self._on_ready,
                on_connection_ended=self.intake.connection_ended,
            )
        except NucleusLost as lost:
            self._lost = lost
            stop.set()

    def _on_ready(self) -> None:
        self.reporter.connected()
        self._be_ready()

    async def _drain(self, hurry: asyncio.Event) -> None:
        """Finishes the attempts under way.

        Those that take too long stay in the journal for the next start.
        """
        self.events.tell(ConnectorDraining())
        self.supervision.stopping()
        draining = asyncio.ensure_future(self._finish_and_report())
        hurrying = asyncio.ensure_future(hurry.wait())
        await asyncio.wait(
            {draining, hurrying}, timeout=self.drain_seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if not draining.done():
            self.events.tell(DrainCutShort())
        for part in (draining, hurrying):
            part.cancel()
        await asyncio.wait({draining, hurrying})
        self.reporter.closing()
        saying_goodbye = asyncio.ensure_future(self.transport.close())
        await asyncio.wait({saying_goodbye}, timeout=GOODBYE_SECONDS)
        if saying_goodbye.done():
            saying_goodbye.result()
        saying_goodbye.cancel()

    async def _finish_and_report(self) -> None:
        await self.dispatcher.drain()
        if self._lost is None and self.leading.leads:  # otherwise no transport takes a status any more
            await self.reporter.flushed()


def _started(
    create_task: Callable[..., asyncio.Task[None]], **stages: Coroutine[Any, Any, None]
) -> list[asyncio.Task[None]]:
    return [create_task(stage, name=f"twilio_notifications.{name}") for name, stage in stages.items()]


async def _carry_out(work: Awaitable[None]) -> bool:
    await work
    return True


async def _end(stages: Sequence[asyncio.Task[None]]) -> None:
    """Cancels the stages until each has ended.

    A cancellation that comes in the same moment as an answer can get lost on its way through a library.
    """
    while running := [stage for stage in stages if not stage.done()]:
        for stage in running:
            stage.cancel()
        await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)


async def _unless(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T | None:
    """The result of `work`; None where a stop came first, and the work was cancelled."""
    working, stopping = asyncio.ensure_future(work), asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
