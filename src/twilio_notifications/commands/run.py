"""`run`: the connector in the foreground, until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import closing
from typing import TYPE_CHECKING

from twilio_notifications import bootstrap
from twilio_notifications.adapters import log
from twilio_notifications.adapters.clock import SystemClock
from twilio_notifications.commands.isolation import isolate, outlived
from twilio_notifications.config import load
from twilio_notifications.core.errors import ConfigurationError
from twilio_notifications.ports import Level

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from twilio_notifications.adapters.isolation import FileWatch
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Observer


def run(config: Path | None, *, environ: Mapping[str, str], greengrass: bool = False) -> int:
    """Runs until stopped, drains, and returns 0; with `greengrass` as the component that this process is."""
    component = _component(environ) if greengrass else None
    settings = load(config, environ, component=component)
    bootstrap.require_available(settings, environ)
    observer = log.configure(level=settings.log.level, form=settings.log.format)
    with (
        closing(bootstrap.supervisor(environ, observer=observer)) as supervisor,
        bootstrap.metrics_listeners(settings) as listeners,
    ):
        # Before the event loop, because what confines a thread does not confine those that run already.
        watch = isolate(settings, config, environ=environ, clock=SystemClock(), observer=observer)
        with asyncio.Runner(loop_factory=event_loop) as runner:
            hangup = asyncio.Event()
            wired = bootstrap.connector(
                settings,
                reread=lambda component: load(config, environ, component=component),
                observer=observer,
                environ=environ,
                supervisor=supervisor,
                on_configuration=hangup.set if greengrass else None,
                listeners=listeners,
            )
            runner.run(_run(wired, hangup=hangup, watch=watch, observer=observer))
    return 0


def _component(environ: Mapping[str, str]) -> Mapping[str, object]:
    problems = list(bootstrap.greengrass.problems(environ))
    if problems:
        raise ConfigurationError(problems)
    return bootstrap.greengrass.component_configuration(environ)


async def _run(
    wired: AbstractAsyncContextManager[Connector],
    *,
    hangup: asyncio.Event,
    watch: FileWatch,
    observer: Observer,
) -> None:
    stop, hurry = asyncio.Event(), asyncio.Event()
    _listen_to_signals(stop, hurry, hangup)
    async with asyncio.TaskGroup() as beside, wired as connector:
        watching = beside.create_task(
            _stop_when_replaced(watch, connector, stop, observer), name="twilio_notifications.file_watch"
        )
        reloading = beside.create_task(
            _reload_when_asked(connector, hangup), name="twilio_notifications.reload"
        )
        # What was made so far lives as long as the process: the collector need not look at it again.
        gc.freeze()
        await connector.run(stop, hurry)
        watching.cancel()
        reloading.cancel()
    if not watching.cancelled():
        raise outlived(watching.result())


async def _stop_when_replaced(
    watch: FileWatch, connector: Connector, stop: asyncio.Event, observer: Observer
) -> Path:
    path = await watch.replaced()
    observer.event("confined_file_replaced", level=Level.ERROR, file=str(path))
    await connector.rested()
    stop.set()
    return path


async def _reload_when_asked(connector: Connector, hangup: asyncio.Event) -> None:
    while True:
        await hangup.wait()
        hangup.clear()  # before the reload: a signal during it asks for another one
        await connector.reload()


def _listen_to_signals(stop: asyncio.Event, hurry: asyncio.Event, hangup: asyncio.Event) -> None:
    """The first SIGTERM or SIGINT drains, the second one does not wait; SIGHUP reads again."""

    def stopped() -> None:
        (hurry if stop.is_set() else stop).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped)
    loop.add_signal_handler(signal.SIGHUP, hangup.set)


def event_loop() -> asyncio.AbstractEventLoop:
    """Uvloop's event loop where it is installed (extra `uvloop`), asyncio's otherwise."""
    try:
        import uvloop  # noqa: PLC0415 - only some users have it
    except ImportError:
        return asyncio.new_event_loop()
    loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
    return loop
