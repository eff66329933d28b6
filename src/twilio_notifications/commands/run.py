"""`run`: the connector in the foreground, until SIGTERM or SIGINT.

From the first line on a stop is heard, and the end waits for the drain and for nothing else: not for threads,
not for a name server, not for the reader of the log.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from twilio_notifications import bootstrap, terminal
from twilio_notifications.adapters import log
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.adapters.outlet import Outlet
from twilio_notifications.bootstrap.isolation import isolate, outlived
from twilio_notifications.config import LogFormat, load, log_format
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.event_loop import new_event_loop
from twilio_notifications.exit_codes import FAILED, understood
from twilio_notifications.ports import Level
from twilio_notifications.ports.events import (
    ClosingCutShort,
    ConfinedFileReplaced,
    ConnectorFailed,
    ConnectorStopped,
    Defect,
    LogLinesLost,
)
from twilio_notifications.signals import EarlySignals, Stopped

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from twilio_notifications.adapters.isolation import FileWatch
    from twilio_notifications.adapters.log import EventLog
    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Events

STANDARD_ERROR: Final = 2

CLOSING_SECONDS: Final = 5.0
"""After the drain: connections are closed and the last commits written, which takes milliseconds. What takes
longer is cut off by the end of the process; the journal is made for that."""


def run(
    config: Path | None,
    *,
    environ: Mapping[str, str],
    greengrass: bool = False,
    signals: EarlySignals | None = None,
    subscribers: Sequence[Events] = (),
) -> int:
    """Runs until stopped, drains, and returns 0; with `greengrass` as the component that this process is.

    Errors are lines of the log, in its form, and decide the exit code. Only tests hand in `subscribers`.
    """
    with closing(Outlet(STANDARD_ERROR)) as outlet:
        teller = _Teller(outlet, priorities=log.is_read_by_systemd(environ, STANDARD_ERROR))
        teller.set_up(level=Level.INFO, form=log_format(config, environ))
        try:
            component = _component(environ) if greengrass else None
            teller.set_up(level=Level.INFO, form=log_format(config, environ, component=component))
            settings = load(config, environ, component=component)
            bootstrap.require_available(settings, environ)
            teller.set_up(level=settings.log.level, form=settings.log.format)
            start = _Start(
                config=config,
                environ=environ,
                settings=settings,
                configuration=component,
                subscribers=subscribers,
            )
            start.run(teller, signals or EarlySignals())
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - told with its trace, where it is a defect
            return teller.tell(error)
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Start:
    """Everything that a start needs, once the configuration is read."""

    config: Path | None
    environ: Mapping[str, str]
    settings: Settings
    configuration: Mapping[str, object] | None
    """The configuration of the component that this process is; None: it is no component."""
    subscribers: Sequence[Events]

    def run(self, teller: _Teller, signals: EarlySignals) -> None:
        """Confines the process, then runs the connector until it is stopped."""
        settings, environ, events = self.settings, self.environ, teller.events
        with (
            closing(bootstrap.supervisor(environ, events=events)) as supervisor,
            bootstrap.watch_listeners(settings) as listeners,
            bootstrap.callback_listeners(settings) as callback_listeners,
        ):
            # Before any thread, because what confines one does not confine those that run already.
            watch = isolate(settings, self.config, environ=environ, clock=SystemClock(), events=events)
            teller.outlet.start()
            hangup = asyncio.Event()
            wired = bootstrap.connector(
                settings,
                reread=self._reread,
                events=events,
                environ=environ,
                supervisor=supervisor,
                component=self._component(hangup),
                listeners=listeners,
                callback_listeners=callback_listeners,
                subscribers=self.subscribers,
            )
            running = Running(
                wired=wired,
                hangup=hangup,
                watch=watch,
                events=events,
                drain_seconds=settings.delivery.drain_seconds,
            )
            # asyncio.run would wait for threads that ask a name server which does not answer: 18 seconds,
            # with uvloop half a minute. The process ends next, so the loop is left as it is.
            loop = new_event_loop()
            asyncio.set_event_loop(loop)
            loop.run_until_complete(running.until_stopped(signals))

    def _reread(self, component: Mapping[str, object] | None) -> Settings:
        """A deployment brings the next version's configuration, with files that only that one may read."""
        is_running = component is not None
        return load(self.config, self.environ, component=component, is_running=is_running)

    def _component(self, hangup: asyncio.Event) -> bootstrap.greengrass.Component | None:
        if self.configuration is None:
            return None
        return bootstrap.greengrass.Component(configuration=self.configuration, on_change=hangup.set)


def _component(environ: Mapping[str, str]) -> Mapping[str, object]:
    problems = list(bootstrap.greengrass.problems(environ))
    if problems:
        raise ConfigurationError(problems)
    return bootstrap.greengrass.component_configuration(environ)


class _Teller:
    """Sets up the log, and tells in it why the connector could not start or had to end."""

    def __init__(self, outlet: Outlet, *, priorities: bool) -> None:
        self.outlet = outlet
        self.events: EventLog
        self._priorities = priorities
        self._form = LogFormat.TEXT

    def set_up(self, *, level: str, form: LogFormat) -> None:
        """Has the log in this form from now on."""
        self._form = form
        events = log.configure(level=level, form=form, stream=self.outlet, priorities=self._priorities)
        log.adopt_strays(events)
        self.outlet.on_lost = lambda lines: events.tell(LogLinesLost(lines=lines))
        self.events = events

    def tell(self, error: BaseException) -> int:
        """The exit code, after a line for each thing that is wrong, or a trace where the program is."""
        failure = understood(error)
        if failure is None:
            self.events.tell(Defect(name="connector_failed", error=error))
            return FAILED
        for sentence in failure.sentences:
            if self._form is LogFormat.JSON:
                self.events.tell(ConnectorFailed(error=sentence))
            else:
                line = f"twilio-notifications: {terminal.printable(sentence)}"
                self.outlet.write(f"{log.prioritized(line, logging.ERROR) if self._priorities else line}\n")
        return failure.exit_code


@dataclass(slots=True, kw_only=True)
class Running:
    """The connector from its opening to its end, within what a stop may take."""

    wired: AbstractAsyncContextManager[Connector]
    hangup: asyncio.Event
    watch: FileWatch
    events: Events
    drain_seconds: float
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _is_open: bool = field(init=False, default=False)

    async def until_stopped(self, signals: EarlySignals) -> None:
        """Returns when the connector has ended, or cannot be waited for any longer."""
        self._listen_to_signals()
        if signals.stopped:
            raise Stopped
        if signals.hangup:
            self.hangup.set()
        working = asyncio.create_task(self._work(), name="twilio_notifications.connector")
        await _first(working, self.stop.wait())
        if self._is_open:
            await _first(working, self.hurry.wait(), limit_seconds=self.drain_seconds)
        else:
            working.cancel()  # nothing is under way: a secret or the journal may be waited for
        await _first(working, limit_seconds=CLOSING_SECONDS)
        if not working.done():
            self.events.tell(ClosingCutShort())
        elif working.cancelled():
            self.events.tell(ConnectorStopped())
        else:
            working.result()

    async def _work(self) -> None:
        async with asyncio.TaskGroup() as group, self.wired as connector:
            self._is_open = True
            watching = group.create_task(
                self._stop_when_replaced(connector), name="twilio_notifications.file_watch"
            )
            reloading = group.create_task(
                self._reload_when_asked(connector), name="twilio_notifications.reload"
            )
            # What was made so far lives as long as the process: the collector need not look at it again.
            gc.freeze()
            await connector.run(self.stop, self.hurry)
            watching.cancel()
            reloading.cancel()
        if not watching.cancelled():
            raise outlived(watching.result())

    async def _stop_when_replaced(self, connector: Connector) -> Path:
        path = await self.watch.replaced()
        self.events.tell(ConfinedFileReplaced(file=str(path)))
        await connector.rested()
        self.stop.set()
        return path

    async def _reload_when_asked(self, connector: Connector) -> None:
        while True:
            await self.hangup.wait()
            self.hangup.clear()  # before the reload: a signal during it asks for another one
            await connector.reload()

    def _listen_to_signals(self) -> None:
        """The first SIGTERM or SIGINT drains, the second one does not wait; SIGHUP reads again."""

        def stopped() -> None:
            (self.hurry if self.stop.is_set() else self.stop).set()

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped)
        loop.add_signal_handler(signal.SIGHUP, self.hangup.set)


async def _first(
    working: asyncio.Task[None], *others: Coroutine[Any, Any, Any], limit_seconds: float | None = None
) -> None:
    """Returns with the first of these that is done, or after the limit; ends the others, but not the work."""
    waiting = [asyncio.ensure_future(other) for other in others]
    await asyncio.wait({working, *waiting}, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in waiting:
        one.cancel()
