"""Whether anything watches the connector from outside: metrics, health, traces or a heartbeat.

Where nothing does, nothing of it is imported, and the events have no further subscriber.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from twilio_notifications import serving

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator, Sequence
    from contextlib import AsyncExitStack

    from twilio_notifications.adapters.journal.journal import SqlJournal
    from twilio_notifications.config import Settings
    from twilio_notifications.pipeline.care.heartbeat import Heartbeat
    from twilio_notifications.pipeline.connector import Connector
    from twilio_notifications.ports import Clock, Events


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchListeners:
    """The sockets on which pages are served."""

    metrics: Sequence[socket.socket] = ()
    health: Sequence[socket.socket] = ()


@contextmanager
def watch_listeners(settings: Settings) -> Iterator[WatchListeners]:
    """The sockets for metrics and health, opened before the process is confined."""
    with ExitStack() as stack:
        opened: dict[str, list[socket.socket]] = {}
        for name, address in (("metrics", settings.metrics.listen), ("health", settings.health.listen)):
            found = [] if address is None else serving.listening(*address, setting=f"[{name}] listen")
            opened[name] = [stack.enter_context(each) for each in found]
        yield WatchListeners(**opened)


def watching(settings: Settings, clock: Clock, listeners: WatchListeners, events: Events) -> Watching:
    """What the settings want, not opened yet. `events` hear what goes wrong with traces."""
    wanted = (settings.metrics.listen, settings.health.listen, settings.traces.url, settings.heartbeat.url)
    if not any(wanted):
        return Watching()
    from twilio_notifications.bootstrap.watched import Watched  # noqa: PLC0415 - only where it is wanted

    return Watched.of(settings, clock, listeners, events)


class Watching:
    """Watches nothing, and so does nothing."""

    def subscribers(self) -> Sequence[Events]:
        """Those that hear the events of the connector."""
        return ()

    def watch(self, journal: SqlJournal) -> None:
        """From now on the journal is watched, which is open."""

    async def trace(self, stack: AsyncExitStack, secret: bytes) -> None:
        """Traces requests until the stack is closed, where traces are wanted."""

    async def heartbeat(self, stack: AsyncExitStack, events: Events) -> Heartbeat | None:  # noqa: ARG002 - as above
        """What calls the address of the configuration; None: there is no such address."""
        return None

    async def serve_health(self, stack: AsyncExitStack, events: Events) -> None:
        """Serves the health on an address of its own, where one is wanted, until the stack is closed."""

    async def serve_metrics(
        self, stack: AsyncExitStack, *, journal: SqlJournal, connector: Connector, events: Events
    ) -> None:
        """Serves the metrics and the health on one address, where it is wanted, until the stack is closed."""
